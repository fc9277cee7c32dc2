/**
 * A value that may still be on its way.
 *
 * The path of an event is synchronous unless the application put something asynchronous on it; a promise for each
 * step would cost every event what only a few need.
 */
export type Maybe<T> = T | Promise<T>

/** Whether a value has to be awaited: a promise, or anything else with a `then`. */
export function isPromise<T>(value: Maybe<T> | PromiseLike<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** Goes on with a value at once where it is there, and when it has come where it is not. */
export function after<T, R>(value: Maybe<T>, next: (value: T) => Maybe<R>): Maybe<R> {
  return isPromise(value) ? value.then(next) : next(value)
}

/** Collects what is on its way; the result is on its way only if one of the values is. */
export function all<T>(values: readonly Maybe<T>[]): Maybe<T[]> {
  const ready: T[] = []
  for (const value of values) {
    if (isPromise(value)) return Promise.all(values)
    ready.push(value)
  }
  return ready
}

/** The longest that a Node timer can run; beyond it, it would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** How long a timer is to run: what was asked for as far as timers can, or the default where it was not a number. */
export function timerMs(given: number | undefined, byDefault: number): number {
  if (typeof given !== 'number' || Number.isNaN(given)) return byDefault
  return Math.min(Math.max(0, given), LONGEST_TIMER_MS)
}

/**
 * Waits for a promise for a limited time.
 *
 * @param promise - What is awaited; its rejection counts as no answer.
 * @param timeoutMs - Milliseconds to wait.
 * @returns What it resolved to, or `undefined` where it rejected or took longer.
 */
export function answerWithin<T>(promise: PromiseLike<T>, timeoutMs: number): Promise<T | undefined> {
  return inTime(promise, timeoutMs).catch(() => undefined)
}

/**
 * Waits for a promise for a limited time, where it matters why there is no answer.
 *
 * @param late - What is said where it takes longer.
 * @returns What it resolved to; rejects as it does, and where it takes longer.
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
