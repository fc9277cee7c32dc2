import type { WalkerOS } from '@walkeros/core'
import { type Identity, identityOf, toId } from '../model/identity.js'
import type {
  CallParams,
  CallType,
  CommonParams,
  DirectCall,
  Integrations,
  SegmentCall,
  SegmentContext,
} from '../model/segment-call.js'
import { isRecord, plain } from '../model/values.js'
import { toCategoryPreferences } from './consent.js'
import { copyIntegrations, copyOf, membersOf, withGlobals } from './copies.js'
import type { Deduplication } from './deduplication.js'

/** The common ground of an event's calls. */
export interface CallFrame {
  readonly event: WalkerOS.Event
  readonly identity: Identity
  /** Segment's `context`. The first call takes it over, later ones copy it. */
  readonly context: SegmentContext | undefined
  /** Unique for the event; prefix of each call's messageId. Without it the client generates one. */
  readonly messageId: string | undefined
  /** Lie under the properties of the event's page and screen. Those of its track come with the data. */
  readonly globals: Readonly<Record<string, unknown>> | undefined
  /** The event's own, over those of the settings. */
  readonly integrations: Integrations | undefined
}

/** The settings and the memory that calls are made with. */
export interface CallKit {
  readonly deduplication: Deduplication
  readonly consent: readonly (readonly [key: string, category: string])[] | undefined
  readonly integrations: Integrations | undefined
}

/** The calls of an event, in the order in which Segment has to receive them. */
export interface MadeCalls {
  readonly calls: SegmentCall[]
  /** Calls that were not made because Segment already has the same data. */
  readonly deduplicated: number
}

/** The resolved mappings of an event's calls other than `track()`. */
export interface MappedValues {
  readonly identify: unknown
  readonly group: unknown
  /** `true` for a page without name, category and properties. */
  readonly page: unknown
  /** `true` for a screen without name, category and properties. */
  readonly screen: unknown
}

/**
 * Makes the calls of an event: identify before group before page before screen before track.
 *
 * An `identify` mapping makes a call if it resolves to a userId or traits, a `group` mapping if it resolves to a groupId.
 * A userId from the `identify` mapping holds for the event's other calls, too.
 *
 * @param properties - Properties of the `track()` call; `undefined` for no `track()` call.
 * @returns The calls, or `undefined` where the event has neither a userId nor an anonymousId.
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
 * Makes the single call of a tracker's own method, such as `tracker.identify()`.
 *
 * @param data - The event's data: traits or properties of the call.
 * @returns The call, or `undefined` where the event has no id, or an alias no userId.
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

  /** @param bare - Whether to make the call without traits, too. */
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
    const properties = withGlobals(this.#frame.globals, plain(resolved.properties))
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
    // Segment's alias connects a previousId and a userId, and has no anonymousId.
    delete params.anonymousId
    this.#add({ type: 'alias', params })
  }

  /**
   * Segment delivers this event even to destinations that the person refused, so it carries the choice and nothing else.
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

  /** Assigns the first call as a new list: pushing to an empty list would allocate room for 17, and most events make one. */
  #add(call: SegmentCall): void {
    if (this.#calls.length === 0) this.#calls = [call]
    else this.#calls.push(call)
  }

  /** Adds the common parameters. It sets members one by one: this runs for every event, and spreading takes twice as long. */
  #complete<P extends CommonParams>(type: CallType, params: P): P {
    const { userId, anonymousId } = this.#identity
    const { messageId, integrations: own } = this.#frame
    const { integrations: common } = this.#kit
    if (userId !== undefined) params.userId = userId
    if (anonymousId !== undefined) params.anonymousId = anonymousId
    const context = this.#context()
    if (context) params.context = context
    if (common || own) params.integrations = copyIntegrations(common, own)
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

  /** The event's time, or now where Segment could not read it. */
  #time(): Date {
    const timestamp: unknown = this.#frame.event.timestamp
    if (typeof timestamp !== 'number' && typeof timestamp !== 'string') return new Date()
    const time = new Date(timestamp)
    return Number.isNaN(time.getTime()) ? new Date() : time
  }
}
