import { type Identity, toId } from '../model/identity.js'
import type { Person } from '../model/person.js'
import type { Maybe } from '../support/maybe.js'
import type { Answer, Deferred, Reading } from './chain.js'

/** The sender of a request: the parts that are known, and functions that wait for the others. */
export interface PersonReading {
  readonly userId: Reading<string>
  readonly anonymousId: Reading<string>
  readonly details: Reading<Readonly<Record<string, unknown>>>
}

/** A person, and the names of the readers that gave the ids. */
export interface ReadPerson extends Person {
  readonly userIdReader: string | undefined
  readonly anonymousIdReader: string | undefined
}

/** What a handler said of the person with `tracker.user()`; it wins over the readers. */
export type PersonOverride = Readonly<Record<string, unknown>>

/**
 * Completes a reading; waits for all asynchronous readers at once.
 *
 * @param from - The time at which the request ended, in milliseconds of `performance.now()`.
 */
export function settlePerson(reading: PersonReading, from: number): Maybe<ReadPerson> {
  const { userId, anonymousId, details } = reading
  return isDeferred(userId) || isDeferred(anonymousId) || isDeferred(details)
    ? settleInTime(reading, from)
    : personOf(userId, anonymousId, details)
}

async function settleInTime(reading: PersonReading, from: number): Promise<ReadPerson> {
  const [userId, anonymousId, details] = await Promise.all([
    settled(reading.userId, from),
    settled(reading.anonymousId, from),
    settled(reading.details, from),
  ])
  return personOf(userId, anonymousId, details)
}

function personOf(
  userId: Answer<string> | undefined,
  anonymousId: Answer<string> | undefined,
  details: Answer<Readonly<Record<string, unknown>>> | undefined,
): ReadPerson {
  return {
    userId: userId?.value,
    userIdReader: userId?.reader,
    anonymousId: anonymousId?.value,
    anonymousIdReader: anonymousId?.reader,
    details: details?.value,
  }
}

/** The ids of a reading that are known without waiting. */
export function knownIdentity(reading: PersonReading): Identity {
  const known = (id: Reading<string>) => (typeof id === 'object' ? id.value : undefined)
  const userId = known(reading.userId)
  const anonymousId = known(reading.anonymousId)
  return { ...(userId !== undefined && { userId }), ...(anonymousId !== undefined && { anonymousId }) }
}

/** Lays a handler's `tracker.user()` over the answers of the readers. */
export function overridePerson(reading: PersonReading, override: PersonOverride | undefined): PersonReading {
  if (!override) return reading
  const by = 'tracker.user()'
  const { id, session, ...details } = override
  const userId = toId(id)
  const anonymousId = toId(session)
  return {
    userId: userId === undefined ? reading.userId : { value: userId, reader: by },
    anonymousId: anonymousId === undefined ? reading.anonymousId : { value: anonymousId, reader: by },
    details: overrideDetails(reading.details, details, by),
  }
}

function overrideDetails(
  reading: PersonReading['details'],
  details: Readonly<Record<string, unknown>>,
  reader: string,
): PersonReading['details'] {
  const over = (answer: Answer<Readonly<Record<string, unknown>>> | undefined) => ({
    value: { ...answer?.value, ...details },
    reader,
  })
  return typeof reading === 'function' ? (from) => reading(from).then(over) : over(reading)
}

/**
 * Fills the gaps of an event's person with the request's person at its end. A captured id is never replaced: a logout
 * handler must not make the event anonymous.
 */
export function fillPerson(tracked: ReadPerson, atEnd: ReadPerson): ReadPerson {
  if (isSame(tracked, atEnd)) return tracked
  const userId = tracked.userId ?? atEnd.userId
  // Details belong to one person and must not pass to the next who signs in.
  const details = userId === atEnd.userId ? overlaid(atEnd.details, tracked.details) : tracked.details
  return {
    userId,
    userIdReader: tracked.userIdReader ?? atEnd.userIdReader,
    anonymousId: tracked.anonymousId ?? atEnd.anonymousId,
    anonymousIdReader: tracked.anonymousIdReader ?? atEnd.anonymousIdReader,
    details,
  }
}

function isSame(one: ReadPerson, other: ReadPerson): boolean {
  return (
    one.userId === other.userId &&
    one.anonymousId === other.anonymousId &&
    one.details === other.details &&
    one.userIdReader === other.userIdReader &&
    one.anonymousIdReader === other.anonymousIdReader
  )
}

function overlaid(under: Person['details'], over: Person['details']): Person['details'] {
  return under && over ? { ...under, ...over } : (over ?? under)
}

function settled<T>(reading: Reading<T>, from: number): Maybe<Answer<T> | undefined> {
  return isDeferred(reading) ? reading(from) : reading
}

function isDeferred<T>(reading: Reading<T>): reading is Deferred<T> {
  return typeof reading === 'function'
}
