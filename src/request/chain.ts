import type { Reader, TrackedRequest } from '../model/tracked-request.js'
import { performance } from '../support/clock.js'
import { answerWithin, isPromise, type Maybe } from '../support/maybe.js'

/** Milliseconds after the end of a request within which an asynchronous reader has to answer. */
const READER_TIMEOUT_MS = 2_000

/** The answer of a chain of readers, and the name of the reader that gave it. */
export interface Answer<T> {
  readonly value: T
  readonly reader: string
}

/** An answer; `undefined` where no reader had one; or a function that waits for it after the request's end. */
export type Reading<T> = Answer<T> | undefined | Deferred<T>

/**
 * Waits for an answer that an asynchronous reader still owes.
 *
 * @param from - The time at which the reader's two seconds begin, in milliseconds of `performance.now()`: the end of the
 * request, so that all readers together take no longer. A reader that was asked later has two seconds from then.
 */
export type Deferred<T> = (from: number) => Promise<Answer<T> | undefined>

/** Receives the error that a reader threw or rejected with. */
export type ReaderFault = (reader: string, error: unknown) => void

/** The key by which a reader of several readers is asked, shared by the copies of this package in a process. */
export const askMembers: unique symbol = Symbol.for('reqtrack.askMembers')

/** A reader that asks others, and tells of their faults one by one. */
export interface MemberReader<T> extends Reader<T> {
  readonly [askMembers]: (request: TrackedRequest, fault: ReaderFault) => Maybe<T | undefined>
}

function hasMembers<T>(reader: Reader<T>): reader is MemberReader<T> {
  return askMembers in reader
}

/** The name under which a reader's answer is shown. */
export function readerName(reader: Reader<unknown>): string {
  return reader.name || 'anonymous reader'
}

/**
 * Asks readers in order until one gives an acceptable answer.
 *
 * If a reader is asynchronous, the readers after it are asked at once, too: all of them see the request as it is now,
 * whatever a later handler changes. The first in order still wins.
 *
 * @param accept - Turns a reader's value into an answer, or into `undefined` if it is not acceptable. May throw: then the
 * reader has failed.
 */
export function firstAnswer<T, R>(
  chain: readonly Reader<T>[],
  request: TrackedRequest,
  accept: Accept<T, R>,
  fault: ReaderFault,
): Reading<R> {
  for (let index = 0; index < chain.length; index++) {
    const reader = chain[index]
    if (!reader) continue
    const given = ask(reader, request, fault)
    if (isPromise(given)) {
      return deferFirst(askRest(asked(reader, given), chain.slice(index + 1), request, fault), accept, fault)
    }
    const value = accepted(given, accept, readerName(reader), fault)
    if (value !== undefined) return { value, reader: readerName(reader) }
  }
  return undefined
}

/** Kept separate from `firstAnswer`, which would allocate this closure's scope on every call. */
function deferFirst<T, R>(all: readonly Asked<T>[], accept: Accept<T, R>, fault: ReaderFault): Deferred<R> {
  const askedAt = performance.now()
  return (from) => firstOf(all, accept, fault, Math.max(from, askedAt) + READER_TIMEOUT_MS)
}

/** Asks every reader. Gives a promise only if a reader is asynchronous; it settles within two seconds. */
export function allAnswers<T>(
  chain: readonly Reader<T>[],
  request: TrackedRequest,
  fault: ReaderFault,
): Maybe<Answer<T>[]> {
  const answers: Answer<T>[] = []
  for (let index = 0; index < chain.length; index++) {
    const reader = chain[index]
    if (!reader) continue
    const value = ask(reader, request, fault)
    if (isPromise(value)) {
      return collectAll(answers, askRest(asked(reader, value), chain.slice(index + 1), request, fault))
    }
    if (value !== undefined) answers.push({ value, reader: readerName(reader) })
  }
  return answers
}

/** Asks every reader, and takes the answers that are there at once. `isWhole` tells whether all of them were. */
export function knownAnswers<T>(
  chain: readonly Reader<T>[],
  request: TrackedRequest,
  fault: ReaderFault,
): { readonly answers: Answer<T>[]; readonly isWhole: boolean } {
  const answers: Answer<T>[] = []
  let isWhole = true
  for (const reader of chain) {
    const value = ask(reader, request, fault)
    if (isPromise(value)) isWhole = false
    else if (value !== undefined) answers.push({ value, reader: readerName(reader) })
  }
  return { answers, isWhole }
}

/** Asks all readers after the first asynchronous one at once. */
function askRest<T>(
  first: Asked<T>,
  rest: readonly Reader<T>[],
  request: TrackedRequest,
  fault: ReaderFault,
): readonly Asked<T>[] {
  return [first, ...rest.map((next) => asked(next, ask(next, request, fault)))]
}

type Accept<T, R> = (value: T | undefined, reader: string) => R | undefined

function accepted<T, R>(
  value: T | undefined,
  accept: Accept<T, R>,
  reader: string,
  fault: ReaderFault,
): R | undefined {
  try {
    return accept(value, reader)
  } catch (error) {
    fault(reader, error)
    return undefined
  }
}

interface Asked<T> {
  readonly reader: string
  readonly value: Maybe<T | undefined>
}

function asked<T>(reader: Reader<T>, value: Maybe<T | undefined>): Asked<T> {
  return { reader: readerName(reader), value }
}

function ask<T>(reader: Reader<T>, request: TrackedRequest, fault: ReaderFault): Maybe<T | undefined> {
  try {
    const given = hasMembers(reader) ? reader[askMembers](request, fault) : reader(request)
    return isPromise(given) ? contained(given, reader, fault) : given
  } catch (error) {
    fault(readerName(reader), error)
    return undefined
  }
}

async function contained<T>(
  given: Promise<T | undefined>,
  reader: Reader<T>,
  fault: ReaderFault,
): Promise<T | undefined> {
  try {
    return await given
  } catch (error) {
    fault(readerName(reader), error)
    return undefined
  }
}

async function firstOf<T, R>(
  all: readonly Asked<T>[],
  accept: Accept<T, R>,
  fault: ReaderFault,
  deadline: number,
): Promise<Answer<R> | undefined> {
  for (const { reader, value } of all) {
    const answer = accepted(await inTime(value, deadline), accept, reader, fault)
    if (answer !== undefined) return { value: answer, reader }
  }
  return undefined
}

/** Adds the answers of asynchronous readers to those that are known already. */
async function collectAll<T>(answers: Answer<T>[], given: readonly Asked<T>[]): Promise<Answer<T>[]> {
  const deadline = performance.now() + READER_TIMEOUT_MS
  for (const { reader, value } of given) {
    const answer = await inTime(value, deadline)
    if (answer !== undefined) answers.push({ value: answer, reader })
  }
  return answers
}

function inTime<T>(value: Maybe<T | undefined>, deadline: number): Maybe<T | undefined> {
  return isPromise(value) ? answerWithin(value, Math.max(0, deadline - performance.now())) : value
}
