import type { WalkerOS } from '@walkeros/core'
import { randomId } from '../support/random-id.js'
import { onlyChoices, readChoices } from './consent.js'
import { readKey } from './event-key.js'
import { problemOfName, quotedName, wordsOf } from './event-name.js'
import { toId, unfitId } from './identity.js'
import { readIntegrations } from './integrations.js'
import { MAX_CALL_BYTES } from './json-size.js'
import type { Person } from './person.js'
import type { DirectCall, Integrations } from './segment-call.js'
import type { SentFacts } from './sent-facts.js'
import { readTimestamp } from './timestamp.js'
import { isRecord, type Plain, plain, setMember, toPlain } from './values.js'

/** An event as a handler gives it, in walkerOS's event model. Missing members are filled in. */
export interface PartialEvent {
  /** Up to 255 characters, such as `order complete`: the first word is the entity, the rest the action. */
  name?: string
  /** The details of what happened. */
  data?: object
  /** Its surroundings: label and order by name. */
  context?: Readonly<Record<string, [value: unknown, order: number] | undefined>>
  /** Entities inside it, such as the products of an order. */
  nested?: readonly object[]
  /** Facts that hold for all events. */
  globals?: object
  /** Anything else. */
  custom?: object
  /** The person, if the handler knows better than the request: `id` is the userId, `session` the anonymousId. */
  user?: object
  /** The person's choice for this event; wins over the request's. */
  consent?: Readonly<Record<string, boolean>>
  /** What triggered it. */
  trigger?: string
  /** When it happened: milliseconds since 1970, a `Date`, or an ISO 8601 string. Defaults to now. */
  timestamp?: number | Date | string
  /** Turns Segment's destinations on and off for this event, over `settings.integrations`. Not part of the walkerOS event. */
  integrations?: Readonly<Integrations>
  /**
   * An idempotency key of 1 to 255 characters, such as the number of an order: events of the same name and key make the same
   * messages, on whatever machine, of which Segment keeps one. Not part of the walkerOS event.
   */
  key?: string
  /** 16 hex digits. Random by default. */
  id?: string
  /** Where it comes from. */
  source?: object
}

/** The options of an event, the last argument of the tracker's methods other than `track()`, which takes more. */
export interface EventOptions extends Pick<PartialEvent, 'integrations' | 'key' | 'timestamp'> {}

/** An event as it was given: its name and data are unchecked. */
export type GivenEvent = Omit<PartialEvent, 'name' | 'data'> & {
  readonly name?: unknown
  readonly data?: unknown
}

/** The compiler keeps it complete. */
const MEMBERS: Readonly<Record<keyof PartialEvent, true>> = {
  name: true,
  data: true,
  context: true,
  nested: true,
  globals: true,
  custom: true,
  user: true,
  consent: true,
  trigger: true,
  timestamp: true,
  integrations: true,
  key: true,
  id: true,
  source: true,
}
const MEMBER_NAMES = Object.keys(MEMBERS)

/** Picks the members of an event, so that a huge object in its place costs nothing. */
export function eventMembers(given: object): GivenEvent {
  const picked: Record<string, unknown> = {}
  if (!isRecord(given)) return picked
  for (const name of MEMBER_NAMES) {
    const member = given[name]
    if (member !== undefined) picked[name] = member
  }
  return picked
}

/** An event as it was tracked: copied, bounded and plain, but without the parts that only its request's end knows. */
export interface CollectedEvent {
  readonly name: string
  readonly parts: Readonly<Record<string, unknown>>
  readonly direct: DirectCall | undefined
  readonly timestamp: number
  readonly integrations: Integrations | undefined
  /** What only the browser knows, where it was a browser that sent the event. */
  readonly sent: SentFacts | undefined
  /** Unique beyond this process: the messageIds of the event's calls are made from it, unless it has a key. */
  readonly messageId: string
  /** The same for every event that is the same one. */
  readonly key: string | undefined
  /** About how many bytes of memory it takes. */
  readonly memory: number
}

/** An event that could not be collected, and the reason in words. */
export interface RefusedEvent {
  readonly refused: 'invalid' | 'too-large'
  readonly name: string | undefined
  readonly problem: string
}

/** Listens for events that are not complete. */
export interface Incomplete {
  /** A part of an event had to be left out. */
  incomplete(name: string, problem: string): void
}

/** About how many bytes of memory an event without data takes. */
const BASE_MEMORY = 500

const NOTHING: Readonly<Record<string, unknown>> = {}

const NO_STATE = {
  choices: undefined,
  problem: 'expected an object such as { marketing: true }, was left out',
}

/** Without an id of its own the event would be the request's own user's. */
const ID_EXPECTED = 'expected a non-empty string, or leave it out to track the request’s own user'

const PARTS = ['data', 'context', 'nested', 'globals', 'custom', 'user', 'source'] as const

/**
 * Takes an event from a handler: checks the name, copies the rest, and fixes id and time.
 *
 * @param listener - Is called for every part that had to be left out.
 * @param sent - What only the browser knows of it, where a browser has sent it.
 */
export function collectEvent(
  given: GivenEvent,
  direct: DirectCall | undefined,
  listener: Incomplete,
  sent?: SentFacts,
): CollectedEvent | RefusedEvent {
  const { name } = given
  const problem = problemOfName(name)
  if (typeof name !== 'string' || problem !== undefined) {
    return { refused: 'invalid', name: typeof name === 'string' ? name : undefined, problem: problem ?? '' }
  }
  const unfit = isRecord(given.user) ? unfitId(given.user) : undefined
  if (unfit !== undefined) {
    return {
      refused: 'invalid',
      name,
      problem: `the event ${quotedName(name)} has a user whose ${unfit} is no id: ${ID_EXPECTED}`,
    }
  }
  const { key, problem: unfitKey } = readKey(given.key)
  if (unfitKey !== undefined)
    return { refused: 'invalid', name, problem: `the event ${quotedName(name)} has ${unfitKey}` }
  const text = longText(given, direct)
  if (text !== undefined) return tooLarge(name, text)
  const parts: Record<string, unknown> = {}
  let memory = BASE_MEMORY
  for (const part of PARTS) {
    const value = given[part]
    if (value === undefined) continue
    const copied = toPlain(value)
    if (copied.tooLarge) return tooLarge(name, part)
    memory += copied.memory
    for (const each of copied.problems) listener.incomplete(name, `${part}: ${each}`)
    if (isFit(part, copied)) parts[part] = copied.value
    else
      listener.incomplete(
        name,
        `${part}: expected ${part === 'nested' ? 'a list' : 'an object'}, was left out`,
      )
  }
  if (given.consent !== undefined) {
    const { choices, problem } = isRecord(given.consent) ? readChoices(given.consent) : NO_STATE
    if (choices) parts.consent = choices
    if (problem !== undefined) listener.incomplete(name, `consent: ${problem}`)
  }
  const own = readIntegrations(given.integrations)
  if (own.tooLarge) return tooLarge(name, 'integrations')
  for (const each of own.problems) listener.incomplete(name, `integrations: ${each}`)
  if (typeof given.trigger === 'string') parts.trigger = given.trigger
  if (typeof given.id === 'string' && given.id !== '') parts.id = given.id
  return {
    name,
    parts,
    direct,
    timestamp: timestampOf(given.timestamp, name, listener),
    integrations: own.integrations,
    sent,
    messageId: randomId(),
    key,
    memory: memory + own.memory,
  }
}

/** The parts that complete an event at the end of its request. */
export interface Completion {
  readonly person: Person
  /** Handed over: the event may change it. */
  readonly consent: WalkerOS.Consent
  /** Lies under the event's own globals; copied. */
  readonly globals?: Readonly<Record<string, unknown>> | undefined
  /** 32 hex digits that all events of the request share, from its `traceparent` if it has one. */
  readonly trace: string
  /** The time at which the request began, in milliseconds since 1970. */
  readonly startedAt: number
}

/** Completes a collected event to a walkerOS event that shares no part with any other. */
export function completeEvent(collected: CollectedEvent, completion: Completion): WalkerOS.Event {
  const { name, parts, timestamp, messageId, sent } = collected
  const { entity, action } = wordsOf(name)
  const { person, consent, globals, trace, startedAt } = completion
  const source = { type: 'reqtrack', platform: 'server', schema: '4', trace }
  const event = {
    name,
    // Spreading would cost every event more.
    data: parts.data ?? {},
    context: parts.context ?? {},
    globals: globals ? globalsOf(globals, parts.globals) : (parts.globals ?? {}),
    custom: parts.custom ?? {},
    nested: parts.nested ?? [],
    id: parts.id ?? messageId.slice(0, 16),
    trigger: parts.trigger ?? '',
    entity,
    action,
    timestamp,
    timing: sent?.timing ?? Math.max(0, Math.round((timestamp - startedAt) / 10) / 100),
    user: userOf(person, isRecord(parts.user) ? parts.user : NOTHING, sent?.anonymousId),
    consent: isRecord(parts.consent) ? { ...consent, ...onlyChoices(parts.consent) } : consent,
    source: isRecord(parts.source) ? { ...source, ...parts.source } : source,
  }
  return event as WalkerOS.Event
}

function globalsOf(common: Readonly<Record<string, unknown>>, own: unknown): Record<string, unknown> {
  const globals: Record<string, unknown> = {}
  for (const name of Object.keys(common)) setMember(globals, name, plain(common[name]))
  if (isRecord(own)) for (const name of Object.keys(own)) setMember(globals, name, own[name])
  return globals
}

/**
 * Puts the user of an event together. An event about somebody else gets nothing of the request's own person: an admin's
 * anonymousId must not be tied to the customer whom they edit.
 *
 * @param standIn - The anonymousId of somebody who has none.
 */
function userOf(
  person: Person,
  own: Readonly<Record<string, unknown>>,
  standIn: string | undefined,
): Record<string, unknown> {
  const ownId = toId(own.id)
  const sameUser = ownId === undefined || person.userId === undefined || ownId === person.userId
  const details = sameUser ? person.details : undefined
  const user: Record<string, unknown> = details || own !== NOTHING ? { ...details, ...own } : {}
  setId(user, 'id', ownId ?? person.userId)
  setId(user, 'session', toId(own.session) ?? (sameUser ? (person.anonymousId ?? standIn) : undefined))
  return user
}

function setId(user: Record<string, unknown>, key: 'id' | 'session', id: string | undefined): void {
  if (id !== undefined) user[key] = id
  else if (key in user) delete user[key]
}

function tooLarge(name: string, part: string): RefusedEvent {
  return {
    refused: 'too-large',
    name,
    problem: `its ${part} is larger than the 32 KB that Segment takes for a call: track less of it, or a reference to it`,
  }
}

function isFit(part: (typeof PARTS)[number], copied: Plain): boolean {
  return part === 'nested' ? Array.isArray(copied.value) : isRecord(copied.value)
}

function timestampOf(given: unknown, name: string, listener: Incomplete): number {
  if (given === undefined) return Date.now()
  const timestamp = readTimestamp(given)
  if (timestamp !== undefined) return timestamp
  listener.incomplete(
    name,
    'timestamp: expected milliseconds since 1970, a Date or an ISO 8601 string, such as 2025-01-31T12:00:00Z; now was taken',
  )
  return Date.now()
}

/** The name of a text that no call can hold: texts are not copied, so nothing else finds it before it is worked with. */
function longText({ trigger, id }: GivenEvent, direct: DirectCall | undefined): string | undefined {
  if (isLong(trigger)) return 'trigger'
  if (isLong(id)) return 'id'
  for (const [key, text] of Object.entries(direct ?? NOTHING)) if (isLong(text)) return key
  return undefined
}

function isLong(text: unknown): boolean {
  return typeof text === 'string' && text.length > MAX_CALL_BYTES
}
