import Koa from 'koa'
import { createTracking } from 'reqtrack'
import { koaTracking } from 'reqtrack/koa'

const tracking = createTracking({
  settings: { writeKey: process.env.SEGMENT_WRITE_KEY ?? '', host: process.env.SEGMENT_HOST ?? '' },
  mapping: { order: { complete: { name: 'Order Completed' } } },
})

const app = new Koa()
app.use(koaTracking(tracking))
app.use((ctx) => {
  ctx.track('order complete', { id: 'A-1', total: 42 })
  ctx.tracker.identify('u-1')
  ctx.status = 201
})

/** Only compiled: a mistake. */
export function compiled(): void {
  app.use((ctx) => {
    // @ts-expect-error: a name is a string
    ctx.track(42)
  })
}

const server = app.listen(Number(process.env.PORT))
tracking.shutdownOnSignals({ server })
