import type { IncomingHttpHeaders } from 'node:http'

/**
 * A request of any framework, as a {@link Reader} sees it.
 *
 * `headers`, `cookies`, `url` and `ip` are parsed when first read and at most once. `user`, `session`, `state` and `route`
 * are live, so that a reader sees what middleware mounted later has left there.
 */
export interface TrackedRequest {
  /** The request's headers with lower-case names, as Node gives them. */
  readonly headers: IncomingHttpHeaders
  /** The cookies with raw values, not decoded; the first of several with one name wins. */
  readonly cookies: ReadonlyMap<string, string>
  /** The HTTP method, in upper case. */
  readonly method: string
  /** The URL that the client asked for, before a router cut its mount path off. */
  readonly url: URL
  /** The pattern of the route that took the request, such as `/orders/:id`; known once routing has run. */
  readonly route?: string | undefined
  /** The client's address under the framework's own proxy settings; never read from a header here. */
  readonly ip?: string | undefined
  /** The user that authentication middleware left: `req.user`, or `ctx.state.user` in Koa. */
  readonly user: unknown
  /** The session that session middleware left: `req.session`, or `ctx.session` in Koa. */
  readonly session: unknown
  /** The framework's place for data of middleware: `res.locals` in Express, `ctx.state` in Koa. */
  readonly state: unknown
  /** The framework's own object: Express's `req`, Koa's `ctx`, Node's `IncomingMessage`. */
  readonly native: unknown
}

/**
 * Reads one thing from a request, or answers `undefined`.
 *
 * A reader may be asynchronous. It never delays the response: its answer is awaited after the end of the request, for two
 * seconds at most. A reader that throws or takes longer has no answer.
 *
 * @example
 * const tenantUser: Reader<string> = (request) => request.headers['x-user-id']?.toString()
 */
export type Reader<T> = (request: TrackedRequest) => T | undefined | Promise<T | undefined>
