import type { IncomingHttpHeaders } from 'node:http'
import type { TrackedRequest } from '../model/tracked-request.js'
import { setMember } from '../model/values.js'
import { parseCookies } from './cookies.js'
import { member } from './identity/id.js'
import { requestUrl } from './target.js'

/** Reads what a web-standard `Request` does not know. A function that throws has no answer. */
export interface WebSource<Native> {
  readonly user?: (native: Native) => unknown
  readonly session?: (native: Native) => unknown
  readonly state?: (native: Native) => unknown
  /** The pattern of the route that took the request. */
  readonly route?: (native: Native) => string | undefined
  /** The client's address. */
  readonly ip?: (native: Native) => string | undefined
}

/** A request that stands on a web-standard one. */
export interface WebTracked extends TrackedRequest {
  /** The web-standard request below the framework's. */
  readonly message: Request
}

/** A web-standard `Request` as readers see it. Everything is parsed when it is first read. */
export class WebRequest<Native> implements WebTracked {
  readonly native: Native
  readonly message: Request
  readonly #source: WebSource<Native>
  #headers: IncomingHttpHeaders | undefined
  #cookies: ReadonlyMap<string, string> | undefined
  #url: URL | undefined
  #ip: { readonly address: string | undefined } | undefined

  constructor(source: WebSource<Native>, native: Native, message: Request) {
    this.#source = source
    this.native = native
    this.message = message
  }

  get headers(): IncomingHttpHeaders {
    this.#headers ??= plainHeaders(this.message.headers)
    return this.#headers
  }

  get method(): string {
    return this.message.method
  }

  get cookies(): ReadonlyMap<string, string> {
    this.#cookies ??= parseCookies(this.headers.cookie)
    return this.#cookies
  }

  get url(): URL {
    this.#url ??= checkedUrl(this.message.url)
    return this.#url
  }

  get ip(): string | undefined {
    this.#ip ??= { address: this.#ask(this.#source.ip) || undefined }
    return this.#ip.address
  }

  get route(): string | undefined {
    return this.#ask(this.#source.route)
  }

  get user(): unknown {
    return this.#ask(this.#source.user)
  }

  get session(): unknown {
    return this.#ask(this.#source.session)
  }

  get state(): unknown {
    return this.#ask(this.#source.state)
  }

  #ask<T>(read: ((native: Native) => T) | undefined): T | undefined {
    try {
      return read?.(this.native)
    } catch {
      return undefined
    }
  }
}

/**
 * The address that a host tells beside the request: Deno as `remoteAddr` of the second argument, Bun by `requestIP` of its
 * server, which is that argument.
 */
export function addressBeside(request: Request, host: unknown): string | undefined {
  const told = member(member(host, 'remoteAddr'), 'hostname')
  if (typeof told === 'string') return told
  const requestIP = member(host, 'requestIP')
  if (typeof requestIP !== 'function') return undefined
  const address = member(Reflect.apply(requestIP, host, [request]), 'address')
  return typeof address === 'string' ? address : undefined
}

/** As Node has headers: lower-case names, and the values of several with one name joined. */
function plainHeaders(headers: Headers): IncomingHttpHeaders {
  const plain: Record<string, string> = {}
  for (const [name, value] of headers) setMember(plain, name, value)
  return plain
}

/** Hosts make the URL of what a client sent: it is checked as Node's is. */
function checkedUrl(text: string): URL {
  const { protocol, host, pathname, search } = new URL(text, 'http://localhost')
  return requestUrl(`${protocol}//${host}`, `${pathname}${search}`)
}
