import { defaultClickIds } from '@walkeros/core'
import type { TrackedRequest } from '../model/tracked-request.js'

/** Where a visitor is: the `page` of Segment's context. */
export interface SegmentPage {
  /** Origin, path and what is left of the query. */
  url: string
  path: string
  /** What is left of the query, with its `?`; not there if nothing is. */
  search?: string
  /** Where the visitor came from, cut as `url` is. */
  referrer?: string
}

/** What brought a visitor here: the `campaign` of Segment's context, `utm_campaign` as its `name`. */
export type SegmentCampaign = Record<string, string>

/** The ad that a visitor clicked: the `referrer` of Segment's context, and each click id under its own name. */
export interface SegmentReferrer {
  /** The platform of the ad, such as `google`. */
  type: string
  /** The click id of that platform. */
  id: string
  [parameter: string]: string
}

/** One parameter of a query, its name and value as they were sent. */
export interface QueryParameter {
  readonly name: string
  readonly value: string
}

/** A page's address in parts, nothing cut from path and query yet. */
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

/** Longer paths are generated to do harm, or hold data. */
const MAX_PATH_LENGTH = 1024
/** What begins beyond it in a query is not looked at. */
const MAX_QUERY_LENGTH = 2048
/** The longest parameter of use, a click id, is half as long. */
const MAX_VALUE_LENGTH = 512
/** Chrome sends no longer one: it cuts it down to the origin. */
const MAX_REFERER_LENGTH = 4096

/**
 * Scheme, user and password (left out), host, path and query of an address in printable ASCII, the only characters that
 * browsers send. The character classes of neighbours exclude each other or end at a fixed character, so it runs in one go.
 */
const ADDRESS =
  /^((?:https?|android-app):\/\/)(?:[^/?#@]*@)?([a-z0-9.:[\]_-]+)(\/[!"$->@-~]*)?(\?[!"$-~]*)?(?:#.*)?$/i
/** An `@` after something and before a domain that ends in letters, so that versions (`core@4.2.1`) are none. */
const EMAIL = /[^@]@[^@]*\.(?:[\p{L}%]{2}|%\d)/u
/** An `@` and a dot, however often they were percent-encoded. */
const ENCODED_AT = /%(?:25)*40/g
const ENCODED_DOT = /%(?:25)*2e/gi
/** What a path without needs no closer look. */
const SUSPICIOUS = /[@;]|%(?:25)*40/
const CONTROL_CHARACTER = /\p{Cc}/u
const CAMPAIGN_PREFIX = 'utm_'
const CAMPAIGN_MEMBER = /^[a-z][a-z0-9_-]{0,31}$/

/** How `Sec-Fetch-Dest` says that a page is loaded, by itself or in a frame. */
const DOCUMENT_DESTINATIONS = new Set(['document', 'iframe', 'frame', 'fencedframe', 'object', 'embed'])

/** The best known first, as walkerOS has them; `gclsrc` says which kind of `gclid` there is and is no id. */
const CLICK_IDS = defaultClickIds.filter(({ param }) => param !== 'gclsrc')
const CLICK_ID_NAMES = new Set(CLICK_IDS.map(({ param }) => param))

/**
 * Makes Segment's `page` of a request: what address the visitor's page has, and where they came from.
 *
 * Of a query only `utm_*` and the names that are allowed are left; tokens and personal data stay here. Parameters with
 * an e-mail address go even then, an e-mail address as a part of the path becomes `:email`, and matrix parameters
 * (`;jsessionid=…`), user and password of an address go, too. What else a path may hold cannot be told: where paths carry
 * secrets (`/reset/4f9c…`), switch the page off with `context: { page: false }`.
 *
 * @param request - The request.
 * @param options - `query`: names of parameters that are kept, spelled as in the URL.
 * @returns The page, or `undefined` where the request does not tell it.
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
 * Finds the page that a request is about: the requested address where a page is loaded, else the one that the request was
 * sent from. A script's request has no referrer, for its `Referer` is the page.
 *
 * Whether a page is loaded says `Sec-Fetch-Dest`; in browsers without it, and on plain HTTP, the type that is accepted.
 * Where neither does (`Accept: *\/*`), a script's request is known by `Origin` or by a `Referer` of the same host.
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

/** Makes Segment's `page` of a location, without what must not leave: see {@link readPage}. */
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
 * Reads the campaign from the `utm_*` parameters of a page's query: each under the rest of its name, `utm_campaign` under
 * `name`. The first of several with one name counts, and names are case-sensitive, as in analytics.js and in walkerOS.
 *
 * @returns The campaign, or `undefined` where the query names none.
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
    campaign[member] = text
  }
  return campaign
}

/**
 * Reads the click ids of advertising platforms (`gclid`, `fbclid`, `msclkid` and others that walkerOS knows) from a page's
 * query. They tell people apart: only with consent to marketing may they be read.
 *
 * Source: Segment, Spec: Common, `context.referrer`: `type` is the platform, `id` the click.
 *
 * @returns The click of the best known platform, and each click id under its own name; `undefined` where there is none.
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
 * Splits a query into its parameters, nothing decoded. Those without a value, with one of more than 512 characters, and
 * those that begin after the first 2048 characters are left out.
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

/** Whether a page is loaded, or `undefined` where the request does not say. */
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

/** Under which name a parameter belongs to the campaign, if it does. */
function campaignMember(name: string): string | undefined {
  if (!name.startsWith(CAMPAIGN_PREFIX)) return undefined
  const rest = name.slice(CAMPAIGN_PREFIX.length)
  if (rest === 'campaign') return 'name'
  return rest !== 'name' && CAMPAIGN_MEMBER.test(rest) ? rest : undefined
}

/** What a parameter says, or `undefined` where it is malformed, or an e-mail address is in it. */
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
