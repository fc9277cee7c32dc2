import type { IncomingMessage, ServerResponse } from 'node:http'
import { internalsOf } from '../frameworks/adapter.js'
import type { Tracking } from '../tracking.js'
import { Live } from './live.js'
import { contentSecurityPolicy, page } from './page.js'

const DEFAULT_CAPACITY = 500

/** How an inspector is mounted. */
export interface InspectorOptions<Request = IncomingMessage> {
  /**
   * Who may look: answers `true` for a request that may. Everybody may by default; in production
   * (`NODE_ENV=production`) it is required. One that throws or rejects counts as `false`.
   */
  authorize?(request: Request): boolean | Promise<boolean>
  /** How many requests are kept, in memory. Defaults to 500. */
  capacity?: number
}

/** What a path below the inspector names. */
type Resource = 'page' | 'stream' | 'requests' | 'totals' | { readonly request: number }

const HEADERS = {
  'content-security-policy': contentSecurityPolicy,
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const

/** The inspector that the framework adapters share. */
export class Inspector<Native extends object> {
  readonly #live: Live
  readonly #authorize: InspectorOptions<Native>['authorize']

  /**
   * Starts recording.
   *
   * @param mounted - The name of the function that the application called, for messages.
   */
  constructor(tracking: Tracking, options: InspectorOptions<Native>, mounted: string) {
    const { authorize, capacity = DEFAULT_CAPACITY } = options
    const internals = internalsOf(tracking, mounted)
    if (process.env.NODE_ENV === 'production' && !authorize) {
      throw new Error(
        `${mounted}() shows personal data, and NODE_ENV is production: expected an authorize function, as in ` +
          `${mounted}(tracking, { authorize: (request) => … }). Or mount it only where NODE_ENV is not production.`,
      )
    }
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new TypeError(`${mounted}: capacity is ${String(capacity)}; expected a whole number from 1 on`)
    }
    this.#authorize = authorize
    this.#live = new Live(tracking, internals, capacity)
  }

  /**
   * Answers a request whose path is one of the inspector's.
   *
   * @param path - The path below the inspector's mount path.
   * @param native - The framework's own request object.
   * @returns Whether the inspector answers it.
   */
  handle(path: string, native: Native, request: IncomingMessage, response: ServerResponse): boolean {
    const resource = resourceOf(path)
    if (resource === undefined) return false
    this.#live.exclude(native)
    this.#answer(resource, native, request, response).catch(() => {
      // An unhandled rejection would end the process.
      response.destroy()
    })
    return true
  }

  async #answer(
    resource: Resource,
    native: Native,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { ...HEADERS, allow: 'GET, HEAD' }).end()
      return
    }
    if (!(await this.#isAuthorized(native))) {
      send(response, 403, 'text/plain', 'The inspector is not open to you: see its option authorize.\n')
      return
    }
    const live = this.#live
    if (resource === 'page') send(response, 200, 'text/html', page)
    else if (resource === 'requests') sendJson(response, live.snapshot().requests)
    else if (resource === 'totals') sendJson(response, live.totals())
    else if (resource !== 'stream') sendJson(response, live.request(resource.request))
    else if (request.method === 'HEAD') send(response, 200, 'text/event-stream', '')
    else live.stream(response, HEADERS)
  }

  async #isAuthorized(native: Native): Promise<boolean> {
    try {
      return this.#authorize ? (await this.#authorize(native)) === true : true
    } catch {
      return false
    }
  }
}

function resourceOf(path: string): Resource | undefined {
  switch (path) {
    case '':
    case '/':
      return 'page'
    case '/stream':
      return 'stream'
    case '/api/requests':
      return 'requests'
    case '/api/totals':
      return 'totals'
  }
  const number = /^\/api\/requests\/(\d{1,15})$/.exec(path)?.[1]
  return number === undefined ? undefined : { request: Number(number) }
}

function sendJson(response: ServerResponse, value: object | undefined): void {
  if (value) send(response, 200, 'application/json', JSON.stringify(value))
  else send(response, 404, 'application/json', '{"error":"No such request is kept."}')
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  const bytes = Buffer.from(body)
  response
    .writeHead(status, {
      ...HEADERS,
      'content-type': `${type}; charset=utf-8`,
      'content-length': bytes.length,
    })
    .end(bytes)
}
