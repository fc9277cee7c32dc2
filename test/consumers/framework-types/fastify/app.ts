import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { createTracking, type Track, type Tracker } from 'reqtrack'
import { fastifyCollect, fastifyTracking } from 'reqtrack/fastify'
import { routes } from './routes.cjs'

const tracking = createTracking({
  settings: { writeKey: 'KEY' },
  request: { userId: ({ user }) => String(user) },
})
const app = fastify({ trustProxy: ['10.0.0.0/8'] })
app.register(fastifyTracking, { tracking })
app.register(routes, { prefix: '/shop', tracking })

app.post<{ Body: { total: number }; Params: { id: string } }>('/orders/:id', async (request, reply) => {
  request.track('order complete', { total: request.body.total, coupon: request.params.id })
  request.track('session start')
  request.track({ name: 'order complete', data: { total: 42 } })
  const { track }: { track: Track } = request
  track('session start', { method: 'passkey' })
  const tracker: Tracker = request.tracker
  tracker.identify({ plan: 'pro' })
  tracking.current()?.group('G-1')

  // @ts-expect-error: no such event
  request.track('order completed', { total: 42 })
  // @ts-expect-error: the data is missing
  request.track('order complete')
  // @ts-expect-error: a property is missing
  request.track('order complete', { coupon: 'SUMMER' })
  // @ts-expect-error: a property is of another type
  request.track('order complete', { total: '42' })
  // @ts-expect-error: not any
  request.track.nothing
  // @ts-expect-error: not any
  request.tracker.nothing
  return reply.code(201).send({ ok: true })
})

export async function preHandler(request: FastifyRequest, _reply: FastifyReply): Promise<void> {
  request.track('session start', { method: 'password' })
}

export async function part(app: FastifyInstance): Promise<void> {
  app.addHook('onRequest', preHandler)
  // A tracking for each tenant, shut down by somebody else.
  await app.register(fastifyTracking, {
    tracking: (request) => (request.hostname === 'shop.example' ? tracking : undefined),
    shutdown: false,
  })
}

app.register(fastifyCollect, { prefix: '/collect', tracking, events: ['product view', /^cart /] })
app.register(fastifyCollect, { prefix: '/c', tracking: () => tracking, events: 'any', limit: false })

// @ts-expect-error: a tracking is missing
app.register(fastifyTracking, {})
// @ts-expect-error: this is none
app.register(fastifyTracking, { tracking: { settings: { writeKey: 'KEY' } } })
// @ts-expect-error: at once, not as a promise
app.register(fastifyTracking, { tracking: async () => tracking })
// @ts-expect-error: the path is missing
app.register(fastifyCollect, { tracking, events: 'any' })

// On HTTP/2.
const secure = fastify({ http2: true })
secure.register(fastifyTracking, { tracking })
secure.get('/', async (request) => {
  request.track('session start')
  // @ts-expect-error: no such event
  request.track('session started')
})
