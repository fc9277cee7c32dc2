import { AsyncLocalStorage } from 'node:async_hooks'
import type { Tracker } from '../model/tracker.js'
import { messageOf } from '../request/message-request.js'
import { isPromise } from '../support/maybe.js'
import { isRun } from './run-mark.js'

/** Carries the current tracker, of a request or a run, to code that has no `req`. */
export interface ContextAdapter {
  /** Runs a function; in it, and in everything asynchronous that it starts, `get` returns the tracker. Calls are nested. */
  run<T>(tracker: Tracker, fn: () => T): T
  /** The tracker of the current request or run; `undefined` outside of one. */
  get(): Tracker | undefined
}

const STORAGE = Symbol.for('reqtrack.ambient.1')

/**
 * The default adapter: one AsyncLocalStorage for the whole process, so that an application that loads this package as ESM
 * and as CommonJS has one context, not two.
 */
function processContext(): ContextAdapter {
  const shared: Record<symbol, unknown> = globalThis as never
  const known = shared[STORAGE]
  const storage = known instanceof AsyncLocalStorage ? known : new AsyncLocalStorage<Tracker>()
  shared[STORAGE] = storage
  return {
    run: (tracker, fn) => storage.run(tracker, fn),
    get: () => storage.getStore(),
  }
}

/**
 * Carries the tracker in the application's own AsyncLocalStorage, for servers that already run every request in one, such
 * as Koa's `new Koa({ asyncLocalStorage })`.
 *
 * @param storage - The application's storage. Its stores must be objects, one for each request. A request without a store
 * has no ambient tracker; neither have requests that share a store, such as one in which the server was started. A run of
 * `tracking.run()` needs no store: its tracker is kept beside the application's.
 *
 * @example
 * const tracking = createTracking({ settings, ambient: fromAsyncLocalStorage(requestContext) })
 */
export function fromAsyncLocalStorage(storage: AsyncLocalStorage<object>): ContextAdapter {
  /** The tracker of each store; `undefined` for a store that several requests share. */
  const trackers = new WeakMap<object, Tracker | undefined>()
  /** A run has no store of its own: in the one around it its tracker would take the place of a request's. */
  const runs = new AsyncLocalStorage<Tracker | undefined>()
  return {
    run(tracker, fn) {
      if (isRun(tracker)) return runs.run(tracker, fn)
      const store = storeOf()
      if (store) trackers.set(store, isShared(store, tracker) ? undefined : tracker)
      // A server that was started within a run is asked by requests that are not the run's.
      return runs.getStore() === undefined ? fn() : runs.run(undefined, fn)
    },
    get() {
      const run = runs.getStore()
      if (run) return run
      const store = storeOf()
      return store && trackers.get(store)
    },
  }

  /** Only an object can carry a tracker; many applications store just an id. */
  function storeOf(): object | undefined {
    const store: unknown = storage.getStore()
    return typeof store === 'object' && store !== null ? store : undefined
  }

  function isShared(store: object, tracker: Tracker): boolean {
    const known = trackers.get(store)
    return trackers.has(store) && (known === undefined || messageOf(known) !== messageOf(tracker))
  }
}

/**
 * Makes the context for the option `ambient`.
 *
 * @param fault - Reports that the application's own adapter failed.
 */
export function openContext(
  given: ContextAdapter | false | undefined,
  fault: (message: string, error: unknown) => void,
): ContextAdapter {
  if (given === false) return noContext
  if (given === undefined) return processContext()
  return contained(given, (error) =>
    fault('the adapter in `ambient` failed: the request or run has no ambient tracker', error),
  )
}

/** Whether a request of a tracking with the same option `ambient` runs now. */
export function isRequestRunning(given: ContextAdapter | false | undefined): boolean {
  const running = openContext(given, () => {}).get()
  return running !== undefined && messageOf(running) !== undefined
}

/**
 * Contains the application's own adapter: if it fails, the request or run goes on without an ambient tracker. The function
 * is run exactly once, and its result is returned whatever the adapter returns.
 *
 * @param fault - Gets what the adapter threw.
 */
function contained(adapter: ContextAdapter, fault: (error: unknown) => void): ContextAdapter {
  return {
    run<T>(tracker: Tracker, fn: () => T): T {
      let outcome: Ran<T> | undefined
      // What it throws does not pass through the adapter: cls-hooked writes into the errors that do.
      const once = (): unknown => {
        outcome ??= outcomeOf(fn)
        return 'answer' in outcome ? outcome.answer : undefined
      }
      try {
        const given = adapter.run(tracker, once)
        // Nobody awaits the promise of an adapter that is an async function.
        if (isPromise(given)) given.then(undefined, () => {})
      } catch (error) {
        fault(error)
      }
      outcome ??= outcomeOf(fn)
      if ('thrown' in outcome) throw outcome.thrown
      return outcome.answer
    },
    get() {
      try {
        const found = adapter.get()
        if (isPromise<unknown>(found)) {
          // An async function is no adapter, and nobody awaits what it gives.
          found.then(undefined, () => {})
          throw new TypeError('the adapter answered `get` with a promise: expected the tracker at once')
        }
        return typeof found === 'object' && found !== null ? found : undefined
      } catch (error) {
        fault(error)
        return undefined
      }
    },
  }
}

type Ran<T> = { readonly answer: T } | { readonly thrown: unknown }

function outcomeOf<T>(fn: () => T): Ran<T> {
  try {
    return { answer: fn() }
  } catch (thrown) {
    return { thrown }
  }
}

/** No ambient context: `tracking.current()` is always `undefined`. */
export const noContext: ContextAdapter = {
  run: (_tracker, fn) => fn(),
  get: () => undefined,
}
