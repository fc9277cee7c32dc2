import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import express from 'express'
import express4 from 'express4'
import Koa from 'koa'
import Koa2 from 'koa2'
import { expressTracking } from '../../src/frameworks/express.js'
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

/** The handlers of a scenario in both families of frameworks. */
export interface Handlers {
  express(exchange: ExpressExchange): unknown
  koa(exchange: KoaExchange): unknown
  /** Mounted before the tracking. */
  readonly before?: {
    express(exchange: Omit<ExpressExchange, 'track'>): unknown
    koa(exchange: Omit<KoaExchange, 'track'>): unknown
  }
}

/** A framework of the matrix. */
export interface Framework {
  readonly name: string
  readonly family: 'express' | 'koa'
  /** An application that does what the handlers say, with tracking or without. */
  serve(handlers: Handlers, gate: Gate, tracking: Tracking | undefined): RequestListener
}

export const frameworks: readonly Framework[] = [
  { name: 'Express 4', family: 'express', serve: serveExpress(express4) },
  { name: 'Express 5', family: 'express', serve: serveExpress(express) },
  { name: 'Koa 2', family: 'koa', serve: serveKoa(Koa2) },
  { name: 'Koa 3', family: 'koa', serve: serveKoa(Koa) },
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

function trackerOf(scope: { readonly url: string; readonly track?: express.Request['track'] }): () => void {
  const { url } = scope
  return () => scope.track?.('request handle', { url })
}

/** Express applications are typed as listeners of their own requests. */
function asListener(app: (req: IncomingMessage, res: ServerResponse) => unknown): RequestListener {
  return (req, res) => void app(req, res)
}
