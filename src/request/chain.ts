import type { Reader, TrackedRequest } from '../model/tracked-request.js'
import { answerWithin, isPromise, type Maybe } from '../support/maybe.js'

/** Milliseconds after the end of a request within which an asynchronous reader has to answer. */
const READER_TIMEOUT_MS = 2_000

/** What a chain of readers found, and the name of the reader that gave it. */
export interface Answer<T> {
  readonly value: T
  readonly reader: string
}

/** An answer that is there, that there is none, or what to call after the end of the request to wait for it. */
export type Reading<T> = Answer<T> | undefined | Deferred<T>

/**
 * An answer that an asynchronous reader still owes.
 *
 * @param from - When its two seconds begin, in milliseconds of `performance.now()`: the end of the request, so that
 * however many are waited for, it takes no longer; for what was asked for after that, when it was.
 */
export type Deferred<T> = (from: number) => Promise<Answer<T> | undefined>

/** Is told what a reader threw or rejected with. */
export type ReaderFault = (reader: string, error: unknown) => void

/** What a reader is called where its answer is shown. */
export function readerName(reader: Reader<unknown>): string {
  return reader.name || 'anonymous reader'
}

/**
 * Asks readers in order for the first answer that is fit.
 *
 * Where one is asynchronous, those after it are asked at once, too: all of them see the request as it is now, whatever
 * a later handler changes, and the first in order still wins.
 *
 * @param accept - Turns what a reader gave into an answer, or into `undefined` where it is none.
 */
export function firstAnswer<T, R>(
  chain: readonly Reader<T>[],
  request: TrackedRequest,
  accept: (value: T | undefined) => R | undefined,
  fault: ReaderFault,
): Reading<R> {
  for (let index = 0; index < chain.length; index++) {
    const reader = chain[index]
    if (!reader) continue
    const given = ask(reader, request, fault)
    if (isPromise(given)) {
      return firstInTime(allAsked(asked(reader, given), chain.slice(index + 1), request, fault), accept)
    }
    const value = accept(given)
    if (value !== undefined) return { value, reader: readerName(reader) }
  }
  return undefined
}

/** Apart, because what a function's closures need is made whenever it is called. */
function firstInTime<T, R>(
  all: readonly Asked<T>[],
  accept: (value: T | undefined) => R | undefined,
): Deferred<R> {
  const askedAt = performance.now()
  return (from) => firstOf(all, accept, Math.max(from, askedAt) + READER_TIMEOUT_MS)
}

/** Asks every reader; the answers are on their way only if one of them is, and then for two seconds at most. */
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
      return allOf(answers, allAsked(asked(reader, value), chain.slice(index + 1), request, fault))
    }
    if (value !== undefined) answers.push({ value, reader: readerName(reader) })
  }
  return answers
}

/** The first asynchronous reader, and all behind it, who are asked at once. */
function allAsked<T>(
  first: Asked<T>,
  rest: readonly Reader<T>[],
  request: TrackedRequest,
  fault: ReaderFault,
): readonly Asked<T>[] {
  return [first, ...rest.map((next) => asked(next, ask(next, request, fault)))]
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
    const given = reader(request)
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
  accept: (value: T | undefined) => R | undefined,
  deadline: number,
): Promise<Answer<R> | undefined> {
  for (const { reader, value } of all) {
    const fitting = accept(await inTime(value, deadline))
    if (fitting !== undefined) return { value: fitting, reader }
  }
  return undefined
}

/** Adds what is still to come to the answers that are there. */
async function allOf<T>(answers: Answer<T>[], given: readonly Asked<T>[]): Promise<Answer<T>[]> {
  const deadline = performance.now() + READER_TIMEOUT_MS
  for (const { reader, value } of given) {
    const there = await inTime(value, deadline)
    if (there !== undefined) answers.push({ value: there, reader })
  }
  return answers
}

function inTime<T>(value: Maybe<T | undefined>, deadline: number): Maybe<T | undefined> {
  return isPromise(value) ? answerWithin(value, Math.max(0, deadline - performance.now())) : value
}
