import Router from '@koa/router'
import type { Tracking } from 'reqtrack'
import { koaTracking } from 'reqtrack/koa'

/** A CommonJS part of the same application. */
export function routes(tracking: Tracking): Router {
  const router = new Router()
  router.use(koaTracking(tracking))
  router.get('/', (ctx) => {
    ctx.track('order complete', { total: 42 })
    ctx.tracker.user({ id: 'u-1' })
    // @ts-expect-error: no such event
    ctx.track('order completed', { total: 42 })
    // @ts-expect-error: a property is missing
    ctx.track('order complete', {})
    ctx.body = 'hello'
  })
  return router
}
