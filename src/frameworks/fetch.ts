/**
 * Web-standard handlers, which take a `Request` and give a `Response`: Next.js, Bun, Deno, Remix, SvelteKit, Astro.
 *
 * @packageDocumentation
 */

import { addressBeside, WebRequest, type WebSource } from '../request/web-request.js'
import { isPromise } from '../support/maybe.js'
import type { WaitUntil } from '../tracker/platform-wait.js'
import type { Tracking } from '../tracker/tracking.js'
import { type TenantTracking, trackingsOf } from './tenants.js'
import { type WebEnd, WebExchange } from './web-exchange.js'

export type { TenantTracking } from './tenants.js'
export type { WebEnd } from './web-exchange.js'

/** What a handler is called with first: a web-standard `Request`, or what has one, as SvelteKit's and Remix's do. */
export type RequestSource = Request | { readonly request: Request }

/** How {@link withTracking} reads requests, and when they end. */
export interface FetchOptions<First extends RequestSource, Rest extends unknown[]> {
  /**
   * The client's address, which a web-standard `Request` does not have. By default what Deno and Bun tell beside the request.
   * A header is as good as the proxy that sets it.
   */
  readonly ip?: (request: First, ...rest: Rest) => string | undefined
  /** The pattern of the route, such as `/orders/[id]`. */
  readonly route?: string | ((request: First, ...rest: Rest) => string | undefined)
  /** The user that authentication has let in, for readers such as `signedInUser()`. */
  readonly user?: (request: First, ...rest: Rest) => unknown
  /** The visitor's session, for readers such as `sessionValue()`. */
  readonly session?: (request: First, ...rest: Rest) => unknown
  /**
   * Tells the host what to wait for before it freezes the process, in place of the tracking's own `waitUntil`. It is called at
   * the request's first event.
   */
  readonly waitUntil?: (work: Promise<unknown>, request: First, ...rest: Rest) => void
  /**
   * When a request ends. By default when its handler has settled, and the response passes through untouched. `'body'` waits
   * until the body was read, was cancelled by the client or has failed, and wraps it for that.
   */
  readonly end?: WebEnd
}

const EXAMPLE = 'withTracking(tracking, handler)'

/**
 * Tracks a web-standard handler, such as a route handler of Next.js, a handler of `Bun.serve` or `Deno.serve`, a loader of
 * Remix or an endpoint of SvelteKit or Astro. In it, and in everything that it calls, `tracking.current()` is the request's
 * tracker.
 *
 * @param tracking - The result of `createTracking`, or a function that knows the tracking of each tenant.
 * @param handler - What gives, throws or promises the answer.
 * @returns A handler that gives and throws what `handler` does.
 * @throws TypeError for what is no tracking or no handler, and Error in a runtime without Node's modules.
 *
 * @example
 * export const POST = withTracking(tracking, async (request: Request) => {
 *   tracking.current()?.track('order complete', { total: 42 })
 *   return Response.json({ ok: true }, { status: 201 })
 * })
 */
export function withTracking<First extends RequestSource, Rest extends unknown[], Answer>(
  tracking: Tracking | TenantTracking<First>,
  handler: (request: First, ...rest: Rest) => Answer,
  options: FetchOptions<First, Rest> = {},
): (request: First, ...rest: Rest) => Answer {
  assertNode()
  const trackingOf = trackingsOf(tracking, 'withTracking', EXAMPLE)
  if (typeof handler !== 'function') {
    throw new TypeError(
      `withTracking() was given ${typeof handler} as the handler: expected a function, as in ${EXAMPLE}`,
    )
  }
  const { end = 'handler' } = options
  return function reqtrack(first, ...rest) {
    const inside = trackingOf(first)
    const message = requestIn(first)
    if (!message) {
      inside.mistake(
        'a handler of withTracking() was called without a web-standard Request: it runs untracked',
      )
      return handler(first, ...rest)
    }
    const request = new WebRequest(sourceOf(options, message, rest), first, message)
    const exchange = new WebExchange(inside, request, waitUntilOf(options, first, rest))
    let answer: Answer
    try {
      answer = inside.runPart(exchange.tracker, () => handler(first, ...rest))
    } catch (error) {
      throw exchange.threw(error)
    }
    // The host gets what the handler's type says: an answer, or the promise of one.
    return (isPromise(answer) ? settled(exchange, answer, end) : exchange.answered(answer, end)) as Answer
  }
}

async function settled(exchange: WebExchange, promise: PromiseLike<unknown>, end: WebEnd): Promise<unknown> {
  let answer: unknown
  try {
    answer = await promise
  } catch (error) {
    throw exchange.threw(error)
  }
  return exchange.answered(answer, end)
}

function requestIn(first: RequestSource): Request | undefined {
  if (isRequest(first)) return first
  const inner = typeof first === 'object' && first !== null && 'request' in first ? first.request : undefined
  return isRequest(inner) ? inner : undefined
}

/** A request of any realm: hosts and frameworks have classes of their own. */
function isRequest(value: unknown): value is Request {
  if (typeof value !== 'object' || value === null || !('headers' in value) || !('url' in value)) return false
  const { headers } = value
  return typeof headers === 'object' && headers !== null && 'get' in headers
}

function sourceOf<First extends RequestSource, Rest extends unknown[]>(
  { ip, route, user, session }: FetchOptions<First, Rest>,
  message: Request,
  rest: Rest,
): WebSource<First> {
  return {
    ip: (first) => (ip ? ip(first, ...rest) : addressBeside(message, rest[0])),
    ...(route !== undefined && {
      route: (first) => (typeof route === 'string' ? route : route(first, ...rest)),
    }),
    ...(user && { user: (first) => user(first, ...rest) }),
    ...(session && { session: (first) => session(first, ...rest) }),
  }
}

function waitUntilOf<First extends RequestSource, Rest extends unknown[]>(
  { waitUntil }: FetchOptions<First, Rest>,
  first: First,
  rest: Rest,
): WaitUntil | undefined {
  return waitUntil && ((work) => waitUntil(work, first, ...rest))
}

/** Edge runtimes have web-standard requests, too, but neither sockets nor contexts. */
function assertNode(): void {
  const isNode = typeof process === 'object' && typeof process.versions?.node === 'string'
  if (isNode && !('EdgeRuntime' in globalThis)) return
  throw new Error(
    'withTracking() runs in an edge runtime, which has no node:http: expected Node, Bun or Deno. ' +
      "In Next.js write export const runtime = 'nodejs' in the route's file",
  )
}
