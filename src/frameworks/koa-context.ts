import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Track, Tracker } from '../model/tracker.js'
import { member } from '../request/identity/id.js'
import { type Framework, hostOf, nodeFramework, routePattern } from '../request/message-request.js'

/** A Koa middleware, as Koa 2 and 3, koa-mount and every router take it. */
export type Middleware = (ctx: KoaContext, next: () => Promise<unknown>) => Promise<unknown>

/** What a function that knows each tenant's tracking sees of Koa's context, unless it names a type of its own. */
export interface TenantContext extends KoaContext {
  /** The host without its port, under the app's `proxy` setting. */
  readonly hostname: string
  readonly path: string
  readonly subdomains: readonly string[]
}

/** The properties of Koa's context that this package uses. */
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

/** Reads from Koa's context what Node does not know. */
export const koa: Framework<KoaContext> = {
  user: (ctx) => member(ctx.state, 'user') ?? nodeFramework.user(ctx.req),
  session: (ctx) => ctx.session ?? nodeFramework.session(ctx.req),
  state: (ctx) => ctx.state,
  route: (ctx) => routePattern(ctx._matchedRoute ?? ctx.routerPath),
  trustsProxy: (ctx) => ctx.app?.proxy === true,
  namesProxies: (ctx) => ctx.app?.proxy === true,
  ip: (ctx) => ctx.ip,
  origin: (ctx) => `${ctx.protocol}://${ctx.host || hostOf(ctx.req)}`,
  originalUrl: (ctx) => ctx.originalUrl,
}
