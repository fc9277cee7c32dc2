import { isAsyncFunction, isPromise as isNativePromise } from 'node:util/types'

/**
 * Hands on what some work gave, and tells when it is done: at once, or when what it promised has settled.
 *
 * - The promise of an async function is handed on by another one. Node can then still notice a rejection that nobody
 *   handles, which listening to the promise itself would hide.
 * - A promise that a plain function has from elsewhere is handed on itself, since it may be more than a promise.
 * - Any other thenable may begin its work when `then` is called, as the queries of databases do. It is called once, and a
 *   promise of the outcome is handed on.
 *
 * @param given - What the work gave.
 * @param work - The work itself.
 * @param done - Is called once, with whether the work failed. It must not throw.
 */
export function whenDone<T>(given: T, work: unknown, done: (failed: boolean) => void): T {
  if (isNativePromise(given)) {
    if (isAsyncFunction(work)) return following(given, done) as T
    if (isWatched(given, done)) return given
  }
  if (isThenable(given)) return following(Promise.resolve(given), done) as T
  done(false)
  return given
}

/** A promise of the same outcome, which settles when `done` has been told of it. */
function following<V>(promise: Promise<V>, done: (failed: boolean) => void): Promise<V> {
  return promise.then(
    (value) => {
      done(false)
      return value
    },
    (error: unknown) => {
      done(true)
      throw error
    },
  )
}

/**
 * Tells when a promise has settled. A subclass may begin its work in a `then` of its own, which is its caller's to call.
 *
 * @returns Whether that can be told: a subclass may refuse to make the promise that listening gives.
 */
function isWatched(promise: Promise<unknown>, done: (failed: boolean) => void): boolean {
  try {
    then.call(
      promise,
      () => done(false),
      () => done(true),
    )
    return true
  } catch {
    return false
  }
}

const { then } = Promise.prototype

function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false
    return 'then' in value && typeof value.then === 'function'
  } catch {
    // Nobody can wait for what throws when it is looked at.
    return false
  }
}
