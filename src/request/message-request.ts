import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { TrackedRequest } from '../model/tracked-request.js'
import { parseCookies } from './cookies.js'
import { requestUrl } from './target.js'

/** Reads from a framework's request what Node does not know. One object serves all requests of a framework. */
export interface Framework<Native> {
  readonly user: (native: Native) => unknown
  readonly session: (native: Native) => unknown
  readonly state: (native: Native) => unknown
  /** The pattern of the route that took the request. */
  readonly route: (native: Native) => string | undefined
  /** Whether the framework's own proxy settings trust the `X-Forwarded-*` headers of the connection's peer. */
  readonly trustsProxy: (native: Native) => boolean
  /** Whether the application has said which proxies it trusts. */
  readonly namesProxies: (native: Native) => boolean
  /** The client's address under the framework's own proxy settings. */
  readonly ip: (native: Native) => string | undefined
  /** Scheme and host that the client asked for, under the framework's own proxy settings. */
  readonly origin: (native: Native) => string
  /** Path and query before a router cut anything off. */
  readonly originalUrl: (native: Native) => string
}

/** A request of Node's HTTP server as readers see it. Everything is parsed when it is first read. */
export class MessageRequest<Native> implements TrackedRequest {
  readonly native: Native
  /** Node's own request below the framework's. */
  readonly message: IncomingMessage
  readonly #framework: Framework<Native>
  #cookies: ReadonlyMap<string, string> | undefined
  #url: URL | undefined
  #ip: { readonly address: string | undefined } | undefined

  constructor(framework: Framework<Native>, native: Native, message: IncomingMessage) {
    this.native = native
    this.message = message
    this.#framework = framework
  }

  get headers(): IncomingHttpHeaders {
    return this.message.headers
  }

  get method(): string {
    return this.message.method ?? 'GET'
  }

  get cookies(): ReadonlyMap<string, string> {
    this.#cookies ??= parseCookies(this.message.headers.cookie)
    return this.#cookies
  }

  get url(): URL {
    this.#url ??= this.#parseUrl()
    return this.#url
  }

  get ip(): string | undefined {
    // Kept from the first read: a closed socket no longer knows its peer.
    this.#ip ??= { address: this.#fromProxy(this.#framework.ip, nodeFramework.ip) || undefined }
    return this.#ip.address
  }

  get route(): string | undefined {
    return this.#ask(this.#framework.route)
  }

  get user(): unknown {
    return this.#ask(this.#framework.user)
  }

  get session(): unknown {
    return this.#ask(this.#framework.session)
  }

  get state(): unknown {
    return this.#ask(this.#framework.state)
  }

  #parseUrl(): URL {
    const origin = this.#fromProxy(this.#framework.origin, nodeFramework.origin)
    return requestUrl(origin, this.#ask(this.#framework.originalUrl) ?? '/')
  }

  /** Asks a framework for what it takes from proxies' headers. If they are oversized, it is known only without a proxy. */
  #fromProxy<T>(read: (native: Native) => T, readDirectly: (message: IncomingMessage) => T): T | undefined {
    if (!hasOversizedProxyHeader(this.message)) return this.#ask(read)
    return this.#ask(this.#framework.trustsProxy) === false ? readDirectly(this.message) : undefined
  }

  /** A framework's property can run the application's code, such as a session's getter; if it throws, there is no answer. */
  #ask<T>(read: (native: Native) => T): T | undefined {
    try {
      return read(this.native)
    } catch {
      return undefined
    }
  }
}

/**
 * Finds the request of a tracker, even of another tracking or of another copy of this package: an application that
 * imports and requires it loads two.
 */
export function messageOf(tracker: object): object | undefined {
  try {
    const request = 'request' in tracker ? tracker.request : undefined
    if (typeof request !== 'object' || request === null || !('message' in request)) return undefined
    return typeof request.message === 'object' && request.message !== null ? request.message : undefined
  } catch {
    // An adapter of the application's own can give what throws when it is looked at.
    return undefined
  }
}

/** Reads from Node's own request, for servers without a framework. */
export const nodeFramework: Framework<IncomingMessage> = {
  user: (message) => ('user' in message ? message.user : undefined),
  session: (message) => ('session' in message ? message.session : undefined),
  state: () => undefined,
  route: () => undefined,
  trustsProxy: () => false,
  namesProxies: () => false,
  ip: (message) => message.socket?.remoteAddress,
  origin: (message) => `${schemeOf(message)}://${hostOf(message)}`,
  originalUrl: (message) => originalUrlOf(message),
}

/** A router's pattern, a string or a regular expression, as text. */
export function routePattern(route: unknown): string | undefined {
  return typeof route === 'string' || route instanceof RegExp ? String(route) : undefined
}

/** The host that the client named; `localhost` if it named none. */
export function hostOf(message: IncomingMessage): string {
  const authority = message.headers[':authority']
  return message.headers.host || (typeof authority === 'string' ? authority : '') || 'localhost'
}

/** The longest headers of proxies that frameworks are asked to take apart, which some of their versions do in quadratic time. */
const MAX_PROXY_HEADERS = { 'x-forwarded-for': 512, 'x-forwarded-host': 512, 'x-forwarded-proto': 64 }

function hasOversizedProxyHeader({ headers }: IncomingMessage): boolean {
  return (
    isLonger(headers['x-forwarded-for'], MAX_PROXY_HEADERS['x-forwarded-for']) ||
    isLonger(headers['x-forwarded-host'], MAX_PROXY_HEADERS['x-forwarded-host']) ||
    isLonger(headers['x-forwarded-proto'], MAX_PROXY_HEADERS['x-forwarded-proto'])
  )
}

function isLonger(header: string | string[] | undefined, length: number): boolean {
  return header !== undefined && header.length > length
}

/** Connect, and frameworks built on it, keep the URL from before a mount path was cut off. */
function originalUrlOf(message: IncomingMessage): string {
  const original = 'originalUrl' in message ? message.originalUrl : undefined
  return typeof original === 'string' ? original : (message.url ?? '/')
}

/** The scheme of the connection. */
export function schemeOf(message: IncomingMessage): 'http' | 'https' {
  const { socket } = message
  return socket !== null && 'encrypted' in socket && socket.encrypted === true ? 'https' : 'http'
}
