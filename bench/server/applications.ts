import type { RequestListener } from 'node:http'
import express from 'express'
import Koa from 'koa'
import { expressCollect, expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import type { ServerOptions } from './options.js'
import { twentyTimes, type Way } from './way.js'

/** Counted, but never reached: all requests of the load come from one visitor at one address. */
const NEVER_REACHED = { perVisitor: 1e12, perAddress: 1e12 }

/** The application of a scenario, and how many requests it has handled. */
export interface Application {
  readonly listener: RequestListener
  handled(): number
}

export async function openApplication(options: ServerOptions, way: Way): Promise<Application> {
  switch (options.framework) {
    case 'express':
      return openExpress(options, way)
    case 'koa':
      return openKoa(options, way)
    // Only where one is measured: to load them all would be in every server's figures.
    case 'fastify':
      return (await import('./fastify.js')).openFastify(options, way)
    case 'hono':
      return (await import('./hono.js')).openHono(options, way)
  }
}

function openExpress({ handler }: ServerOptions, { tracking, act }: Way): Application {
  let handled = 0
  const app = express()
  if (tracking) app.use(expressTracking(tracking))
  if (handler === 'collect' || handler === 'parse') {
    app.use((_req, _res, next) => {
      handled++
      next()
    })
    if (tracking && handler === 'collect')
      app.use('/orders', expressCollect(tracking, { events: ['product view'], limit: NEVER_REACHED }))
    else
      app.post('/orders', express.json(), (req, res) => {
        const { name, ...event } = req.body
        if (tracking) req.track(name, event.data, event)
        res.status(204).end()
      })
    return { listener: app, handled: () => handled }
  }
  app.post('/orders', async (req, res) => {
    handled++
    if (handler === 'awaits') await twentyTimes()
    act?.({ message: req, ip: req.ip, tracker: req.tracker })
    res.status(201).json({ ok: true })
  })
  return { listener: app, handled: () => handled }
}

function openKoa({ handler }: ServerOptions, { tracking, act }: Way): Application {
  let handled = 0
  const app = new Koa()
  if (tracking) app.use(koaTracking(tracking))
  app.use(async (ctx) => {
    handled++
    if (handler === 'awaits') await twentyTimes()
    act?.({ message: ctx.req, ip: ctx.ip, tracker: ctx.tracker })
    ctx.status = 201
    ctx.body = { ok: true }
  })
  return { listener: app.callback(), handled: () => handled }
}
