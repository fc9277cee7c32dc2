import type { GivenEvent } from '../model/event.js'
import { toId } from '../model/identity.js'
import type { DirectCall } from '../model/segment-call.js'
import type { SentPage } from '../model/sent-facts.js'
import { isRecord, setMember } from '../model/values.js'
import type { SegmentPage } from '../request/page.js'
import { refusedCategories } from './sent-consent.js'
import { keyOf, type Reading, type SentEvent, sentAnonymousId } from './sent-event.js'
import { sentTime } from './sent-time.js'

type Call = Readonly<Record<string, unknown>>

/** An event, and whether browsers may track it. */
type Asked = Pick<SentEvent, 'given' | 'direct' | 'isAllowed'>

/** The members of a page's properties that analytics.js fills with its address. */
const ADDRESS_MEMBERS: readonly (keyof SegmentPage)[] = ['url', 'path', 'search', 'referrer']

/**
 * Reads a call of Segment's analytics.js. What it says of the person, of grants, and in `context` beside the page is not
 * believed.
 *
 * @param type - By the address that the call was sent to; in a batch by the call itself.
 * @param sentAt - When it was sent, by the client's clock.
 * @returns `undefined` for what is no call.
 */
export function readSegmentCall(
  type: unknown,
  call: unknown,
  sentAt: unknown,
  reading: Reading,
): SentEvent | undefined {
  if (!isRecord(call)) return undefined
  const page = pageOf(call.context)
  const asked = askedBy(type, call, page, reading)
  if (!asked) return undefined
  const anonymousId = sentAnonymousId(call.anonymousId, reading)
  return {
    ...asked,
    given: {
      ...asked.given,
      consent: refusedCategories(call.context, reading.categories),
      timestamp: sentTime(call.timestamp, sentAt, reading.arrivedAt),
      key: keyOf(call.messageId, anonymousId, reading),
    },
    facts: { anonymousId, page },
  }
}

function askedBy(type: unknown, call: Call, page: SentPage | undefined, reading: Reading): Asked | undefined {
  switch (type) {
    case 'track':
      return trackOf(call, reading)
    case 'page':
    case 'screen':
      return viewOf(type, call, page, reading)
    case 'identify':
      return identifyOf(call, reading)
    case 'group':
      return groupOf(call, reading)
    case 'alias':
      // Whoever can write it can make one person of two.
      return { given: { name: 'user alias' }, direct: undefined, isAllowed: false }
    default:
      return undefined
  }
}

function trackOf({ event, properties }: Call, { allows }: Reading): Asked | undefined {
  if (typeof event !== 'string') return undefined
  return { given: { name: event, data: properties }, direct: undefined, isAllowed: allows(event) }
}

function viewOf(type: 'page' | 'screen', call: Call, page: SentPage | undefined, reading: Reading): Asked {
  const category = toId(call.category)
  const name = toId(call.name)
  const direct: DirectCall = {
    type,
    ...(category !== undefined && { category }),
    ...(name !== undefined && { name }),
  }
  const viewed = `${type} view`
  const given: GivenEvent = { name: viewed, data: cutAddress(call.properties, page, reading) }
  return { given, direct, isAllowed: reading.allows(viewed, direct) }
}

/** The request's own user, whoever the call names. */
function identifyOf({ traits }: Call, { rules }: Reading): Asked {
  const given = { name: 'user identify', data: picked(traits, rules.traits) }
  return { given, direct: { type: 'identify' }, isAllowed: rules.traits !== undefined }
}

function groupOf({ groupId, traits }: Call, { rules, groups }: Reading): Asked | undefined {
  const id = toId(groupId)
  if (id === undefined) return undefined
  const given = { name: 'user group', data: picked(traits, rules.groupTraits) }
  return { given, direct: { type: 'group', groupId: id }, isAllowed: groups.has(id) }
}

function picked(traits: unknown, allowed: ReadonlySet<string> | undefined): Record<string, unknown> {
  const kept: Record<string, unknown> = {}
  if (!isRecord(traits) || !allowed) return kept
  for (const name of allowed) if (Object.hasOwn(traits, name)) setMember(kept, name, traits[name])
  return kept
}

/** The properties of a page with its address cut as `context.page` is: analytics.js puts the whole of it there. */
function cutAddress(properties: unknown, page: SentPage | undefined, { cutPage }: Reading): unknown {
  if (!isRecord(properties)) return properties
  const kept: Record<string, unknown> = {}
  for (const name of Object.keys(properties))
    if (!ADDRESS_MEMBERS.some((member) => member === name)) setMember(kept, name, properties[name])
  const url = textOf(properties.url) ?? page?.url
  const cut = cutPage(url, textOf(properties.referrer) ?? page?.referrer)
  for (const name of ADDRESS_MEMBERS) if (cut?.[name] !== undefined) kept[name] = cut[name]
  return kept
}

function pageOf(context: unknown): SentPage | undefined {
  const page = isRecord(context) ? context.page : undefined
  if (!isRecord(page)) return undefined
  return { url: textOf(page.url), referrer: textOf(page.referrer), title: textOf(page.title) }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
