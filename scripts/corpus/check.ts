import { isDeepStrictEqual } from 'node:util'
import type { WalkerOS } from '@walkeros/core'
import { type CategoryMap, type ConsentOptions, type Reader, signedInUser, tcf } from '../../src/index.js'
import type { TrackedRequest } from '../../src/model/tracked-request.js'
import { isRecord } from '../../src/model/values.js'
import { readCampaign, readClickIds } from '../../src/request/campaign.js'
import { globalPrivacyControl } from '../../src/request/consent/index.js'
import { locatePage } from '../../src/request/page.js'
import { readRequestContext } from '../../src/request/segment-context.js'
import { SenderReader } from '../../src/request/sender.js'
import { isBot, isPrefetch } from '../../src/request/skip.js'
import { parseTraceparent } from '../../src/request/trace.js'
import { isPromise } from '../../src/support/maybe.js'
import type { Item } from './item.js'
import { presentRequest } from './presented-request.js'
import { anonymousIdReaders, defaultAnonymousId, managersOf, optOuts } from './readers.js'

/** An item's request as readers see it, and the item. */
interface Case {
  readonly item: Item
  readonly request: TrackedRequest
}

/** How one field of `expect` is found out and compared. */
interface Check {
  readonly read: (given: Case) => unknown
  readonly matches?: (expected: unknown, read: unknown) => boolean
}

/** A category that no site has: an explicit record refuses it, as one that it does not mention. */
const UNHEARD_OF = 'reqtrack-unheard-of'
/** As many as TCF 2 has room for. */
const TCF_PURPOSES = Array.from({ length: 24 }, (_, index) => String(index + 1))
/** The best of several runs counts: the machine may be busy with something else in any one of them. */
const TIMED_RUNS = 3

const checks: Readonly<Record<string, Check>> = {
  // Says which readers the other fields are checked with.
  cmp: { read: ({ item }) => managersOf(item.expect.cmp).length, matches: () => true },
  userId: { read: ({ request }) => userIdOf(request) },
  anonymousId: {
    read: (given) => firstOf(anonymousIdReadersOf(given), given.request),
  },
  defaultAnonymousId: { read: ({ request }) => firstOf(defaultAnonymousId, request) },
  consent: { read: (given) => consentOf(given, mapOf(given)), matches: holds },
  implicit: {
    read: (given) => consentOf(given, { ...mapOf(given), explicitOnly: false }),
    matches: holds,
  },
  explicit: {
    read: (given) => managersConsent(given, { categories: { [UNHEARD_OF]: UNHEARD_OF } }) !== undefined,
  },
  categories: {
    read: (given) => {
      const categories = identityMap(Object.keys(Object(given.item.expect.categories)))
      return managersConsent(given, { categories, explicitOnly: false }) ?? {}
    },
    matches: (expected, read) => isRecord(expected) && holds(expected, read),
  },
  tcfPurposes: {
    read: ({ request }) => {
      const consent = tcf({ categories: identityMap(TCF_PURPOSES) })(request)
      return consent && TCF_PURPOSES.filter((purpose) => consent[purpose] === true).map(Number)
    },
  },
  gpc: { read: ({ request }) => globalPrivacyControl()(request) !== undefined },
  ip: { read: ({ item, request }) => readRequestContext(request, { ip: ipModeOf(item) }).ip },
  locale: { read: ({ request }) => readRequestContext(request, {}).locale },
  pageUrl: { read: ({ request }) => readRequestContext(request, {}).page, matches: isPageAt },
  marketing: { read: ({ request }) => marketingOf(request), matches: matchesMarketing },
  trace: { read: ({ request }) => parseTraceparent(request.headers.traceparent)?.trace },
  parentSpan: { read: ({ request }) => parseTraceparent(request.headers.traceparent)?.parent },
  bot: { read: ({ request }) => isBot(request) },
  prefetch: { read: ({ request }) => isPrefetch(request) },
  prototypePolluted: {
    read: (given) => {
      const before = Reflect.ownKeys(Object.prototype)
      readEverything(given)
      return !isDeepStrictEqual(Reflect.ownKeys(Object.prototype), before)
    },
  },
  maxMs: {
    read: ({ item }) => Math.min(...Array.from({ length: TIMED_RUNS }, () => msToRead(item))),
    matches: (expected, read) => typeof expected === 'number' && typeof read === 'number' && read <= expected,
  },
}

/** The fields of `expect` that can be checked. */
export const expectations: readonly string[] = Object.keys(checks)

/**
 * Reads an item's request and compares what was read with what the item expects.
 *
 * @returns What differs, in words; nothing where all holds.
 */
export function differencesOf(item: Item): string[] {
  const request = presentRequest(item)
  return Object.entries(item.expect).flatMap(([field, expected]) => {
    const check = Object.hasOwn(checks, field) ? checks[field] : undefined
    if (!check) return []
    try {
      const read = check.read({ item, request })
      const matches = check.matches ?? ((a, b) => isDeepStrictEqual(a ?? null, b ?? null))
      return matches(expected, read) ? [] : [`${field} is ${show(read)}, expected ${show(expected)}`]
    } catch (error) {
      return [`${field} could not be read: ${error instanceof Error ? error.message : String(error)}`]
    }
  })
}

function userIdOf(request: TrackedRequest): unknown {
  return firstOf([signedInUser()], request)
}

function firstOf(readers: readonly Reader<string>[], request: TrackedRequest): unknown {
  for (const reader of readers) {
    const id = reader(request)
    if (id !== undefined) return id
  }
}

function anonymousIdReadersOf({ item }: Case): readonly Reader<string>[] {
  return anonymousIdReaders(item.options.anonymousIdFrom, readerOptionsOf(item))
}

/** What the item's site tells its reader besides the map. */
function readerOptionsOf({ options }: Item): Readonly<Record<string, unknown>> {
  const { reader = {} } = options
  if (!isRecord(reader)) throw new TypeError('options.reader is not an object')
  return reader
}

function mapOf({ item }: Case): ConsentOptions {
  const { categoryMap } = item.options
  const given = readerOptionsOf(item)
  if (categoryMap === undefined) return given
  if (!isCategoryMap(categoryMap)) throw new TypeError('options.categoryMap is not an object of strings')
  return { ...given, categories: categoryMap }
}

function isCategoryMap(value: unknown): value is CategoryMap {
  const isKey = (key: unknown) => typeof key === 'string'
  return isRecord(value) && Object.values(value).every((keys) => isKey(keys) || Array.isArray(keys))
}

function identityMap(categories: readonly string[]): CategoryMap {
  return Object.fromEntries(categories.map((category) => [category, category]))
}

/** What the item's managers and the opt-outs come to, merged as a tracking merges them. */
function consentOf(given: Case, options: ConsentOptions): WalkerOS.Consent | undefined {
  return merged(given, [...managersOf(given.item.expect.cmp).map((manager) => manager(options)), ...optOuts])
}

function managersConsent(given: Case, options: ConsentOptions): WalkerOS.Consent | undefined {
  return merged(
    given,
    managersOf(given.item.expect.cmp).map((manager) => manager(options)),
  )
}

function merged({ request }: Case, consent: Reader<WalkerOS.Consent>[]): WalkerOS.Consent | undefined {
  const fault = (reader: string, error: unknown) => {
    throw new Error(`${reader} threw ${String(error)}`)
  }
  const read = new SenderReader({ consent }, fault).consent(request)
  if (isPromise(read)) throw new Error('a reader of consent is asynchronous')
  return Object.keys(read.state).length > 0 ? read.state : undefined
}

/** Whether all that is expected holds; `null` stands for no decision. */
function holds(expected: unknown, read: unknown): boolean {
  if (expected === null) return read === undefined
  if (!isRecord(expected)) return false
  const state = isRecord(read) ? read : {}
  return Object.entries(expected).every(
    ([key, value]) => ((Object.hasOwn(state, key) ? state[key] : null) ?? null) === value,
  )
}

function ipModeOf({ options }: Item): true | 'anonymize' {
  const { anonymizeIp = false } = options
  if (typeof anonymizeIp !== 'boolean') throw new TypeError('options.anonymizeIp is neither true nor false')
  return anonymizeIp ? 'anonymize' : true
}

function isPageAt(expected: unknown, page: unknown): boolean {
  return isRecord(page) ? page.url === expected : expected === null
}

/** The campaign and the clicks as a tracking tells them to Segment, under walkerOS's names for them. */
function marketingOf(request: TrackedRequest): Record<string, unknown> {
  const query = locatePage(request)?.page.query ?? []
  const { name, ...campaign } = readCampaign(query) ?? {}
  const { type, id, ...clicks } = readClickIds(query) ?? {}
  const clickId = Object.entries(clicks).find(([, value]) => value === id)?.[0]
  return {
    ...campaign,
    ...clicks,
    ...(name !== undefined && { campaign: name }),
    ...(clickId !== undefined && { clickId, platform: type }),
  }
}

/** Members that Segment has besides walkerOS's, such as `utm_id`, are no difference. */
function matchesMarketing(expected: unknown, read: unknown): boolean {
  if (!isRecord(read)) return false
  return Object.entries(expected ?? {}).every(([key, value]) => read[key] === value)
}

function msToRead(item: Item): number {
  const request = presentRequest(item)
  const before = process.cpuUsage()
  readEverything({ item, request })
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Reads all that there is to read of a request, with every reader. */
function readEverything({ item, request }: Case): void {
  userIdOf(request)
  firstOf(anonymousIdReadersOf({ item, request }), request)
  const everyManager = { item: { ...item, expect: {} }, request }
  consentOf(everyManager, {})
  consentOf(everyManager, { explicitOnly: false })
  isBot(request)
  isPrefetch(request)
  parseTraceparent(request.headers.traceparent)
  readRequestContext(request, {})
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}
