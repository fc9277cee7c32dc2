import { defaultClickIds } from '@walkeros/core'
import { setMember } from '../model/values.js'
import { holdsEmail } from './email.js'
import { percentDecoded } from './percent.js'
import type { QueryParameter } from './query.js'

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

/** More parameters than any campaign has. Further ones are made to cost time and are not read. */
const MAX_READS = 32
/** A value that is malformed or holds an e-mail address takes the time of so many others. */
const UNREADABLE_READS = 4
const CONTROL_CHARACTER = /\p{Cc}/u
const CAMPAIGN_PREFIX = 'utm_'
const CAMPAIGN_MEMBER = /^[a-z][a-z0-9_-]{0,31}$/

/** In walkerOS's order, the best known first; `gclsrc` is no id: it names the kind of a `gclid`. */
const CLICK_IDS = defaultClickIds.filter(({ param }) => param !== 'gclsrc')
const CLICK_ID_NAMES = new Set(CLICK_IDS.map(({ param }) => param))
const SHORTEST_CLICK_ID_NAME = Math.min(...CLICK_IDS.map(({ param }) => param.length))
const LONGEST_CLICK_ID_NAME = Math.max(...CLICK_IDS.map(({ param }) => param.length))

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
  let reads = MAX_READS
  for (const { name, value } of query) {
    const member = campaignMember(name)
    if (member === undefined || (campaign && Object.hasOwn(campaign, member))) continue
    if (reads-- <= 0) break
    const text = textOf(value)
    if (text === undefined) {
      reads -= UNREADABLE_READS
      continue
    }
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
  let reads = MAX_READS
  for (const { name, value } of query) {
    const parameter = clickIdIn(name)
    if (parameter === undefined || found.has(parameter)) continue
    if (reads-- <= 0) break
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

/** Whether a parameter may be a part of the campaign, or the click of an ad. */
export function isOfCampaign(name: string): boolean {
  return name.startsWith(CAMPAIGN_PREFIX) || clickIdIn(name) !== undefined
}

/** The click id that a parameter holds, whose name is in whatever case. The length is compared first: it costs least. */
function clickIdIn(name: string): string | undefined {
  if (name.length < SHORTEST_CLICK_ID_NAME || name.length > LONGEST_CLICK_ID_NAME) return undefined
  const parameter = name.toLowerCase()
  return CLICK_ID_NAMES.has(parameter) ? parameter : undefined
}

/** The member of the campaign that a parameter sets; `undefined` if it sets none. */
export function campaignMember(name: string): string | undefined {
  if (!name.startsWith(CAMPAIGN_PREFIX)) return undefined
  const rest = name.slice(CAMPAIGN_PREFIX.length)
  if (rest === 'campaign') return 'name'
  return rest !== 'name' && CAMPAIGN_MEMBER.test(rest) ? rest : undefined
}

/** The decoded value of a parameter; `undefined` if it is malformed or holds an e-mail address. */
function textOf(value: string): string | undefined {
  const text = percentDecoded(value.includes('+') ? value.replaceAll('+', ' ') : value)
  return text === undefined || CONTROL_CHARACTER.test(text) || holdsEmail(text) ? undefined : text
}
