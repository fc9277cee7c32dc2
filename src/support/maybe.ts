import { clearTimeout, setTimeout } from './clock.js'

/**
 * A value, or a promise of it.
 *
 * An event's path is synchronous unless the application put something asynchronous on it: a promise for each step would
 * cost every event what only a few need.
 */
export type Maybe<T> = T | Promise<T>

/** Whether a value has to be awaited: a promise, or anything else with a `then`. */
export function isPromise<T>(value: Maybe<T> | PromiseLike<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Continues with a value at once, or when its promise resolves. */
export function after<T, R>(value: Maybe<T>, next: (value: T) => Maybe<R>): Maybe<R> {
  return isPromise(value) ? value.then(next) : next(value)
}

/** Collects values; gives a promise only if one of them is a promise. */
export function all<T>(values: readonly Maybe<T>[]): Maybe<T[]> {
  const ready: T[] = []
  for (const value of values) {
    if (isPromise(value)) return Promise.all(values)
    ready.push(value)
  }
  return ready
}

/** The longest delay of a Node timer; with a longer one it would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** A delay that a timer can run; the default if the given one is not a number. */
export function timerMs(given: number | undefined, byDefault: number): number {
  if (typeof given !== 'number' || Number.isNaN(given)) return byDefault
  return Math.min(Math.max(0, given), LONGEST_TIMER_MS)
}

/**
 * Waits for a promise for a limited time.
 *
 * @param promise - The promise; a rejection counts as no answer.
 * @param timeoutMs - Milliseconds to wait.
 * @returns Its value, or `undefined` if it rejects or takes longer.
 */
export function answerWithin<T>(promise: PromiseLike<T>, timeoutMs: number): Promise<T | undefined> {
  return inTime(promise, timeoutMs).catch(() => undefined)
}

/**
 * Waits for a promise for a limited time, and says why there is no answer.
 *
 * @param late - The message of the error if it takes longer.
 * @returns Its value; rejects if it rejects or takes longer.
 */
export function inTime<T>(
  promise: PromiseLike<T>,
  timeoutMs: number,
  late = `no answer within ${timeoutMs} ms`,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(late)), timeoutMs)
    promise.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
