import { serve } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import { createTracking, type Track, type Tracker } from 'reqtrack'
import { honoTracking } from 'reqtrack/hono'
import { routes } from './routes.cjs'

const tracking = createTracking({
  settings: { writeKey: 'KEY' },
  request: { userId: ({ user }) => String(user) },
})
const app = new Hono<{ Variables: { plan: 'free' | 'pro' } }>()
app.use(honoTracking(tracking, { trustProxy: ['loopback', '10.0.0.0/8'] }))
app.use('/shop/*', honoTracking(tracking, { ip: (c) => c.req.header('x-real-ip'), end: 'body' }))
app.route('/shop', routes(tracking))

app.post('/orders/:id', (c) => {
  c.var.track('order complete', { total: 42, coupon: c.req.param('id') })
  c.get('track')('session start')
  c.var.track({ name: 'order complete', data: { total: 42 } })
  const track: Track = c.var.track
  track('session start', { method: 'passkey' })
  const tracker: Tracker = c.get('tracker')
  tracker.identify({ plan: c.var.plan })
  tracking.current()?.group('G-1')

  // @ts-expect-error: no such event
  c.var.track('order completed', { total: 42 })
  // @ts-expect-error: the data is missing
  c.var.track('order complete')
  // @ts-expect-error: a property is missing
  c.var.track('order complete', { coupon: 'SUMMER' })
  // @ts-expect-error: a property is of another type
  c.var.track('order complete', { total: '42' })
  // @ts-expect-error: not any
  c.var.track.nothing
  // @ts-expect-error: not any
  c.get('tracker').nothing
  return c.json({ ok: true }, 201)
})

export const middleware = createMiddleware(async (c, next) => {
  helper(c)
  await next()
})
function helper(c: Context): void {
  c.var.track('session start', { method: 'password' })
}

// @ts-expect-error: a tracking is missing
honoTracking()
// @ts-expect-error: this is none
honoTracking({ settings: { writeKey: 'KEY' } })
// @ts-expect-error: no such end
honoTracking(tracking, { end: 'never' })

// A tracking for each tenant.
honoTracking((c) => (c.req.param('shop') ? tracking : undefined))
// @ts-expect-error: at once, not as a promise
honoTracking(async () => tracking)

tracking.shutdownOnSignals({ server: serve({ fetch: app.fetch, port: 3000 }) })
