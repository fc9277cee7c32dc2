import type { FastifyPluginAsync } from 'fastify'
import type { Tracking } from 'reqtrack'
import { fastifyTracking } from 'reqtrack/fastify'

/** A CommonJS part of the same application. */
export const routes: FastifyPluginAsync<{ tracking: Tracking }> = async (app, { tracking }) => {
  app.register(fastifyTracking, { tracking, shutdown: false })
  app.get('/', async (request) => {
    request.track('order complete', { total: 42 })
    request.tracker.user({ id: 'u-1' })
    // @ts-expect-error: no such event
    request.track('order completed', { total: 42 })
    // @ts-expect-error: a property is missing
    request.track('order complete', {})
  })
}
