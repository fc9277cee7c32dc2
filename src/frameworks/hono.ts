/**
 * Middleware for Hono 4, on Node, Bun and Deno.
 *
 * @packageDocumentation
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Context, MiddlewareHandler } from 'hono'
import type { Track, Tracker } from '../model/tracker.js'
import { member } from '../request/identity/id.js'
import { type Framework, nodeFramework } from '../request/message-request.js'
import { ProxiedNode } from '../request/proxied-node.js'
import type { TrustProxy } from '../request/trusted-proxies.js'
import { addressBeside, WebRequest, type WebSource } from '../request/web-request.js'
import type { TrackingInternals } from '../tracker/internals.js'
import type { WaitUntil } from '../tracker/platform-wait.js'
import type { Tracking } from '../tracker/tracking.js'
import { type TenantTracking, trackingsOf } from './tenants.js'
import { type WebEnd, WebExchange } from './web-exchange.js'

export type { TenantTracking } from './tenants.js'

declare module 'hono' {
  interface ContextVariableMap {
    /** Tracks an event of this request, which is sent to Segment after the response. */
    track: Track
    /** The request's tracker, with `track` and all its other methods. */
    tracker: Tracker
  }
}

/** How {@link honoTracking} reads requests, and when they end. */
export interface HonoTrackingOptions {
  /**
   * On Node: which proxies in front of the server are believed about the client's address, scheme and host. Defaults to none.
   */
  readonly trustProxy?: TrustProxy
  /** On other hosts than Node: the client's address. By default what Bun and Deno tell. */
  readonly ip?: (c: Context) => string | undefined
  /**
   * On other hosts than Node: when a request ends. By default when its handler has settled; `'body'` waits for the body of its
   * response. On Node it is always when the response has gone out.
   */
  readonly end?: WebEnd
}

/** What Hono's context knows on every host. */
const hono = {
  user: (c: Context): unknown => c.get('user') ?? c.get('jwtPayload'),
  session: (c: Context): unknown => c.get('session'),
  state: (c: Context): unknown => c.var,
  route: routeOf,
} satisfies WebSource<Context>

/**
 * Makes Hono middleware that puts a tracker on every request: `c.var.track` and `c.var.tracker`. It runs on
 * `@hono/node-server`, Bun and Deno. Mount it once before the routes.
 *
 * @param tracking - The result of `createTracking`, or a function that knows the tracking of each tenant.
 * @throws TypeError for anything else, and for a `trustProxy` that cannot work.
 *
 * @example
 * app.use(honoTracking(tracking))
 * app.post('/orders', (c) => {
 *   c.var.track('order complete', { total: 42 })
 *   return c.json({ ok: true }, 201)
 * })
 */
export function honoTracking(
  tracking: Tracking | TenantTracking<Context>,
  { trustProxy, ip, end = 'handler' }: HonoTrackingOptions = {},
): MiddlewareHandler {
  const trackingOf = trackingsOf<Context>(tracking, 'honoTracking')
  const onNode = nodeSource(trustProxy === undefined ? nodeFramework : new ProxiedNode().under(trustProxy))
  const elsewhere: WebSource<Context> = { ...hono, ip: ip ?? ((c) => addressBeside(c.req.raw, c.env)) }
  return async function reqtrack(c, next) {
    const inside = trackingOf(c)
    const messages = nodeMessages(c.env)
    if (!messages) return elsewhereTracked(inside, c, next, elsewhere, end)
    const { incoming, outgoing } = messages
    const tracker = inside.attach(onNode, c, incoming, outgoing)
    expose(tracker, c)
    await inside.runRequest(tracker, incoming, outgoing, next)
  }
}

async function elsewhereTracked(
  inside: TrackingInternals,
  c: Context,
  next: () => Promise<void>,
  source: WebSource<Context>,
  end: WebEnd,
): Promise<void> {
  const request = new WebRequest(source, c, c.req.raw)
  const exchange = new WebExchange(inside, request, waitUntilOf(c))
  expose(exchange.tracker, c)
  try {
    await inside.runPart(exchange.tracker, next)
  } catch (error) {
    throw exchange.threw(error)
  }
  const { res } = c
  const answer = exchange.answered(res, end)
  if (answer !== res) c.res = answer
}

function expose(tracker: Tracker, c: Context): void {
  c.set('tracker', tracker)
  c.set('track', tracker.track)
}

interface NodeMessages {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
}

/** `@hono/node-server` hands Node's messages over with the environment. */
function nodeMessages(env: unknown): NodeMessages | undefined {
  return hasNodeMessages(env) ? env : undefined
}

function hasNodeMessages(env: unknown): env is NodeMessages {
  return typeof member(env, 'incoming') === 'object' && typeof member(env, 'outgoing') === 'object'
}

function nodeSource(node: Framework<IncomingMessage>): Framework<Context> {
  const messageOf = (c: Context): IncomingMessage => {
    const messages = nodeMessages(c.env)
    if (!messages) throw new TypeError('the environment has lost its messages')
    return messages.incoming
  }
  return {
    ...hono,
    trustsProxy: (c) => node.trustsProxy(messageOf(c)),
    namesProxies: (c) => node.namesProxies(messageOf(c)),
    ip: (c) => node.ip(messageOf(c)),
    origin: (c) => node.origin(messageOf(c)),
    originalUrl: (c) => node.originalUrl(messageOf(c)),
  }
}

/** The pattern of the handler that ran last; where only middleware for all paths ran, there was no route. */
function routeOf(c: Context): string | undefined {
  const path: unknown = member(c.req, 'routePath')
  return typeof path === 'string' && path !== '*' && path !== '/*' ? path : undefined
}

/** Hosts that freeze a process give a context for it; Hono's throws where there is none. */
function waitUntilOf(c: Context): WaitUntil | undefined {
  try {
    const { executionCtx } = c
    return typeof executionCtx?.waitUntil === 'function' ? (work) => executionCtx.waitUntil(work) : undefined
  } catch {
    return undefined
  }
}
