import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Track, Tracker } from '../model/tracker.js'
import { type Framework, hostOf, nodeFramework, routePattern } from '../request/message-request.js'

/** An Express request handler, as Express 4 and 5 and Connect take it. */
export type RequestHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** What a function that knows each tenant's tracking sees of Express's request, unless it names a type of its own. */
export interface TenantRequest {
  readonly headers: IncomingHttpHeaders
  /** The host without its port, under the app's `trust proxy` setting. */
  readonly hostname: string
  readonly originalUrl: string
  readonly path: string
  readonly subdomains: readonly string[]
  /** The parameters of the path at which the middleware is mounted. */
  readonly params: Readonly<Record<string, string>>
}

/** The properties of Express's request that this package uses. */
export interface ExpressRequest extends IncomingMessage {
  track?: Track
  tracker?: Tracker
  readonly ip?: string
  readonly protocol?: string
  readonly hostname?: string
  readonly baseUrl?: string
  readonly route?: { readonly path?: unknown }
  readonly res?: { readonly locals?: unknown }
  readonly app?: { get?(setting: string): unknown }
}

/** Reads from Express's request what Node does not know. */
export const express: Framework<ExpressRequest> = {
  ...nodeFramework,
  state: (req) => req.res?.locals,
  route: (req) => {
    const pattern = routePattern(req.route?.path)
    return pattern === undefined ? undefined : `${req.baseUrl ?? ''}${pattern}`
  },
  trustsProxy,
  namesProxies: (req) => Boolean(req.app?.get?.('trust proxy')),
  // Connect has no proxy settings of its own: what Node knows is all there is.
  ip: (req) => req.ip ?? nodeFramework.ip(req),
  origin: (req) => (req.protocol ? `${req.protocol}://${trustedHostOf(req)}` : nodeFramework.origin(req)),
}

/** Whether the app's `trust proxy` setting trusts the peer of the connection. Connect has no such setting. */
function trustsProxy(req: ExpressRequest): boolean {
  const trust: unknown = req.app?.get?.('trust proxy fn')
  return typeof trust === 'function' && Boolean(trust(req.socket?.remoteAddress, 0))
}

/** The host under the app's `trust proxy` setting; `hostname` has no port, so the header that it comes from is preferred. */
function trustedHostOf(req: ExpressRequest): string {
  const host = forwardedHostOf(req) || hostOf(req)
  const { hostname } = req
  return hostname === undefined || host === hostname || host.startsWith(`${hostname}:`) ? host : hostname
}

function forwardedHostOf(req: ExpressRequest): string | undefined {
  const header = req.headers['x-forwarded-host']
  return typeof header === 'string' && trustsProxy(req) ? header.split(',', 1)[0]?.trim() : undefined
}
