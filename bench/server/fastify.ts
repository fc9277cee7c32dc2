import fastify from 'fastify'
import { fastifyTracking } from '../../src/frameworks/fastify.js'
import type { Application } from './applications.js'
import type { ServerOptions } from './options.js'
import { twentyTimes, type Way } from './way.js'

export async function openFastify({ handler }: ServerOptions, { tracking, act }: Way): Promise<Application> {
  let handled = 0
  const app = fastify()
  if (tracking) app.register(fastifyTracking, { tracking })
  app.post('/orders', async (request, reply) => {
    handled++
    if (handler === 'awaits') await twentyTimes()
    act?.({ message: request.raw, ip: request.ip, tracker: request.tracker })
    reply.code(201)
    return { ok: true }
  })
  await app.ready()
  return { listener: (req, res) => app.routing(req, res), handled: () => handled }
}
