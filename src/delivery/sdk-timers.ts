import { areTimersFaked, clearTimeout, nextTick, setTimeout } from '../support/clock.js'
import { memberOf } from '../support/member-of.js'

/** The SDK's clients that get Node's timers. */
const clients = new WeakSet<object>()

/**
 * Lets the SDK's client have Node's timers while a test fakes the global ones: it waits for a timer with every call, and
 * would otherwise deliver nothing until the test moves its clock.
 *
 * The SDK takes the global ones. The last thing that it does before it sets a call's timer is to read the `after` plugins
 * from its queue; the batch's own timer is set while the call's runs. The test's code never sees the difference.
 *
 * @param analytics - A client of the SDK; on anything else this does nothing.
 */
export function lendTimers(analytics: object): void {
  if (clients.has(analytics)) return
  clients.add(analytics)
  const queue = memberOf(analytics, '_queue')
  const availableExtensions = memberOf(queue, 'availableExtensions')
  if (typeof queue !== 'object' || queue === null || typeof availableExtensions !== 'function') return
  Reflect.set(queue, 'availableExtensions', (...given: unknown[]) => {
    const found: object = Reflect.apply(availableExtensions, queue, given)
    if (!areTimersFaked()) return found
    const after = memberOf(found, 'after')
    return Object.defineProperty({ ...found }, 'after', {
      get() {
        lendNextTimeout()
        return after
      },
    })
  })
}

/** Runs a function of the SDK to its first pause with Node's timers. */
export function withNodeTimers<T>(run: () => T): T {
  if (!areTimersFaked()) return run()
  const { setTimeout: fakedSet, clearTimeout: fakedClear } = globalThis
  Object.assign(globalThis, { setTimeout, clearTimeout })
  try {
    return run()
  } finally {
    Object.assign(globalThis, { setTimeout: fakedSet, clearTimeout: fakedClear })
  }
}

/** Lends `setTimeout` for one call, which follows at once. */
function lendNextTimeout(): void {
  const faked = globalThis.setTimeout
  const restore = () => {
    if (globalThis.setTimeout === (lent as unknown)) globalThis.setTimeout = faked
  }
  const lent = (callback: () => void, ms: number) => {
    restore()
    return setTimeout(() => withNodeTimers(callback), ms)
  }
  Object.assign(globalThis, { setTimeout: lent })
  nextTick(restore)
}
