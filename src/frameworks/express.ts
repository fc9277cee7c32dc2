/**
 * Middleware for Express 4 and 5, and an endpoint for what browsers send.
 *
 * @packageDocumentation
 */

import type { Track, Tracker } from '../model/tracker.js'
import { shareShape } from '../request/shared-shape.js'
import type { Tracking } from '../tracker/tracking.js'
import { expose } from './adapter.js'
import { type ExpressRequest, express, type RequestHandler, type TenantRequest } from './express-request.js'
import { type TenantTracking, trackingsOf } from './tenants.js'

export type { CollectOptions, RateLimitOptions, RateLimitStore } from '../collect/index.js'
export { expressCollect } from './express-collect.js'
export type { RequestHandler, TenantRequest } from './express-request.js'
export type { TenantTracking } from './tenants.js'

declare global {
  namespace Express {
    interface Request {
      /** Tracks an event of this request, which is sent to Segment after the response. */
      track: Track
      /** The request's tracker, with `track` and all its other methods. */
      tracker: Tracker
    }
  }
}

/**
 * Makes Express middleware that puts a tracker on every request: `req.track` and `req.tracker`. Mount it once before the
 * routes, and before or after authentication and sessions. If it is mounted twice, the request keeps its one tracker.
 *
 * @param tracking - The result of `createTracking`, or a function that knows the tracking of each tenant.
 * @throws TypeError for anything else.
 *
 * @example
 * app.use(expressTracking(tracking))
 * app.post('/orders', (req, res) => {
 *   req.track('order complete', { total: 42 })
 *   res.status(201).json({ ok: true })
 * })
 */
export function expressTracking<Request extends object = TenantRequest>(
  tracking: Tracking | TenantTracking<Request>,
): RequestHandler {
  const trackingOf = trackingsOf(tracking, 'expressTracking')
  return function reqtrack(req: ExpressRequest, res, next) {
    shareShape(req)
    shareShape(res)
    // Express hands over the request that the application's types say.
    const inside = trackingOf(req as ExpressRequest & Request)
    const tracker = inside.attach(express, req, req, res)
    expose(tracker, req, inside)
    inside.runRequest(tracker, req, res, next)
  }
}
