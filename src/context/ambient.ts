import { AsyncLocalStorage } from 'node:async_hooks'
import type { Tracker } from '../model/tracker.js'
import { messageOf } from '../request/message-request.js'
import { isPromise } from '../support/maybe.js'

/** Carries the current request's tracker to code that has no `req`. */
export interface ContextAdapter {
  /** Runs a function; in it, and in everything asynchronous that it starts, `get` returns the tracker. */
  run<T>(tracker: Tracker, fn: () => T): T
  /** The current request's tracker; `undefined` outside of a request. */
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
 * has no ambient tracker; neither have requests that share a store, such as one in which the server was started.
 *
 * @example
 * const tracking = createTracking({ settings, ambient: fromAsyncLocalStorage(requestContext) })
 */
export function fromAsyncLocalStorage(storage: AsyncLocalStorage<object>): ContextAdapter {
  /** The tracker of each store; `undefined` for a store that several requests share. */
  const trackers = new WeakMap<object, Tracker | undefined>()
  return {
    run(tracker, fn) {
      const store = storeOf()
      if (store) trackers.set(store, isShared(store, tracker) ? undefined : tracker)
      return fn()
    },
    get() {
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
    fault('the adapter in `ambient` failed: the request has no ambient tracker', error),
  )
}

/**
 * Contains the application's own adapter: if it fails, the request goes on without an ambient tracker. The function is run
 * exactly once, and its result is returned whatever the adapter returns.
 *
 * @param fault - Gets what the adapter threw.
 */
function contained(adapter: ContextAdapter, fault: (error: unknown) => void): ContextAdapter {
  return {
    run<T>(tracker: Tracker, fn: () => T): T {
      let outcome: { readonly answer: T } | { readonly thrown: unknown } | undefined
      const once = (): T => {
        outcome ??= outcomeOf(fn)
        if ('thrown' in outcome) throw outcome.thrown
        return outcome.answer
      }
      try {
        const given: unknown = adapter.run(tracker, once)
        // An async adapter rejects when the function rejects, and nobody awaits its promise.
        if (isPromise(given)) given.then(undefined, () => {})
      } catch (error) {
        if (!(outcome && 'thrown' in outcome && outcome.thrown === error)) fault(error)
      }
      return once()
    },
    get() {
      try {
        const found = adapter.get()
        return typeof found === 'object' && found !== null ? found : undefined
      } catch (error) {
        fault(error)
        return undefined
      }
    },
  }
}

function outcomeOf<T>(fn: () => T): { readonly answer: T } | { readonly thrown: unknown } {
  try {
    return { answer: fn() }
  } catch (thrown) {
    return { thrown }
  }
}

/** No ambient context: `tracking.current()` is always `undefined`. */
const noContext: ContextAdapter = {
  run: (_tracker, fn) => fn(),
  get: () => undefined,
}
