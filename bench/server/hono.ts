import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { honoTracking } from '../../src/frameworks/hono.js'
import type { Application } from './applications.js'
import type { ServerOptions } from './options.js'
import { twentyTimes, type Way } from './way.js'

export function openHono({ handler }: ServerOptions, { tracking, act }: Way): Application {
  let handled = 0
  const app = new Hono<{ Bindings: HttpBindings }>()
  if (tracking) app.use(honoTracking(tracking))
  app.post('/orders', async (c) => {
    handled++
    if (handler === 'awaits') await twentyTimes()
    const { incoming } = c.env
    act?.({ message: incoming, ip: incoming.socket.remoteAddress, tracker: c.var.tracker })
    return c.json({ ok: true }, 201)
  })
  return { listener: getRequestListener((request, env) => app.fetch(request, env)), handled: () => handled }
}
