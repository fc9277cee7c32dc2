import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import express from 'express'
import express4 from 'express4'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import Koa from 'koa'
import Koa2 from 'koa2'
import { expressTracking } from '../../src/frameworks/express.js'
import { fastifyTracking } from '../../src/frameworks/fastify.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import type { Tracking } from '../../src/index.js'
import type { Gate } from './gate.js'

/** What a scenario's handler has at hand, whatever the framework. */
export interface Exchange {
  /** Tracks an event, or nothing where the application has no tracking. */
  track(): void
  readonly gate: Gate
}

export interface ExpressExchange extends Exchange {
  readonly req: express.Request
  readonly res: express.Response
  readonly next: express.NextFunction
}

export interface KoaExchange extends Exchange {
  readonly ctx: Koa.Context
  readonly next: Koa.Next
}

export interface FastifyExchange extends Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** The handlers of a scenario in all families of frameworks. */
export interface Handlers {
  express(exchange: ExpressExchange): unknown
  koa(exchange: KoaExchange): unknown
  fastify(exchange: FastifyExchange): unknown
  /** Mounted before the tracking. */
  readonly before?: {
    express(exchange: Omit<ExpressExchange, 'track'>): unknown
    koa(exchange: Omit<KoaExchange, 'track'>): unknown
    /** Is to call `next` when the request goes on. */
    fastify(exchange: Omit<FastifyExchange, 'track'>, next: () => void): unknown
  }
}

/** A framework of the matrix. */
export interface Framework {
  readonly name: string
  readonly family: 'express' | 'koa' | 'fastify'
  /** An application that does what the handlers say, with tracking or without. */
  serve(
    handlers: Handlers,
    gate: Gate,
    tracking: Tracking | undefined,
  ): RequestListener | Promise<RequestListener>
}

export const frameworks: readonly Framework[] = [
  { name: 'Express 4', family: 'express', serve: serveExpress(express4) },
  { name: 'Express 5', family: 'express', serve: serveExpress(express) },
  { name: 'Koa 2', family: 'koa', serve: serveKoa(Koa2) },
  { name: 'Koa 3', family: 'koa', serve: serveKoa(Koa) },
  { name: 'Fastify 5', family: 'fastify', serve: serveFastify },
]

function serveExpress(create: typeof express): Framework['serve'] {
  return ({ before, express: handle }, gate, tracking) => {
    const app = create()
    if (before) app.use((req, res, next) => before.express({ req, res, next, gate }))
    if (tracking) app.use(expressTracking(tracking))
    // Express 5 waits for the promise that a handler returns, Express 4 does not.
    app.use((req, res, next) => handle({ req, res, next, gate, track: trackerOf(req) }))
    return asListener(app)
  }
}

function serveKoa(Application: typeof Koa): Framework['serve'] {
  return ({ before, koa: handle }, gate, tracking) => {
    const app = new Application()
    app.silent = true
    if (before) app.use((ctx, next) => before.koa({ ctx, next, gate }))
    if (tracking) app.use(koaTracking(tracking))
    app.use((ctx, next) => handle({ ctx, next, gate, track: trackerOf(ctx) }))
    return app.callback()
  }
}

async function serveFastify(
  { before, fastify: handle }: Handlers,
  gate: Gate,
  tracking: Tracking | undefined,
): Promise<RequestListener> {
  let listen: RequestListener = () => {}
  const app = fastify({
    exposeHeadRoutes: true,
    serverFactory: (handler) => {
      listen = handler
      return createServer()
    },
  })
  if (before) {
    app.addHook('onRequest', (request, reply, next) => void before.fastify({ request, reply, gate }, next))
  }
  // These hooks make Fastify listen to requests and responses: an application with its own has no fewer listeners.
  if (!tracking) {
    app.addHook('onResponse', async (_request) => {})
    app.addHook('onTimeout', async (_request) => {})
    app.addHook('onRequestAbort', async (_request) => {})
  }
  if (tracking) app.register(fastifyTracking, { tracking })
  // Of any type, and not read before the handler runs.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.all('/*', (request, reply) => handle({ request, reply, gate, track: trackerOf(request) }))
  await app.ready()
  return listen
}

function trackerOf(scope: { readonly url: string; readonly track?: express.Request['track'] }): () => void {
  const { url } = scope
  return () => scope.track?.('request handle', { url })
}

/** Express applications are typed as listeners of their own requests. */
function asListener(app: (req: IncomingMessage, res: ServerResponse) => unknown): RequestListener {
  return (req, res) => void app(req, res)
}
