import { type EventOptions, eventMembers, type GivenEvent, type PartialEvent } from '../model/event.js'
import { toId } from '../model/identity.js'
import type { DirectCall } from '../model/segment-call.js'
import { isRecord } from '../model/values.js'
import { expectedId, kindOf } from './given-kinds.js'

/** The call that a tracker's method asks for: the event that stands for it, and what the call needs beside it. */
export interface AskedCall {
  readonly event: GivenEvent
  readonly direct: DirectCall
}

/** What is wrong with the arguments of a tracker's method, and what to write instead. */
export interface Misuse {
  readonly misuse: string
}

/** The event of a call of `track()`. Most have a name and data and no more: those are put together without spreading. */
export function trackedEvent(
  given: unknown,
  data: object | undefined,
  event: PartialEvent | undefined,
): GivenEvent {
  if (isRecord(given)) return data === undefined ? given : { ...eventMembers(given), data }
  if (event === undefined) return data === undefined ? { name: given } : { name: given, data }
  const members = eventMembers(event)
  return data === undefined ? { ...members, name: given } : { ...members, name: given, data }
}

/**
 * Reads `identify(traits, options)` and `identify(userId, traits, options)`: before anything but options the first argument
 * is an id, and nothing else.
 */
export function readIdentify(given: readonly unknown[]): AskedCall | Misuse {
  const [first, second, third] = given
  if (given.length < 2 && first === undefined) return identified({})
  if (isRecord(first) && !isIdObject(first) && isOptions(second)) {
    const problem = problemOfTraits(first)
    return problem === undefined ? withOptions(identified({ data: first }), second) : { misuse: problem }
  }
  const id = toId(first)
  if (id === undefined) return { misuse: `tracker.identify(userId) was given ${expectedId(first)}` }
  return withOptions(identified({ data: second, user: { id } }), third)
}

/** Reads `group(groupId, traits, options)`. */
export function readGroup([groupId, traits, options]: readonly unknown[]): AskedCall | Misuse {
  const id = toId(groupId)
  if (id === undefined) return { misuse: `tracker.group(groupId) was given ${expectedId(groupId)}` }
  const asked: AskedCall = {
    event: { name: 'user group', data: traits },
    direct: { type: 'group', groupId: id },
  }
  return withOptions(asked, options)
}

/** Reads `page(page, options)` and `screen(screen, options)`: a text is the name. */
export function readView(type: 'page' | 'screen', [view, options]: readonly unknown[]): AskedCall | Misuse {
  const asked = readViewed(type, view)
  return 'misuse' in asked ? asked : withOptions(asked, options)
}

function readViewed(type: 'page' | 'screen', view: unknown): AskedCall | Misuse {
  if (typeof view === 'string') return viewed(type, undefined, view, undefined)
  if (view === undefined) return viewed(type, undefined, undefined, undefined)
  if (!isRecord(view)) {
    return {
      misuse: `tracker.${type}() was given ${kindOf(view)}: expected { category, name, properties }, or the name as text`,
    }
  }
  const { category, name, properties } = view
  const unfit = Object.entries({ category, name }).find(
    ([, value]) => isGiven(value) && toId(value) === undefined,
  )
  if (unfit)
    return { misuse: `tracker.${type}() was given ${unfit[0]}: ${kindOf(unfit[1])}; expected a string` }
  return viewed(type, toId(category), toId(name), properties ?? undefined)
}

/** Reads `alias(previousId, options)`. */
export function readAlias([previousId, options]: readonly unknown[]): AskedCall | Misuse {
  const id = toId(previousId)
  if (id === undefined) return { misuse: `tracker.alias(previousId) was given ${expectedId(previousId)}` }
  return withOptions({ event: { name: 'user alias' }, direct: { type: 'alias', previousId: id } }, options)
}

/** The options of an event by name; the compiler keeps them complete. */
const OPTIONS: Readonly<Record<keyof EventOptions, true>> = {
  integrations: true,
  timestamp: true,
  key: true,
}

/** Whether a value can be nothing but options, which may be left out. */
function isOptions(value: unknown): value is EventOptions | undefined {
  return (
    value === undefined || (isRecord(value) && Object.keys(value).every((key) => Object.hasOwn(OPTIONS, key)))
  )
}

function withOptions(asked: AskedCall, options: unknown): AskedCall | Misuse {
  if (options === undefined || options === null) return asked
  if (!isOptions(options)) {
    const given = isRecord(options) ? 'an object with other members' : kindOf(options)
    return {
      misuse: `tracker.${asked.direct.type}() was given ${given} as its options: expected ${Object.keys(OPTIONS).join(' and ')}`,
    }
  }
  const { integrations, key, timestamp } = options
  return { ...asked, event: { ...asked.event, integrations, key, timestamp } }
}

function identified(parts: Pick<GivenEvent, 'data' | 'user'>): AskedCall {
  return { event: { ...parts, name: 'user identify' }, direct: { type: 'identify' } }
}

function viewed(
  type: 'page' | 'screen',
  category: string | undefined,
  name: string | undefined,
  properties: unknown,
): AskedCall {
  return { event: { name: `${type} view`, data: properties }, direct: { type, category, name } }
}

/** Recognises the argument of the SDK's own `identify`, whose `userId` would become a trait of somebody else. */
function problemOfTraits(traits: Readonly<Record<string, unknown>>): string | undefined {
  const key = ['userId', 'anonymousId'].find((each) => Object.hasOwn(traits, each))
  if (key === undefined && !isRecord(Object.hasOwn(traits, 'traits') ? traits.traits : undefined))
    return undefined
  return (
    `tracker.identify() was given an object with ${key ?? 'traits'}, as the Segment SDK takes it: ` +
    'expected the traits, or identify(userId, traits) for another user than the request’s own'
  )
}

/** Whether an object is an id, such as a database's, rather than something with traits. */
function isIdObject(value: object): boolean {
  return 'toHexString' in value && typeof value.toHexString === 'function'
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== ''
}
