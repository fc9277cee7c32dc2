import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { getRequestListener, type Http2Bindings, type HttpBindings } from '@hono/node-server'
import express from 'express'
import express4 from 'express4'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type Context, Hono } from 'hono'
import Koa from 'koa'
import Koa2 from 'koa2'
import { expressTracking } from '../../src/frameworks/express.js'
import { fastifyTracking } from '../../src/frameworks/fastify.js'
import { withTracking } from '../../src/frameworks/fetch.js'
import { honoTracking } from '../../src/frameworks/hono.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import type { Tracking } from '../../src/index.js'
import type { Gate } from './gate.js'
import { serveNestOnExpress, serveNestOnFastify } from './nest.js'

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

/** What Hono's handlers may give. */
export type HonoAnswer = Response | Promise<Response | undefined>

export interface HonoExchange extends Exchange {
  readonly c: Context<{ Bindings: HttpBindings }>
  readonly next: () => Promise<void>
}

/** The handlers of a scenario in all families of frameworks. */
export interface Handlers {
  express(exchange: ExpressExchange): unknown
  koa(exchange: KoaExchange): unknown
  fastify(exchange: FastifyExchange): unknown
  hono(exchange: HonoExchange): HonoAnswer
  /** Mounted before the tracking. */
  readonly before?: {
    express(exchange: Omit<ExpressExchange, 'track'>): unknown
    koa(exchange: Omit<KoaExchange, 'track'>): unknown
    /** Is to call `next` when the request goes on. */
    fastify(exchange: Omit<FastifyExchange, 'track'>, next: () => void): unknown
    hono(exchange: Omit<HonoExchange, 'track'>): Promise<void>
  }
}

/** A framework of the matrix. */
export interface Framework {
  readonly name: string
  readonly family: 'express' | 'koa' | 'fastify' | 'hono'
  /** Whether a request ends when its handler has settled, and not when the response has gone out. */
  readonly endsWithHandler?: boolean
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
  { name: 'Hono 4', family: 'hono', serve: serveHono },
  { name: 'NestJS on Express', family: 'express', serve: serveNestOnExpress },
  { name: 'NestJS on Fastify', family: 'fastify', serve: serveNestOnFastify },
  { name: 'withTracking()', family: 'hono', endsWithHandler: true, serve: serveWebStandard },
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
  if (!tracking) addEmptyHooks(app)
  else app.register(fastifyTracking, { tracking })
  // Of any type, and not read before the handler runs.
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.all('/*', (request, reply) => handle({ request, reply, gate, track: trackerOf(request) }))
  await app.ready()
  return listen
}

/** They make Fastify listen to requests and responses: an application with hooks of its own has no fewer listeners. */
export function addEmptyHooks(app: FastifyInstance): void {
  app.addHook('onResponse', async (_request) => {})
  app.addHook('onTimeout', async (_request) => {})
  app.addHook('onRequestAbort', async (_request) => {})
}

function serveHono(
  { before, hono: handle }: Handlers,
  gate: Gate,
  tracking: Tracking | undefined,
): RequestListener {
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.onError((error, c) => c.text('broken', 'status' in error && error.status === 418 ? 418 : 500))
  if (before) app.use((c, next) => before.hono({ c, next, gate }))
  // With any middleware the adapter for Node listens to the response, which it does not with a single handler.
  app.use(tracking ? honoTracking(tracking) : (_c, next) => next())
  app.use(async (c, next) => {
    const { url = '' } = c.env.incoming
    return await handle({ c, next, gate, track: () => c.var.track?.('request handle', { url }) })
  })
  return getRequestListener((request, env) => app.fetch(request, env))
}

/** An application of web-standard requests and responses, whatever it is made with: here with Hono. */
function serveWebStandard(
  { before, hono: handle }: Handlers,
  gate: Gate,
  tracking: Tracking | undefined,
): RequestListener {
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.onError((error, c) => c.text('broken', 'status' in error && error.status === 418 ? 418 : 500))
  if (before) app.use((c, next) => before.hono({ c, next, gate }))
  app.use(async (c, next) => {
    const tracker = tracking?.current()
    if (tracker) {
      c.set('tracker', tracker)
      c.set('track', tracker.track)
    }
    const { url = '' } = c.env.incoming
    return await handle({ c, next, gate, track: () => tracker?.track('request handle', { url }) })
  })
  const answer = async (request: Request, env: HttpBindings | Http2Bindings) => app.fetch(request, env)
  return getRequestListener(tracking ? withTracking(tracking, answer) : answer)
}

/** @returns What tracks an event of a request, where that has a tracker. */
export function trackerOf(scope: {
  readonly url: string
  readonly track?: express.Request['track']
}): () => void {
  const { url } = scope
  return () => scope.track?.('request handle', { url })
}

/** Express applications are typed as listeners of their own requests. */
function asListener(app: (req: IncomingMessage, res: ServerResponse) => unknown): RequestListener {
  return (req, res) => void app(req, res)
}
