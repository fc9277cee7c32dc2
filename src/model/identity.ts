import { isTooLongToWrite } from './built-ins.js'

/** The ids of the person that a call is about; Segment needs at least one of the two. */
export interface Identity {
  readonly userId?: string
  readonly anonymousId?: string
}

/** What readers may give as an id: databases have numbers and bigints, and Segment takes text. */
export type Id = string | number | bigint

/**
 * Turns a value into an id that Segment accepts: a non-empty string. A finite number and a bigint become one; anything
 * else is no id, so that an object never becomes `[object Object]`.
 */
export function toId(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  if (typeof value === 'bigint') return isTooLongToWrite(value) ? undefined : String(value)
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined
}

/** Makes an identity without `undefined` members. */
export function identityOf(userId: string | undefined, anonymousId: string | undefined): Identity {
  if (userId === undefined) return anonymousId === undefined ? {} : { anonymousId }
  return anonymousId === undefined ? { userId } : { userId, anonymousId }
}

/**
 * The id of a user as walkerOS has it that was given, yet is none: such as `id: undefined`, or an object.
 *
 * @returns The key that has it; `undefined` where each given id is one.
 */
export function unfitId(user: Readonly<Record<string, unknown>>): 'id' | 'session' | undefined {
  if ('id' in user && toId(user.id) === undefined) return 'id'
  // With an id of its own the event is nobody else's, whatever its session.
  if (toId(user.id) !== undefined) return undefined
  return 'session' in user && toId(user.session) === undefined ? 'session' : undefined
}
