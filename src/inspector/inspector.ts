import type { IncomingMessage, ServerResponse } from 'node:http'
import { internalsOf } from '../frameworks/adapter.js'
import type { Tracking } from '../tracker/tracking.js'
import type { Host } from './host.js'
import { Live } from './live.js'
import { explainRefusal, refuseUnlessLocal } from './local-access.js'
import { checkOptions, type InspectorOptions } from './options.js'
import { contentSecurityPolicy, page, plainPage } from './page.js'

/** What a path below the inspector names. */
type Resource = 'page' | 'stream' | 'requests' | 'totals' | { readonly request: number }

const UNAUTHORIZED = 'The inspector is not open to you: see its option authorize.\n'
const OTHER_SITE =
  'The inspector gives its data to its own page only. Sec-Fetch-Site says that the page of another site asks.\n'

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
  readonly #hosts: readonly Host[]
  readonly #mounted: string

  /**
   * Starts recording.
   *
   * @param mounted - The name of the function that the application called, for messages.
   * @param further - The names of the options that only the framework's function has.
   */
  constructor(
    tracking: Tracking,
    options: InspectorOptions<Native>,
    mounted: string,
    further: readonly string[] = [],
  ) {
    const internals = internalsOf(tracking, mounted)
    const { capacity, hosts } = checkOptions(options, mounted, further)
    this.#authorize = options.authorize
    this.#hosts = hosts
    this.#mounted = mounted
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
    const refusal = await this.#refuse(native, request)
    if (refusal !== undefined) return refuse(response, resource, refusal)
    if (resource !== 'page' && isOfOtherSite(request)) return refuse(response, resource, OTHER_SITE)
    const live = this.#live
    if (resource === 'page') send(response, 200, 'text/html', page)
    else if (resource === 'requests') sendJson(response, live.snapshot().requests)
    else if (resource === 'totals') sendJson(response, live.totals())
    else if (resource !== 'stream') sendJson(response, live.request(resource.request))
    else if (request.method === 'HEAD') send(response, 200, 'text/event-stream', '')
    else live.stream(response, HEADERS)
  }

  /** @returns Why a request is refused; `undefined` if it may look. */
  async #refuse(native: Native, request: IncomingMessage): Promise<string | undefined> {
    if (!this.#authorize) {
      const refusal = refuseUnlessLocal(request, this.#hosts)
      return refusal && explainRefusal(refusal, this.#mounted)
    }
    try {
      return (await this.#authorize(native)) === true ? undefined : UNAUTHORIZED
    } catch {
      return UNAUTHORIZED
    }
  }
}

/**
 * Whether the browser says that another site's page sends a request. Only the page itself reads data, whoever
 * authorized it: a colleague's session is no reason to give data to what the colleague has open beside.
 */
function isOfOtherSite({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site']
  return site !== undefined && site !== 'same-origin' && site !== 'none'
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

function refuse(response: ServerResponse, resource: Resource, text: string): void {
  if (resource === 'page') send(response, 403, 'text/html', plainPage(text))
  else send(response, 403, 'text/plain', text)
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
