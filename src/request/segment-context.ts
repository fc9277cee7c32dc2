import type { WalkerOS } from '@walkeros/core'
import type { SegmentContext } from '../model/segment-call.js'
import type { TrackedRequest } from '../model/tracked-request.js'
import { readCampaign, readClickIds, type SegmentCampaign, type SegmentReferrer } from './campaign.js'
import { readIp, readLocale, readUserAgent } from './network.js'
import { locatePage, type PageLocation, type SegmentPage, toSegmentPage } from './page.js'

/**
 * The parts of Segment's `context` that describe the request. Segment itself fills them in only for events from browsers
 * and apps. Every part is on by default.
 */
export interface RequestContextOptions {
  /**
   * The client's address, as the framework's own proxy settings give it (`trust proxy` in Express, `proxy` in Koa).
   * `'anonymize'` cuts IPv4 to 24 bits and IPv6 to 48; `false` leaves it out. Defaults to `true`.
   */
  readonly ip?: boolean | 'anonymize'
  /** The `User-Agent` header, cut at 512 characters. Defaults to `true`. */
  readonly userAgent?: boolean
  /** The client's preferred language. Defaults to `true`. */
  readonly locale?: boolean
  /**
   * The page and the referrer: origin, path, and of the query `utm_*` and the parameters that `query` names. A click id
   * that `query` names stays in the address whatever the consent. Defaults to `true`.
   *
   * E-mail addresses in a path are masked; other secrets in it are not recognised. If your paths carry some, use `false`.
   */
  readonly page?: boolean | { readonly query: readonly string[] }
  /** The campaign from `utm_*` and, with consent to `marketing`, click ids such as `gclid`. Defaults to `true`. */
  readonly campaign?: boolean
}

const NO_NAMES: readonly string[] = []

/** The parts of Segment's `context` that all events of a request share, whatever their consent. */
export interface RequestContext {
  readonly ip: string | undefined
  readonly userAgent: string | undefined
  readonly locale: string | undefined
  readonly page: SegmentPage | undefined
  readonly campaign: SegmentCampaign | undefined
  /** Sent only with consent to `marketing`. */
  readonly referrer: SegmentReferrer | undefined
}

/**
 * Reads the shared parts of `context` from a request, once for all of its events.
 *
 * @param request - The request.
 * @param options - The parts to read.
 */
export function readRequestContext(request: TrackedRequest, options: RequestContextOptions): RequestContext {
  const { headers } = request
  const { ip = true, userAgent = true, locale = true, page = true, campaign = true } = options
  const allowed = allowedIn(page)
  const location = page !== false || campaign ? locatePage(request, allowed) : undefined
  return {
    ip: readIp(request.ip, ip),
    userAgent: userAgent ? readUserAgent(headers['user-agent']) : undefined,
    locale: locale ? readLocale(headers['accept-language']) : undefined,
    page: location && page !== false ? toSegmentPage(location, allowed) : undefined,
    campaign: location && campaign ? readCampaign(location.page.query) : undefined,
    referrer: location && campaign ? readClickIds(location.page.query) : undefined,
  }
}

/** The same context at another page than the request's own. */
export function locatedAt(
  read: RequestContext,
  location: PageLocation,
  { page = true, campaign = true }: RequestContextOptions,
): RequestContext {
  const { query } = location.page
  return {
    ip: read.ip,
    userAgent: read.userAgent,
    locale: read.locale,
    page: page === false ? undefined : toSegmentPage(location, allowedIn(page)),
    campaign: campaign ? readCampaign(query) : undefined,
    referrer: campaign ? readClickIds(query) : undefined,
  }
}

/** The names of the parameters that a page's address may keep beside those of campaigns. */
export function allowedIn(page: RequestContextOptions['page']): readonly string[] {
  return typeof page === 'object' ? page.query : NO_NAMES
}

/**
 * Makes Segment's `context` of an event: `ip`, `userAgent`, `locale`, `page`, `campaign` and `referrer`. Unknown parts are
 * left out.
 *
 * Source: Segment, Spec: Common, "Context".
 *
 * @param consent - The event's consent state: click ids need `marketing` to be granted.
 * @returns A new object with new objects in it: the client keeps it and writes into it.
 *
 * @example
 * toSegmentContext(readRequestContext(request, { ip: 'anonymize', page: { query: ['q'] } }), { marketing: false })
 */
export function toSegmentContext(read: RequestContext, consent: WalkerOS.Consent): SegmentContext {
  const { ip, userAgent, locale, page, campaign, referrer } = read
  const context: SegmentContext = {}
  if (ip !== undefined) context.ip = ip
  if (userAgent !== undefined) context.userAgent = userAgent
  if (locale !== undefined) context.locale = locale
  if (page) context.page = { ...page }
  if (campaign) context.campaign = { ...campaign }
  if (referrer && Object.hasOwn(consent, 'marketing') && consent.marketing === true)
    context.referrer = { ...referrer }
  return context
}
