/**
 * The ambient tracker in a namespace of cls-hooked, for applications that have one.
 *
 * @packageDocumentation
 */

import type { Reader } from '../model/tracked-request.js'
import type { Tracker } from '../model/tracker.js'
import { messageOf } from '../request/message-request.js'
import { markFactory } from '../request/reader-factory.js'
import type { ContextAdapter } from './ambient.js'
import { isRun } from './run-mark.js'

/** The part of a cls-hooked namespace that this package uses. */
export interface ClsNamespace {
  /** The current context, which inherits from those around it; not an object outside of all contexts. */
  readonly active: unknown
  get(key: string): unknown
  set(key: string, value: unknown): unknown
  runAndReturn<R>(fn: () => R): R
  bind<F extends () => unknown>(fn: F, context: object): F
}

/** The key of the current tracker, of a request or a run, in a namespace. */
const KEY = 'tracker'

/** The context in which each request started, by namespace and by Node's request. */
const initialContexts = new WeakMap<ClsNamespace, WeakMap<object, object>>()

/**
 * Carries the tracker in the application's own cls-hooked namespace: `namespace.get('tracker')`.
 *
 * If the application has a middleware that runs requests in the namespace, mount the tracking after it: the request then
 * stays in the application's context, and values that are set later are found everywhere, as without the tracking.
 * Otherwise the request gets a context of its own.
 *
 * Only for applications that have such a namespace: with 20 awaits in a handler, cls-hooked halves the requests that a
 * server can serve, and on Node 24 leaves a quarter of them.
 *
 * @param namespace - The result of cls-hooked's `createNamespace`.
 * @throws TypeError for anything else, such as the result of `getNamespace` before the namespace is created.
 *
 * @example
 * const namespace = createNamespace('shop')
 * const tracking = createTracking({ settings, ambient: clsHookedContext(namespace) })
 */
export function clsHookedContext(namespace: ClsNamespace): ContextAdapter {
  assertNamespace(namespace, 'clsHookedContext')
  return {
    run(tracker, fn) {
      const { active } = namespace
      if (trackerIn(namespace) === tracker) return fn()
      if (!isObject(active)) {
        return namespace.runAndReturn(() => {
          namespace.set(KEY, tracker)
          return begin(namespace, tracker, fn)
        })
      }
      return namespace.bind(() => begin(namespace, tracker, fn), withTracker(active, tracker))()
    },
    get: () => trackerIn(namespace),
  }
}

/**
 * Makes a reader, for identity or consent, of a value that the application has set in its cls-hooked namespace.
 *
 * With {@link clsHookedContext} as the `ambient` context, it never reads a value from another request's context, although
 * cls-hooked may run a callback of a shared connection or queue there.
 *
 * @param namespace - The result of cls-hooked's `createNamespace`.
 * @param key - The key of the value.
 * @throws TypeError without a namespace, such as for the result of `getNamespace` before the namespace is created.
 *
 * @example
 * const namespace = createNamespace('shop')
 * createTracking({ settings, request: { userId: fromNamespace(namespace, 'userId') } })
 */
export function fromNamespace<T = string>(namespace: ClsNamespace, key: string): Reader<T> {
  assertNamespace(namespace, 'fromNamespace')
  // Only the application knows the type of the value; a reader's answer is checked where it is used.
  const read = () => namespace.get(key) as T | undefined
  return function fromNamespace(request) {
    const running = trackerIn(namespace)
    const message = messageOf({ request })
    if (running && messageOf(running) === message) return read()
    const own = message && initialContexts.get(namespace)?.get(message)
    if (own) return namespace.bind(read, own)()
    return running ? undefined : read()
  }
}

markFactory(fromNamespace, "fromNamespace(namespace, 'userId')")

/** Goes on with a request in the context that is active now, and remembers it as the request's. */
function begin<R>(namespace: ClsNamespace, tracker: Tracker, fn: () => R): R {
  const own = initialContexts.get(namespace) ?? new WeakMap<object, object>()
  initialContexts.set(namespace, own)
  const message = messageOf(tracker)
  if (message && isObject(namespace.active)) own.set(message, namespace.active)
  return fn()
}

/**
 * Lays the tracker over the application's context. The tracker is not set in that context itself, which many requests may
 * share, such as one in which the server was started.
 */
function withTracker(context: object, tracker: Tracker): object {
  return new Proxy(context, {
    get: (target, key, receiver) => (key === KEY ? tracker : Reflect.get(target, key, receiver)),
  })
}

function trackerIn(namespace: ClsNamespace): Tracker | undefined {
  const found = namespace.get(KEY)
  return isTracker(found) ? found : undefined
}

/** Checks the value, because the application may use the same key. */
function isTracker(value: unknown): value is Tracker {
  return isObject(value) && (messageOf(value) !== undefined || isRun(value))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function assertNamespace(given: unknown, caller: string): void {
  if (isObject(given) && 'get' in given && 'runAndReturn' in given) return
  throw new TypeError(
    `${caller}() was given ${given === null ? 'null' : typeof given}: expected what createNamespace() of cls-hooked returns`,
  )
}
