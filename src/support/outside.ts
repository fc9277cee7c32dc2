import { AsyncResource } from 'node:async_hooks'

/** The context in which this package was loaded: no request runs there. */
const scope = new AsyncResource('reqtrack')

/**
 * Runs a function in no request's context. A timer that outlives the request which sets it would hold that request, and
 * would run everything in its context.
 */
export function outside<R>(run: () => R): R {
  return scope.runInAsyncScope(run)
}
