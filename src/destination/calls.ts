import type { WalkerOS } from '@walkeros/core'
import { type Identity, identityOf, toId } from '../model/identity.js'
import type {
  CallParams,
  CallType,
  CommonParams,
  DirectCall,
  SegmentCall,
  SegmentContext,
} from '../model/segment-call.js'
import { isRecord, plain } from '../model/values.js'
import { toCategoryPreferences } from './consent.js'
import type { Deduplication } from './deduplication.js'

/** What the calls of one event have in common. */
export interface CallFrame {
  readonly event: WalkerOS.Event
  readonly identity: Identity
  /** Segment's `context`, which the calls make their own. */
  readonly context: SegmentContext | undefined
  /** Unique for the event; each call's own messageId is made from it. Without it the client makes one up. */
  readonly messageId: string | undefined
}

/** What calls are made with, besides the event. */
export interface CallKit {
  readonly deduplication: Deduplication
  readonly consent: readonly (readonly [key: string, category: string])[] | undefined
  readonly integrations: CommonParams['integrations']
}

/** The calls that came of an event, in the order in which Segment has to see them. */
export interface MadeCalls {
  readonly calls: SegmentCall[]
  /** How many calls were spared because the same is known already. */
  readonly deduplicated: number
}

/** What the mappings of an event's calls beside `track()` resolved to. */
export interface MappedValues {
  readonly identify: unknown
  readonly group: unknown
  /** `true` for a page without anything. */
  readonly page: unknown
  /** `true` for a screen without anything. */
  readonly screen: unknown
}

/**
 * Makes the calls of an event: identify before group before page before screen before track.
 *
 * An `identify` mapping that resolves to neither a userId nor traits makes no call, and neither does a `group` mapping
 * without a groupId. A userId that it resolves to holds for the event's other calls, too.
 *
 * @param properties - Those of the `track()`; there is none where they are `undefined`.
 * @returns The calls, or `undefined` where there is nobody they could be about.
 */
export function makeMappedCalls(
  frame: CallFrame,
  { identify, group, page, screen }: MappedValues,
  properties: Record<string, unknown> | undefined,
  kit: CallKit,
): MadeCalls | undefined {
  const userId = isRecord(identify) ? toId(identify.userId) : undefined
  const maker = new CallMaker(frame, kit, userId)
  if (!maker.hasIdentity) return undefined
  if (isRecord(identify)) maker.identify(membersOf(identify.traits), userId !== undefined)
  if (isRecord(group)) maker.group(group)
  if (page === true || isRecord(page)) maker.view('page', page === true ? {} : page)
  if (screen === true || isRecord(screen)) maker.view('screen', screen === true ? {} : screen)
  if (properties) maker.track(properties)
  return maker.made
}

/**
 * Makes the one call that a tracker's own method asks for.
 *
 * @param data - The event's data: the traits or properties of the call.
 * @returns The call, or `undefined` where there is nobody it could be about: an alias needs a userId.
 */
export function makeDirectCall(
  frame: CallFrame,
  direct: DirectCall,
  data: Record<string, unknown>,
  kit: CallKit,
): MadeCalls | undefined {
  const maker = new CallMaker(frame, kit)
  if (!maker.hasIdentity || (direct.type === 'alias' && frame.identity.userId === undefined)) return undefined
  const filled = Object.keys(data).length > 0 ? data : undefined
  switch (direct.type) {
    case 'identify':
      maker.identify(filled, true, true)
      break
    case 'group':
      maker.group({ groupId: direct.groupId, traits: filled }, true)
      break
    case 'alias':
      maker.alias(direct.previousId)
      break
    case 'consent':
      maker.consentUpdated()
      break
    default:
      maker.view(direct.type, { category: direct.category, name: direct.name, properties: filled })
  }
  return maker.made
}

class CallMaker {
  readonly #frame: CallFrame
  readonly #kit: CallKit
  #calls: SegmentCall[] = []
  readonly #identity: Identity
  #deduplicated = 0

  constructor(frame: CallFrame, kit: CallKit, userId = frame.identity.userId) {
    this.#frame = frame
    this.#kit = kit
    this.#identity = identityOf(userId, frame.identity.anonymousId)
  }

  get hasIdentity(): boolean {
    return this.#identity.userId !== undefined || this.#identity.anonymousId !== undefined
  }

  get made(): MadeCalls {
    return { calls: this.#calls, deduplicated: this.#deduplicated }
  }

  /** @param bare - Whether the call is worth making without traits. */
  identify(traits: Record<string, unknown> | undefined, bare: boolean, always = false): void {
    if (!bare && traits === undefined) return
    const remembered = this.#kit.deduplication.identify(this.#identity, traits, always)
    if (!remembered) {
      this.#deduplicated++
      return
    }
    const params: CallParams['identify'] = { timestamp: this.#time() }
    if (traits) params.traits = traits
    this.#add({ type: 'identify', params: this.#complete('identify', params), remembered })
  }

  group(resolved: Record<string, unknown>, always = false): void {
    const groupId = toId(resolved.groupId)
    if (groupId === undefined) return
    const traits = membersOf(resolved.traits)
    const remembered = this.#kit.deduplication.group(this.#identity, groupId, traits, always)
    if (!remembered) {
      this.#deduplicated++
      return
    }
    const params: CallParams['group'] = { groupId, timestamp: this.#time() }
    if (traits) params.traits = traits
    this.#add({ type: 'group', params: this.#complete('group', params), remembered })
  }

  view(type: 'page' | 'screen', resolved: Record<string, unknown>): void {
    const params: CallParams['page'] = { timestamp: this.#time() }
    const category = toId(resolved.category)
    const name = toId(resolved.name)
    const properties = plain(resolved.properties)
    if (category !== undefined) params.category = category
    if (name !== undefined) params.name = name
    if (isRecord(properties)) params.properties = properties
    this.#add({ type, params: this.#complete(type, params) })
  }

  track(properties: Record<string, unknown>): void {
    const params: CallParams['track'] = { event: this.#frame.event.name, properties, timestamp: this.#time() }
    this.#add({ type: 'track', params: this.#complete('track', params) })
  }

  alias(previousId: string): void {
    const params: CallParams['alias'] = { previousId, timestamp: this.#time() }
    this.#complete('alias', params)
    // It is about two ids of one user; Segment's alias knows no third.
    delete params.anonymousId
    this.#add({ type: 'alias', params })
  }

  /**
   * Segment delivers this event whatever the person refused, so it carries their choice and nothing else.
   *
   * Source: Segment, "Consent in Segment Connections", "Segment Consent Preference Updated event".
   */
  consentUpdated(): void {
    const event = 'Segment Consent Preference Updated'
    const params: CallParams['track'] = { event, properties: {}, timestamp: this.#time() }
    this.#complete('track', params)
    params.context = { consent: toCategoryPreferences(this.#kit.consent ?? [], this.#frame.event.consent) }
    this.#add({ type: 'track', params })
  }

  /** Most events make one call: a list that is pushed to has room for 17. */
  #add(call: SegmentCall): void {
    if (this.#calls.length === 0) this.#calls = [call]
    else this.#calls.push(call)
  }

  /** Adds what all calls have. Members are set one by one: this is on every event, and spreading costs it twice as much. */
  #complete<P extends CommonParams>(type: CallType, params: P): P {
    const { userId, anonymousId } = this.#identity
    const { messageId } = this.#frame
    const { integrations } = this.#kit
    if (userId !== undefined) params.userId = userId
    if (anonymousId !== undefined) params.anonymousId = anonymousId
    const context = this.#context()
    if (context) params.context = context
    if (integrations) params.integrations = { ...integrations }
    if (messageId !== undefined) params.messageId = `${messageId}-${type}`
    return params
  }

  /** A context of its own for every call: the client keeps the object and writes into it. */
  #context(): SegmentContext | undefined {
    const { context, event } = this.#frame
    const { consent } = this.#kit
    if (!context && !consent) return undefined
    const own = context ? (this.#calls.length === 0 ? context : copyOf(context)) : {}
    if (consent) own.consent = toCategoryPreferences(consent, event.consent ?? {})
    return own
  }

  /** The time of the event, or now where it has none that Segment could read. */
  #time(): Date {
    const timestamp: unknown = this.#frame.event.timestamp
    if (typeof timestamp !== 'number' && typeof timestamp !== 'string') return new Date()
    const time = new Date(timestamp)
    return Number.isNaN(time.getTime()) ? new Date() : time
  }
}

function copyOf(context: SegmentContext): SegmentContext {
  const copied: SegmentContext = {}
  for (const key of Object.keys(context)) copied[key] = plain(context[key])
  return copied
}

/** A copy, since two calls of an event may be made of the same part of it; none where there is nothing in it. */
function membersOf(value: unknown): Record<string, unknown> | undefined {
  const copied = plain(value)
  return isRecord(copied) && Object.keys(copied).length > 0 ? copied : undefined
}
