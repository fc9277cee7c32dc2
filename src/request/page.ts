import { defaultClickIds } from '@walkeros/core'
import type { TrackedRequest } from '../model/tracked-request.js'
import { setMember } from '../model/values.js'

/** Where a visitor is: the `page` of Segment's context. */
export interface SegmentPage {
  /** Origin, path and the rest of the query. */
  url: string
  path: string
  /** The rest of the query with its `?`; absent if nothing is left. */
  search?: string
  /** Where the visitor came from, cut as `url` is. */
  referrer?: string
}

/** The campaign that brought a visitor: Segment's `context.campaign`, with `utm_campaign` as its `name`. */
export type SegmentCampaign = Record<string, string>

/** The ad that a visitor clicked: the `referrer` of Segment's context, and each click id under its own name. */
export interface SegmentReferrer {
  /** The platform of the ad, such as `google`. */
  type: string
  /** The click id of that platform. */
  id: string
  [parameter: string]: string
}

/** A query parameter; name and value are not decoded. */
export interface QueryParameter {
  readonly name: string
  readonly value: string
}

/** A page's address in parts; path and query are complete. */
export interface PageAddress {
  readonly origin: string
  readonly path: string
  readonly query: readonly QueryParameter[]
}

/** The page that a request is about, and the one before it. */
export interface PageLocation {
  readonly page: PageAddress
  readonly referrer?: PageAddress
}

/** Longer paths are hostile, or hold data. */
const MAX_PATH_LENGTH = 1024
/** Parameters that begin after it are ignored. */
const MAX_QUERY_LENGTH = 2048
/** Twice the length of the longest useful parameter, a click id. */
const MAX_VALUE_LENGTH = 512
/** Chrome cuts a longer one down to the origin. */
const MAX_REFERER_LENGTH = 4096

/**
 * Matches scheme, user and password (not captured), host, path and query of an address in printable ASCII, the only
 * characters that browsers send. Neighbouring classes exclude each other or end at a fixed character, so it runs in linear time.
 */
const ADDRESS =
  /^((?:https?|android-app):\/\/)(?:[^/?#@]*@)?([a-z0-9.:[\]_-]+)(\/[!"$->@-~]*)?(\?[!"$-~]*)?(?:#.*)?$/i
/** An `@` after something and before a domain that ends in letters, so that versions (`core@4.2.1`) are none. */
const EMAIL = /[^@]@[^@]*\.(?:[\p{L}%]{2}|%\d)/u
/** An `@` and a dot, however often they were percent-encoded. */
const ENCODED_AT = /%(?:25)*40/g
const ENCODED_DOT = /%(?:25)*2e/gi
/** A path without a match needs no masking. */
const SUSPICIOUS = /[@;]|%(?:25)*40/
const CONTROL_CHARACTER = /\p{Cc}/u
const CAMPAIGN_PREFIX = 'utm_'
const CAMPAIGN_MEMBER = /^[a-z][a-z0-9_-]{0,31}$/

/** The values of `Sec-Fetch-Dest` for the load of a page, in a window or in a frame. */
const DOCUMENT_DESTINATIONS = new Set(['document', 'iframe', 'frame', 'fencedframe', 'object', 'embed'])

/** In walkerOS's order, the best known first; `gclsrc` is no id: it names the kind of a `gclid`. */
const CLICK_IDS = defaultClickIds.filter(({ param }) => param !== 'gclsrc')
const CLICK_ID_NAMES = new Set(CLICK_IDS.map(({ param }) => param))

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
  const location = locatePage(request)
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
 */
export function locatePage(request: TrackedRequest): PageLocation | undefined {
  const { headers } = request
  const referrer = parseAddress(headers.referer)
  const loadsPage = loadsDocument(headers) ?? !comesFromScript(request, referrer)
  if (!loadsPage) return referrer?.origin.startsWith('http') ? { page: referrer } : undefined
  const { origin, pathname, search } = request.url
  if (pathname.length > MAX_PATH_LENGTH) return undefined
  return { page: { origin, path: pathname, query: parseQuery(search) }, ...(referrer && { referrer }) }
}

/** Makes Segment's `page` of a location; {@link readPage} says which parts are removed. */
export function toSegmentPage(location: PageLocation, allowed: readonly string[]): SegmentPage {
  const { page, referrer } = location
  const path = cutPath(page.path)
  const search = cutQuery(page.query, allowed)
  const result: SegmentPage = { url: `${page.origin}${path}${search}`, path }
  if (search !== '') result.search = search
  if (referrer) {
    result.referrer = `${referrer.origin}${cutPath(referrer.path)}${cutQuery(referrer.query, allowed)}`
  }
  return result
}

/**
 * Reads the campaign from the `utm_*` parameters of a page's query: each under its name without the prefix, `utm_campaign`
 * under `name`. The first of several parameters with one name wins, and names are case-sensitive, as in analytics.js and
 * in walkerOS.
 *
 * @returns The campaign, or `undefined` if the query names none.
 *
 * @example
 * readCampaign(parseQuery('?utm_campaign=summer&utm_source=mail')) // { name: 'summer', source: 'mail' }
 */
export function readCampaign(query: readonly QueryParameter[]): SegmentCampaign | undefined {
  let campaign: SegmentCampaign | undefined
  for (const { name, value } of query) {
    const member = campaignMember(name)
    if (member === undefined || (campaign && Object.hasOwn(campaign, member))) continue
    const text = textOf(value)
    if (text === undefined) continue
    campaign ??= {}
    setMember(campaign, member, text)
  }
  return campaign
}

/**
 * Reads the click ids of advertising platforms (`gclid`, `fbclid`, `msclkid` and others that walkerOS knows) from a page's
 * query. They identify people, so they may be sent only with consent to marketing.
 *
 * Source: Segment, Spec: Common, `context.referrer`: `type` is the platform, `id` the click.
 *
 * @returns The click of the best known platform, and each click id under its own name; `undefined` if there is none.
 *
 * @example
 * readClickIds(parseQuery('?fbclid=F1&gclid=G1')) // { type: 'google', id: 'G1', gclid: 'G1', fbclid: 'F1' }
 */
export function readClickIds(query: readonly QueryParameter[]): SegmentReferrer | undefined {
  const found = new Map<string, string>()
  for (const { name, value } of query) {
    const parameter = name.toLowerCase()
    if (!CLICK_ID_NAMES.has(parameter) || found.has(parameter)) continue
    const text = textOf(value)
    if (text !== undefined) found.set(parameter, text)
  }
  let referrer: SegmentReferrer | undefined
  for (const { param, platform } of found.size > 0 ? CLICK_IDS : []) {
    const id = found.get(param)
    if (id === undefined) continue
    referrer ??= { type: platform, id }
    referrer[param] = id
  }
  return referrer
}

/**
 * Splits a query into its parameters, without decoding them. Parameters without a value, with a value of more than 512
 * characters, or after the first 2048 characters are left out.
 *
 * @param search - The query with its `?`, as `URL.search` gives it.
 */
export function parseQuery(search: string): QueryParameter[] {
  const parameters: QueryParameter[] = []
  for (let start = 1; start < search.length && start < MAX_QUERY_LENGTH; ) {
    const ampersand = search.indexOf('&', start)
    const end = ampersand === -1 ? search.length : ampersand
    const equals = search.indexOf('=', start)
    const valueLength = end - equals - 1
    if (equals > start && valueLength > 0 && valueLength <= MAX_VALUE_LENGTH) {
      parameters.push({ name: search.slice(start, equals), value: search.slice(equals + 1, end) })
    }
    start = end + 1
  }
  return parameters
}

function parseAddress(text: string | undefined): PageAddress | undefined {
  if (text === undefined || text.length > MAX_REFERER_LENGTH) return undefined
  const [, scheme, host, path = '/', search = ''] = ADDRESS.exec(text) ?? []
  if (scheme === undefined || host === undefined || path.length > MAX_PATH_LENGTH) return undefined
  return { origin: `${scheme}${host}`, path, query: parseQuery(search) }
}

/** Whether a request loads a page; `undefined` if its headers do not say. */
export function loadsDocument(headers: TrackedRequest['headers']): boolean | undefined {
  const destination = headers['sec-fetch-dest']
  if (typeof destination === 'string') return DOCUMENT_DESTINATIONS.has(destination)
  if (headers['x-requested-with'] === 'XMLHttpRequest') return false
  const { accept } = headers
  if (accept === undefined || accept === '*/*') return undefined
  return accept.includes('text/html') || accept.includes('application/xhtml+xml')
}

/** A script's request to another origin has an `Origin`; one to its own has the page of that origin as `Referer`. */
function comesFromScript(request: TrackedRequest, referrer: PageAddress | undefined): boolean {
  return request.headers.origin !== undefined || referrer?.origin.endsWith(`://${request.url.host}`) === true
}

function cutPath(path: string): string {
  return SUSPICIOUS.test(path) ? path.split('/').map(cutSegment).join('/') : path
}

function cutSegment(segment: string): string {
  if (holdsEmail(segment)) return ':email'
  const semicolon = segment.indexOf(';')
  return semicolon === -1 ? segment : segment.slice(0, semicolon)
}

function cutQuery(query: readonly QueryParameter[], allowed: readonly string[]): string {
  let kept = ''
  for (const { name, value } of query) {
    if (campaignMember(name) === undefined && !allowed.includes(name)) continue
    if (!holdsEmail(value)) kept += `${kept === '' ? '?' : '&'}${name}=${value}`
  }
  return kept
}

/** The member of the campaign that a parameter sets; `undefined` if it sets none. */
function campaignMember(name: string): string | undefined {
  if (!name.startsWith(CAMPAIGN_PREFIX)) return undefined
  const rest = name.slice(CAMPAIGN_PREFIX.length)
  if (rest === 'campaign') return 'name'
  return rest !== 'name' && CAMPAIGN_MEMBER.test(rest) ? rest : undefined
}

/** The decoded value of a parameter; `undefined` if it is malformed or holds an e-mail address. */
function textOf(value: string): string | undefined {
  let text = value.includes('+') ? value.replaceAll('+', ' ') : value
  if (text.includes('%')) {
    try {
      text = decodeURIComponent(text)
    } catch {
      return undefined
    }
  }
  return CONTROL_CHARACTER.test(text) || holdsEmail(text) ? undefined : text
}

function holdsEmail(text: string): boolean {
  return SUSPICIOUS.test(text) && EMAIL.test(text.replace(ENCODED_AT, '@').replace(ENCODED_DOT, '.'))
}
