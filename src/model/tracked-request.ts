import type { IncomingHttpHeaders } from 'node:http'

/**
 * What a request says, whatever framework received it: the one thing a {@link Reader} sees.
 *
 * `headers`, `cookies`, `url` and `ip` are parsed when first asked for and at most once; `user`, `session`,
 * `state` and `route` are live, so that a reader sees what middleware mounted later has left there.
 */
export interface TrackedRequest {
  /** The request's headers with lower-case names, as Node gives them. */
  readonly headers: IncomingHttpHeaders
  /** The cookies as they were sent, values not decoded; the first of several with one name wins. */
  readonly cookies: ReadonlyMap<string, string>
  /** The HTTP method, in upper case. */
  readonly method: string
  /** The URL as the client asked for it: before a router cut its mount path off. */
  readonly url: URL
  /** The pattern of the route that took the request, such as `/orders/:id`; known once routing has run. */
  readonly route?: string | undefined
  /** The client's address as the framework's own proxy settings give it; never read from a header here. */
  readonly ip?: string | undefined
  /** What an authentication middleware left: `req.user`, or `ctx.state.user` in Koa. */
  readonly user: unknown
  /** What a session middleware left: `req.session`, or `ctx.session` in Koa. */
  readonly session: unknown
  /** The framework's place for what middleware hands on: `res.locals` in Express, `ctx.state` in Koa. */
  readonly state: unknown
  /** The framework's own object: Express's `req`, Koa's `ctx`, Node's `IncomingMessage`. */
  readonly native: unknown
}

/**
 * Reads one thing from a request, or answers `undefined`.
 *
 * A reader may be asynchronous: it never delays the response, for its answer is awaited after the end of the
 * request and counts as none after two seconds. A reader that throws counts as no answer, too.
 *
 * @example
 * const tenantUser: Reader<string> = (request) => request.headers['x-user-id']?.toString()
 */
export type Reader<T> = (request: TrackedRequest) => T | undefined | Promise<T | undefined>
