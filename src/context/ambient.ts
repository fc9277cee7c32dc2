import { AsyncLocalStorage } from 'node:async_hooks'
import type { Tracker } from '../model/tracker.js'
import { messageOf } from '../request/message-request.js'
import { isPromise } from '../support/maybe.js'

/** Carries the running request's tracker to code that has no `req` at hand. */
export interface ContextAdapter {
  /** Runs a function so that `get` gives the tracker in it, and in all that it sets off. */
  run<T>(tracker: Tracker, fn: () => T): T
  /** The tracker of the running request; `undefined` outside of one. */
  get(): Tracker | undefined
}

const STORAGE = Symbol.for('reqtrack.ambient.1')

/**
 * The default adapter: one AsyncLocalStorage for the whole process, so that an application that loads this package both
 * as ESM and as CommonJS has one context and not two.
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
 * Carries the tracker in an AsyncLocalStorage of the application's own, beside what it keeps there: for servers that run
 * every request in one already, such as Koa's `new Koa({ asyncLocalStorage })`.
 *
 * @param storage - The application's storage. Its stores have to be objects, one for each request: a request that runs
 * without a store has no ambient tracker, and neither have requests that run in the same one, such as a store in which
 * the server was started.
 *
 * @example
 * const tracking = createTracking({ settings, ambient: fromAsyncLocalStorage(requestContext) })
 */
export function fromAsyncLocalStorage(storage: AsyncLocalStorage<object>): ContextAdapter {
  /** The tracker of each store, or `undefined` for a store that several requests have run in. */
  const trackers = new WeakMap<object, Tracker | undefined>()
  return {
    run(tracker, fn) {
      const store = storeOf()
      if (store) trackers.set(store, isAnothers(store, tracker) ? undefined : tracker)
      return fn()
    },
    get() {
      const store = storeOf()
      return store && trackers.get(store)
    },
  }

  /** Many keep no more than an id there, which carries nothing. */
  function storeOf(): object | undefined {
    const store: unknown = storage.getStore()
    return typeof store === 'object' && store !== null ? store : undefined
  }

  function isAnothers(store: object, tracker: Tracker): boolean {
    const known = trackers.get(store)
    return trackers.has(store) && (known === undefined || messageOf(known) !== messageOf(tracker))
  }
}

/**
 * The context that the option `ambient` asks for.
 *
 * @param fault - Reports an adapter of the application's own that failed.
 */
export function openContext(
  given: ContextAdapter | false | undefined,
  fault: (message: string, error: unknown) => void,
): ContextAdapter {
  if (given === false) return noContext
  if (given === undefined) return processContext()
  return contained(given, (error) =>
    fault('the adapter of `ambient` failed: the request has no ambient tracker', error),
  )
}

/**
 * An adapter of the application's own, contained: where it fails the request has no ambient tracker, and goes on. What it
 * runs is run exactly once, and gives what it gave, whatever the adapter makes of it.
 *
 * @param fault - Is told what the adapter threw.
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
        // Nobody awaits the promise of an adapter that is an async function; it rejects as what it runs does.
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
