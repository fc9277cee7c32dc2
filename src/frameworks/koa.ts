import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context } from 'koa'
import type { Track, Tracker } from '../model/tracker.js'
import { member } from '../request/identity/id.js'
import { type Framework, hostOf, nodeFramework, routePattern } from '../request/message-request.js'
import type { Tracking } from '../tracker/tracking.js'
import { expose } from './adapter.js'
import { type TenantTracking, trackingsOf } from './tenants.js'

export type { TenantTracking } from './tenants.js'

declare module 'koa' {
  interface ExtendableContext {
    /** Tracks an event of this request, which is sent to Segment after the response. */
    track: Track
    /** The request's tracker, with `track` and all its other methods. */
    tracker: Tracker
  }
}

/** A Koa middleware, as Koa 2 and 3, koa-mount and every router take it. */
export type Middleware = (ctx: KoaContext, next: () => Promise<unknown>) => Promise<unknown>

/** The properties of Koa's context that this adapter uses. */
export interface KoaContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly originalUrl: string
  readonly ip: string
  readonly protocol: string
  readonly host: string
  readonly state: unknown
  readonly app?: { readonly proxy?: unknown }
  readonly session?: unknown
  /** The matched route; set by routers. */
  readonly _matchedRoute?: unknown
  readonly routerPath?: unknown
  track: Track
  tracker: Tracker
}

const koa: Framework<KoaContext> = {
  user: (ctx) => member(ctx.state, 'user') ?? nodeFramework.user(ctx.req),
  session: (ctx) => ctx.session ?? nodeFramework.session(ctx.req),
  state: (ctx) => ctx.state,
  route: (ctx) => routePattern(ctx._matchedRoute ?? ctx.routerPath),
  trustsProxy: (ctx) => ctx.app?.proxy === true,
  ip: (ctx) => ctx.ip,
  origin: (ctx) => `${ctx.protocol}://${ctx.host || hostOf(ctx.req)}`,
  originalUrl: (ctx) => ctx.originalUrl,
}

/**
 * Makes Koa middleware that puts a tracker on every request: `ctx.track` and `ctx.tracker`. Mount it once before the
 * routes, and before or after authentication and sessions. If it is mounted twice, the request keeps its one tracker.
 *
 * @param tracking - The result of `createTracking`, or a function that knows the tracking of each tenant.
 * @throws TypeError for anything else.
 *
 * @example
 * app.use(koaTracking(tracking))
 * router.post('/orders', (ctx) => {
 *   ctx.track('order complete', { total: 42 })
 *   ctx.status = 201
 * })
 */
export function koaTracking<C = Context>(tracking: Tracking | TenantTracking<C>): Middleware {
  const trackingOf = trackingsOf(tracking, 'koaTracking')
  return function reqtrack(ctx, next) {
    // Koa hands over the context that the application's types say.
    const inside = trackingOf(ctx as C)
    const tracker = inside.attach(koa, ctx, ctx.req, ctx.res)
    expose(tracker, ctx, inside)
    return inside.runRequest(tracker, ctx.req, ctx.res, next)
  }
}
