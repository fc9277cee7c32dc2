/**
 * Middleware for Koa 2 and 3, and an endpoint for what browsers send.
 *
 * @packageDocumentation
 */

// Loads the types that the declaration below extends.
import type {} from 'koa'
import type { Track, Tracker } from '../model/tracker.js'
import type { Tracking } from '../tracker/tracking.js'
import { expose } from './adapter.js'
import { koa, type Middleware, type TenantContext } from './koa-context.js'
import { type TenantTracking, trackingsOf } from './tenants.js'

export type { CollectOptions, RateLimitOptions, RateLimitStore } from '../collect/index.js'
export {
  type CollectedContext,
  type CollectMiddleware,
  type KoaCollectOptions,
  koaCollect,
} from './koa-collect.js'
export type { KoaContext, Middleware, TenantContext } from './koa-context.js'
export type { TenantTracking } from './tenants.js'

declare module 'koa' {
  interface ExtendableContext {
    /** Tracks an event of this request, which is sent to Segment after the response. */
    track: Track
    /** The request's tracker, with `track` and all its other methods. */
    tracker: Tracker
  }
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
export function koaTracking<C = TenantContext>(tracking: Tracking | TenantTracking<C>): Middleware {
  const trackingOf = trackingsOf(tracking, 'koaTracking')
  return function reqtrack(ctx, next) {
    // Koa hands over the context that the application's types say.
    const inside = trackingOf(ctx as C)
    const tracker = inside.attach(koa, ctx, ctx.req, ctx.res)
    expose(tracker, ctx, inside)
    return inside.runRequest(tracker, ctx.req, ctx.res, next)
  }
}
