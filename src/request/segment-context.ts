import type { WalkerOS } from '@walkeros/core'
import type { SegmentContext } from '../model/segment-call.js'
import type { TrackedRequest } from '../model/tracked-request.js'
import { readIp, readLocale, readUserAgent } from './network.js'
import {
  locatePage,
  readCampaign,
  readClickIds,
  type SegmentCampaign,
  type SegmentPage,
  type SegmentReferrer,
  toSegmentPage,
} from './page.js'

/**
 * What Segment's `context` tells about the request that an event came of. Segment fills it in by itself only for events
 * from browsers and apps. Every part is there by default.
 */
export interface RequestContextOptions {
  /**
   * The client's address, as the framework's own proxy settings give it (`trust proxy` in Express, `proxy` in Koa).
   * `'anonymize'` cuts IPv4 to 24 bits and IPv6 to 48; `false` leaves it out. Defaults to `true`.
   */
  readonly ip?: boolean | 'anonymize'
  /** The `User-Agent` header, cut at 512 characters. Defaults to `true`. */
  readonly userAgent?: boolean
  /** The language that the client likes best. Defaults to `true`. */
  readonly locale?: boolean
  /**
   * The page: origin and path, of the query `utm_*` and the parameters that `query` names; the referrer likewise. A click
   * id that `query` names stays in the address whatever the consent. Defaults to `true`.
   *
   * E-mail addresses in a path are masked; other secrets in it are not known as such. Where paths carry some, use `false`.
   */
  readonly page?: boolean | { readonly query: readonly string[] }
  /** The campaign from `utm_*` and, with consent to `marketing`, click ids such as `gclid`. Defaults to `true`. */
  readonly campaign?: boolean
}

const NO_NAMES: readonly string[] = []

/** What a request tells for Segment's `context`, whatever the event and the consent. */
export interface RequestContext {
  readonly ip: string | undefined
  readonly userAgent: string | undefined
  readonly locale: string | undefined
  readonly page: SegmentPage | undefined
  readonly campaign: SegmentCampaign | undefined
  /** Needs consent to `marketing`. */
  readonly referrer: SegmentReferrer | undefined
}

/**
 * Reads from a request what its events' `context` is made of: once, since they all tell the same.
 *
 * @param request - The request.
 * @param options - Which parts are read.
 */
export function readRequestContext(request: TrackedRequest, options: RequestContextOptions): RequestContext {
  const { headers } = request
  const { ip = true, userAgent = true, locale = true, page = true, campaign = true } = options
  const location = page !== false || campaign ? locatePage(request) : undefined
  return {
    ip: readIp(request.ip, ip),
    userAgent: userAgent ? readUserAgent(headers['user-agent']) : undefined,
    locale: locale ? readLocale(headers['accept-language']) : undefined,
    page:
      location && page !== false ? toSegmentPage(location, page === true ? NO_NAMES : page.query) : undefined,
    campaign: location && campaign ? readCampaign(location.page.query) : undefined,
    referrer: location && campaign ? readClickIds(location.page.query) : undefined,
  }
}

/**
 * Makes Segment's `context` of an event: `ip`, `userAgent`, `locale`, `page`, `campaign` and `referrer`. What the request
 * does not tell is left out.
 *
 * Source: Segment, Spec: Common, "Context".
 *
 * @param consent - The event's consent state: click ids need `marketing` to be granted.
 * @returns A new object each time, with objects of its own in it: the client keeps it, and writes into it.
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
