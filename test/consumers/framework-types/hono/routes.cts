import { Hono } from 'hono'
import type { Tracking } from 'reqtrack'
import { honoTracking } from 'reqtrack/hono'

/** A CommonJS part of the same application. */
export function routes(tracking: Tracking): Hono {
  const app = new Hono()
  app.use(honoTracking(tracking))
  app.get('/', (c) => {
    c.var.track('order complete', { total: 42 })
    c.var.tracker.user({ id: 'u-1' })
    // @ts-expect-error: no such event
    c.var.track('order completed', { total: 42 })
    // @ts-expect-error: a property is missing
    c.var.track('order complete', {})
    return c.text('hello')
  })
  return app
}
