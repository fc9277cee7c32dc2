import type { Reader } from '../model/tracked-request.js'
import type { Tracker } from '../model/tracker.js'
import { messageOf } from '../request/message-request.js'
import { markFactory } from '../request/reader-factory.js'
import type { ContextAdapter } from './ambient.js'

/** What is used of a cls-hooked namespace. */
export interface ClsNamespace {
  /** The running context, which inherits from those around it; nothing outside of all contexts. */
  readonly active: unknown
  get(key: string): unknown
  set(key: string, value: unknown): unknown
  runAndReturn<R>(fn: () => R): R
  bind<F extends () => unknown>(fn: F, context: object): F
}

/** The key under which a namespace has the running request's tracker. */
const KEY = 'tracker'

/** The context in which each request began, by namespace and by what Node received. */
const beginnings = new WeakMap<ClsNamespace, WeakMap<object, object>>()

/**
 * Carries the tracker in the application's own cls-hooked namespace: `namespace.get('tracker')`.
 *
 * Where the application's middleware runs requests in the namespace, mount the tracking after it: the request stays in the
 * application's context, and values that are set later are found by all that find them without the tracking. Elsewhere the
 * request gets a context of its own.
 *
 * Only for applications that have such a namespace: on a handler with 20 awaits cls-hooked halves what a server can
 * serve, and on Node 24 quarters it.
 *
 * @param namespace - What `createNamespace` of cls-hooked made.
 * @throws TypeError if it is given anything else, such as what `getNamespace` answers before the namespace is made.
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
 * A reader of a value that the application has put into its cls-hooked namespace, for identity and consent.
 *
 * With {@link clsHookedContext} as the `ambient` context it never takes a value from another request's context, into which
 * cls-hooked can lead a callback of a shared connection or queue.
 *
 * @param namespace - What `createNamespace` of cls-hooked made.
 * @param key - The value's key.
 * @throws TypeError if it is given no namespace, such as what `getNamespace` answers before the namespace is made.
 *
 * @example
 * const namespace = createNamespace('shop')
 * createTracking({ settings, request: { userId: fromNamespace(namespace, 'userId') } })
 */
export function fromNamespace<T = string>(namespace: ClsNamespace, key: string): Reader<T> {
  assertNamespace(namespace, 'fromNamespace')
  // What type a value has, only the application knows; a reader's answer is checked where it is used.
  const read = () => namespace.get(key) as T | undefined
  return function fromNamespace(request) {
    const running = trackerIn(namespace)
    const message = messageOf({ request })
    if (running && messageOf(running) === message) return read()
    const own = message && beginnings.get(namespace)?.get(message)
    if (own) return namespace.bind(read, own)()
    return running ? undefined : read()
  }
}

markFactory(fromNamespace, "fromNamespace(namespace, 'userId')")

/** Goes on with a request in the context that is active now, and remembers it as the request's. */
function begin<R>(namespace: ClsNamespace, tracker: Tracker, fn: () => R): R {
  const own = beginnings.get(namespace) ?? new WeakMap<object, object>()
  beginnings.set(namespace, own)
  const message = messageOf(tracker)
  if (message && isObject(namespace.active)) own.set(message, namespace.active)
  return fn()
}

/**
 * A context that is the application's in all but the tracker. It cannot be the application's itself: that may be one for
 * many requests, such as the one in which the server was started.
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

/** The application may keep something of its own under the same key. */
function isTracker(value: unknown): value is Tracker {
  return isObject(value) && messageOf(value) !== undefined
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
