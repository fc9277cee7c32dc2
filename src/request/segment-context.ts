import type { WalkerOS } from '@walkeros/core'
import type { SegmentContext } from '../segment-call.js'
import { readIp, readLocale, readUserAgent } from './network.js'
import { locatePage, readCampaign, readClickIds, toSegmentPage } from './page.js'
import type { TrackedRequest } from './tracked-request.js'

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

/**
 * Reads Segment's `context` from a request: `ip`, `userAgent`, `locale`, `page`, `campaign` and `referrer`. What the request
 * does not tell is left out.
 *
 * Source: Segment, Spec: Common, "Context".
 *
 * @param request - The request.
 * @param options - Which parts are read; `false` for none.
 * @param consent - The request's consent state: click ids need `marketing` to be granted.
 * @returns A new object each time, with objects of its own in it.
 *
 * @example
 * readSegmentContext(request, { ip: 'anonymize', page: { query: ['q'] } }, { marketing: false })
 */
export function readSegmentContext(
  request: TrackedRequest,
  options: RequestContextOptions | false,
  consent: WalkerOS.Consent,
): SegmentContext {
  const context: SegmentContext = {}
  if (options === false) return context
  const { headers } = request
  const { ip = true, userAgent = true, locale = true, page = true, campaign = true } = options

  const address = readIp(request.ip, ip)
  if (address !== undefined) context.ip = address
  const agent = userAgent ? readUserAgent(headers['user-agent']) : undefined
  if (agent !== undefined) context.userAgent = agent
  const language = locale ? readLocale(headers['accept-language']) : undefined
  if (language !== undefined) context.locale = language

  const location = page !== false || campaign ? locatePage(request) : undefined
  if (!location) return context
  if (page !== false) context.page = toSegmentPage(location, page === true ? NO_NAMES : page.query)
  if (campaign) addCampaign(context, location.page.query, consent)
  return context
}

function addCampaign(
  context: SegmentContext,
  query: Parameters<typeof readCampaign>[0],
  consent: WalkerOS.Consent,
): void {
  const campaign = readCampaign(query)
  if (campaign) context.campaign = campaign
  const marketing = Object.hasOwn(consent, 'marketing') && consent.marketing === true
  const referrer = marketing ? readClickIds(query) : undefined
  if (referrer) context.referrer = referrer
}
