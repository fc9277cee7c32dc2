import express, { type Request, type Response, Router } from 'express'
import { createTracking, type Track, type Tracker } from 'reqtrack'
import { expressTracking } from 'reqtrack/express'
import { routes } from './routes.cjs'

const tracking = createTracking({
  settings: { writeKey: 'KEY' },
  request: { userId: ({ user }) => String(user) },
})
const app = express()
app.use(expressTracking(tracking))
app.use('/mounted', expressTracking(tracking), routes(tracking))

app.post('/orders', async (req, res) => {
  req.track('order complete', { total: 42, coupon: 'SUMMER' })
  req.track('session start')
  req.track({ name: 'order complete', data: { total: 42 }, nested: [{ entity: 'product' }] })
  const { track }: { track: Track } = req
  track('session start', { method: 'passkey' })
  const tracker: Tracker = req.tracker
  tracker.identify({ plan: 'pro' })
  tracking.current()?.group('G-1')

  // @ts-expect-error: no such event
  req.track('order completed', { total: 42 })
  // @ts-expect-error: the data is missing
  req.track('order complete')
  // @ts-expect-error: a property is missing
  req.track('order complete', { coupon: 'SUMMER' })
  // @ts-expect-error: a property is of another type
  req.track('order complete', { total: '42' })
  // @ts-expect-error: no such property
  req.track('session start', { by: 'passkey' })
  // @ts-expect-error: not any
  req.track.nothing
  // @ts-expect-error: not any
  req.tracker.nothing
  res.sendStatus(201)
})

const router = Router()
router.get('/:id', (req: Request<{ id: string }>, res) => {
  req.track('session start', { method: 'password' })
  res.send(req.params.id)
})
app.use(router)

// @ts-expect-error: a tracking is missing
expressTracking()
// @ts-expect-error: this is none
expressTracking({ settings: { writeKey: 'KEY' } })

// A tracking for each tenant.
expressTracking((req) => (req.hostname === 'shop.example' ? tracking : undefined))
expressTracking((req: Request) => (req.get('x-tenant') ? tracking : undefined))
// @ts-expect-error: at once, not as a promise
expressTracking(async () => tracking)
// @ts-expect-error: no such property
expressTracking((req) => req.tenant)

tracking.handle({} as Request, {} as Response, { trustProxy: ['loopback', '10.0.0.0/8'] })
// @ts-expect-error: neither a setting nor a function
tracking.handle({} as Request, {} as Response, { trustProxy: { hops: 1 } })
