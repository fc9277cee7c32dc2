/**
 * Plugins for Fastify 5: the tracker of a request, and an endpoint for what browsers send.
 *
 * @packageDocumentation
 */

import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { Track, Tracker } from '../model/tracker.js'
import type { TrackingInternals } from '../tracker/internals.js'
import type { Tracking } from '../tracker/tracking.js'
import { expose } from './adapter.js'
import { fastify, pluginMeta } from './fastify-request.js'
import { type TenantTracking, trackingsOf } from './tenants.js'

export type { CollectOptions, RateLimitOptions, RateLimitStore } from '../collect/index.js'
export { type FastifyCollectOptions, fastifyCollect } from './fastify-collect.js'
export type { TenantTracking } from './tenants.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Tracks an event of this request, which is sent to Segment after the response. */
    track: Track
    /** The request's tracker, with `track` and all its other methods. */
    tracker: Tracker
  }
}

/** The options of {@link fastifyTracking}. */
export interface FastifyTrackingOptions {
  /** The result of `createTracking`, or a function that knows the tracking of each tenant. */
  readonly tracking: Tracking | TenantTracking<FastifyRequest>
  /**
   * Whether the tracking is shut down when the application closes: its open requests have finished by then. Defaults to
   * `true`. Set it to `false` if the tracking has other users in the process, and shut it down after them.
   */
  readonly shutdown?: boolean
}

/**
 * A Fastify plugin that puts a tracker on every request: `request.track` and `request.tracker`. It belongs to the
 * application or the encapsulated part of it that registers it. When that closes, the tracking is shut down.
 *
 * @throws TypeError, when the application starts, without a tracking.
 *
 * @example
 * app.register(fastifyTracking, { tracking })
 * app.post('/orders', async (request, reply) => {
 *   request.track('order complete', { total: 42 })
 *   return reply.code(201).send({ ok: true })
 * })
 */
export const fastifyTracking: FastifyPluginAsync<FastifyTrackingOptions> = async (app, options) => {
  const { tracking, shutdown = true } = options
  const used = new Set<Tracking>()
  const trackingOf = typeof tracking === 'function' ? ofTenants(tracking, used) : ofAll(tracking, used)

  for (const name of ['track', 'tracker']) {
    if (!app.hasRequestDecorator(name)) app.decorateRequest(name)
  }
  app.addHook('onRequest', function reqtrack(request, reply, next) {
    const inside = trackingOf(request)
    const tracker = inside.attach(fastify, request, request.raw, reply.raw)
    expose(tracker, request, inside)
    inside.runRequest(tracker, request.raw, reply.raw, next)
  })
  // Fastify runs these from events of Node's, in whose context no request runs, or another one.
  const runPart = (request: FastifyRequest, next: () => void): void => {
    // An earlier hook may have answered: the request has none.
    const tracker: Tracker | undefined = request.tracker
    if (tracker) trackingOf(request).runPart(tracker, next)
    else next()
  }
  app.addHook('onResponse', (request, _reply, next) => runPart(request, next))
  app.addHook('onTimeout', (request, _reply, next) => runPart(request, next))
  app.addHook('onRequestAbort', (request, next) => runPart(request, next))
  if (shutdown) {
    app.addHook('onClose', async () => {
      await Promise.all(Array.from(used, (each) => each.shutdown()))
    })
  }
}

// What the package fastify-plugin does: the hooks are those of whoever registers the plugin, not of a part of its own.
Object.assign(fastifyTracking, {
  [Symbol.for('skip-override')]: true,
  ...pluginMeta('reqtrack'),
})

const EXAMPLE = 'app.register(fastifyTracking, { tracking })'

/** @param used - Gets the trackings that are shut down in the end. */
function ofAll(tracking: Tracking, used: Set<Tracking>): (request: FastifyRequest) => TrackingInternals {
  const trackingOf = trackingsOf<FastifyRequest>(tracking, 'fastifyTracking', EXAMPLE)
  used.add(tracking)
  return trackingOf
}

/** Asks for a request's tracking once, although several hooks need it. */
function ofTenants(
  tenant: TenantTracking<FastifyRequest>,
  used: Set<Tracking>,
): (request: FastifyRequest) => TrackingInternals {
  const known = new WeakMap<FastifyRequest, TrackingInternals>()
  const trackingOf = trackingsOf<FastifyRequest>(
    (request) => {
      const tracking = tenant(request)
      if (tracking) used.add(tracking)
      return tracking
    },
    'fastifyTracking',
    EXAMPLE,
  )
  return (request) => {
    const inside = known.get(request) ?? trackingOf(request)
    known.set(request, inside)
    return inside
  }
}
