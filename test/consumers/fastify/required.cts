import fastify = require('fastify')

import { createTracking } from 'reqtrack'
import { fastifyTracking } from 'reqtrack/fastify'

const tracking = createTracking({
  settings: { writeKey: process.env.SEGMENT_WRITE_KEY ?? '', host: process.env.SEGMENT_HOST ?? '' },
  mapping: { order: { complete: { name: 'Order Completed' } } },
})

const app = fastify()
app.register(fastifyTracking, { tracking })
app.post('/orders', async (request, reply) => {
  request.track('order complete', { id: 'A-1', total: 42 })
  request.tracker.identify('u-1')
  return reply.code(201).send({ ok: true })
})

/** Only compiled: a part of the application, a tracking for each tenant, and a mistake. */
export function compiled(): void {
  app.get('/', async (request) => {
    // @ts-expect-error: a name is a string
    request.track(42)
  })
  app.register(async (part) => {
    part.register(fastifyTracking, {
      tracking: (request) => (request.hostname === 'shop.example' ? tracking : undefined),
      shutdown: false,
    })
  })
  // @ts-expect-error: a tracking is missing
  app.register(fastifyTracking, {})
}

app.listen({ port: Number(process.env.PORT) })
tracking.shutdownOnSignals({ server: app.server })
