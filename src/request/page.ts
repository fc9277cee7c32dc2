import type { SentPage } from '../model/sent-facts.js'
import type { TrackedRequest } from '../model/tracked-request.js'
import { campaignMember, isOfCampaign } from './campaign.js'
import { holdsEmail, mayHoldEmail } from './email.js'
import { parseQuery, type QueryParameter } from './query.js'

/** Where a visitor is: the `page` of Segment's context. */
export interface SegmentPage {
  /** Origin, path and the rest of the query. */
  url: string
  path: string
  /** The rest of the query with its `?`; absent if nothing is left. */
  search?: string
  /** Where the visitor came from, cut as `url` is. */
  referrer?: string
  /** Its title, where a browser names it. */
  title?: string
}

/** A page's address in parts; the path is complete. */
export interface PageAddress {
  readonly origin: string
  readonly path: string
  /** The parameters that are read or may be sent. */
  readonly query: readonly QueryParameter[]
}

/** The page that a request is about, and the one before it. */
export interface PageLocation {
  readonly page: PageAddress
  readonly referrer?: PageAddress | undefined
  readonly title?: string | undefined
}

/** Longer paths are hostile, or hold data. */
const MAX_PATH_LENGTH = 1024
/** Of a path or query so many parts are kept that may hold an e-mail address. */
const MAX_CHECKS = 32
/** A parameter that holds an address takes the time of so many others: a query of nothing else is made to cost it. */
const EMAIL_CHECKS = 4
const MATRIX_PARAMETERS = /;[^/]*/g
/** Longer than any that search engines show. */
const MAX_TITLE_LENGTH = 256
/** Chrome cuts a longer one down to the origin. */
const MAX_REFERER_LENGTH = 4096

/**
 * Matches scheme, user and password (not captured), host, path and query of an address in printable ASCII, the only
 * characters that browsers send. Neighbouring classes exclude each other or end at a fixed character, so it runs in linear time.
 */
const ADDRESS =
  /^((?:https?|android-app):\/\/)(?:[^/?#@]*@)?([a-z0-9.:[\]_-]+)(\/[!"$->@-~]*)?(\?[!"$-~]*)?(?:#.*)?$/i
/** The values of `Sec-Fetch-Dest` for the load of a page, in a window or in a frame. */
const DOCUMENT_DESTINATIONS = new Set(['document', 'iframe', 'frame', 'fencedframe', 'object', 'embed'])

/** More than browsers send. */
const MAX_ACCEPT_LENGTH = 512
/** Longer than any word that a header is compared with. */
const MAX_TOKEN_LENGTH = 32
/** What XMLHttpRequest's libraries and wrappers of `fetch` send as `X-Requested-With`. */
const SCRIPT_LIBRARIES = new Set(['xmlhttprequest', 'fetch'])
/** The marks of htmx, Turbo, pjax, Unpoly, Inertia, Livewire, Alpine AJAX and Datastar. */
const FRAGMENT_HEADERS = [
  'hx-request',
  'turbo-frame',
  'x-turbo-request-id',
  'x-pjax',
  'x-up-version',
  'x-inertia',
  'x-livewire',
  'x-alpine-request',
  'datastar-request',
]

/**
 * Makes Segment's `page` of a request: the address of the visitor's page, and the page before it.
 *
 * The query is cut down to `utm_*` and the allowed names, so that tokens and personal data do not leave. Parameters with an
 * e-mail address are removed even then. In the path, a segment with an e-mail address becomes `:email`, and matrix
 * parameters (`;jsessionid=…`) are removed. So are user and password of an address. Other secrets in a path are not
 * recognised: if your paths carry some (`/reset/4f9c…`), switch the page off with `context: { page: false }`.
 *
 * @param request - The request.
 * @param options - `query`: names of parameters to keep, spelled as in the URL.
 * @returns The page, or `undefined` if the request does not say which it is.
 *
 * @example
 * // GET https://shop.example/find?q=shoes&utm_source=mail&token=s3cret
 * readPage(request, { query: ['q'] })
 * // { url: 'https://shop.example/find?q=shoes&utm_source=mail', path: '/find', search: '?q=shoes&utm_source=mail' }
 */
export function readPage(
  request: TrackedRequest,
  options: { readonly query: readonly string[] },
): SegmentPage | undefined {
  const location = locatePage(request, options.query)
  return location && toSegmentPage(location, options.query)
}

/**
 * Finds the page that a request is about: the requested address if it loads a page, else the page that sent the request.
 * A script's request has no referrer, because its `Referer` is the page.
 *
 * `Sec-Fetch-Dest` says whether a page is loaded; in browsers without it, and on plain HTTP, `Accept` does. If neither
 * does (`Accept: *\/*`), `Origin` or a `Referer` of the same host marks a script's request.
 *
 * Source: Fetch, "Sec-Fetch-Dest"; "default `Accept` header value".
 *
 * @param allowed - The names of the parameters that may be sent beside those of campaigns.
 */
export function locatePage(
  request: TrackedRequest,
  allowed: readonly string[] = [],
): PageLocation | undefined {
  const { headers } = request
  const referrer = parseAddress(headers.referer, allowed)
  if (!loadsPageFrom(request, referrer))
    return referrer?.origin.startsWith('http') ? { page: referrer } : undefined
  const { origin, pathname, search } = request.url
  if (pathname.length > MAX_PATH_LENGTH) return undefined
  const query = parseQuery(search, isRead, allowed)
  return { page: { origin, path: pathname, query }, ...(referrer && { referrer }) }
}

/**
 * Finds the page that a browser names; `undefined` if that is no address of a web page.
 *
 * @param allowed - The names of the parameters that may be sent beside those of campaigns.
 */
export function locateSent(
  { url, referrer, title }: SentPage,
  allowed: readonly string[],
): PageLocation | undefined {
  const page = parseAddress(url, allowed)
  if (!page?.origin.startsWith('http')) return undefined
  return {
    page,
    referrer: parseAddress(referrer, allowed),
    title: title !== undefined ? titleOf(title) : undefined,
  }
}

/** A page's title; a mailbox names it after the sender, and such a title is left out. */
function titleOf(title: string): string | undefined {
  const text = title.slice(0, MAX_TITLE_LENGTH)
  return text === '' || holdsEmail(text) ? undefined : text
}

/** Makes Segment's `page` of a location; {@link readPage} says which parts are removed. */
export function toSegmentPage(location: PageLocation, allowed: readonly string[]): SegmentPage {
  const { page, referrer, title } = location
  const path = cutPath(page.path)
  const search = cutQuery(page.query, allowed)
  const result: SegmentPage = { url: `${page.origin}${path}${search}`, path }
  if (search !== '') result.search = search
  if (referrer) {
    result.referrer = `${referrer.origin}${cutPath(referrer.path)}${cutQuery(referrer.query, allowed)}`
  }
  if (title !== undefined) result.title = title
  return result
}

function isRead(name: string, allowed: readonly string[]): boolean {
  return isOfCampaign(name) || allowed.includes(name)
}

function parseAddress(text: string | undefined, allowed: readonly string[] = []): PageAddress | undefined {
  if (text === undefined || text.length > MAX_REFERER_LENGTH) return undefined
  const [, scheme, host, path = '/', search = ''] = ADDRESS.exec(text) ?? []
  if (scheme === undefined || host === undefined || path.length > MAX_PATH_LENGTH) return undefined
  return { origin: `${scheme}${host}`, path, query: parseQuery(search, isRead, allowed) }
}

/** Whether a request loads a page, in a window or in a frame, rather than data or a part of a page for a script. */
export function loadsPage(request: TrackedRequest): boolean {
  return loadsPageFrom(request, parseAddress(request.headers.referer))
}

function loadsPageFrom(request: TrackedRequest, referrer: PageAddress | undefined): boolean {
  return loadsDocument(request.headers) ?? !comesFromScript(request, referrer)
}

/** Whether a request loads a page; `undefined` if its headers do not say. */
export function loadsDocument(headers: TrackedRequest['headers']): boolean | undefined {
  const destination = headers['sec-fetch-dest']
  if (typeof destination === 'string') return isAmong(DOCUMENT_DESTINATIONS, destination)
  if (isMarkedByScript(headers)) return false
  const accept = headers.accept?.slice(0, MAX_ACCEPT_LENGTH)
  if (accept === undefined || accept === '*/*') return undefined
  return accept.includes('text/html') || accept.includes('application/xhtml+xml')
}

/** Whether a library says that it loads a part of a page. Android's WebView sends an app's name as `X-Requested-With`. */
function isMarkedByScript(headers: TrackedRequest['headers']): boolean {
  const library = headers['x-requested-with']
  if (typeof library === 'string' && isAmong(SCRIPT_LIBRARIES, library)) return true
  for (const name of FRAGMENT_HEADERS) if (headers[name] !== undefined) return true
  return false
}

/** Whether a header's value is one of some. Of a long one, even to look for it would cost time. */
function isAmong(values: ReadonlySet<string>, value: string): boolean {
  return value.length <= MAX_TOKEN_LENGTH && values.has(value.toLowerCase())
}

/** A script's request to another origin has an `Origin`; one to its own has the page of that origin as `Referer`. */
function comesFromScript(request: TrackedRequest, referrer: PageAddress | undefined): boolean {
  return request.headers.origin !== undefined || referrer?.origin.endsWith(`://${request.url.host}`) === true
}

/** Cuts matrix parameters off a path, and puts `:email` in place of a segment that holds an address. */
function cutPath(path: string): string {
  if (!holdsEmail(path)) return path.includes(';') ? path.replace(MATRIX_PARAMETERS, '') : path
  let checks = MAX_CHECKS
  // A path with more possible addresses is made to cost time: none of the others is looked into.
  const isAddress = (segment: string) => mayHoldEmail(segment) && (checks-- <= 0 || holdsEmail(segment))
  const masked = path.split('/').map((segment) => (isAddress(segment) ? ':email' : segment))
  return masked.join('/').replace(MATRIX_PARAMETERS, '')
}

function cutQuery(query: readonly QueryParameter[], allowed: readonly string[]): string {
  let kept = ''
  let checks = MAX_CHECKS
  for (const { name, value } of query) {
    if (campaignMember(name) === undefined && !allowed.includes(name)) continue
    if (checks-- <= 0) break
    if (holdsEmail(value)) checks -= EMAIL_CHECKS
    else kept += `${kept === '' ? '?' : '&'}${name}=${value}`
  }
  return kept
}
