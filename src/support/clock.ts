import { performance as nodePerformance } from 'node:perf_hooks'
import * as timers from 'node:timers'
import { setImmediate as nodeNextTurn } from 'node:timers/promises'

/*
 * Node's timers as they were when this package was loaded. A test that fakes them (Vitest, Jest, Sinon) wants to rule over
 * its own code's time: with faked ones a flush, a shutdown and their time limits would never end. Lint refuses the global
 * ones elsewhere in `src`.
 */

export const setTimeout: typeof timers.setTimeout = timers.setTimeout
export const clearTimeout: typeof timers.clearTimeout = timers.clearTimeout
export const setInterval: typeof timers.setInterval = timers.setInterval
export const clearInterval: typeof timers.clearInterval = timers.clearInterval
export const setImmediate: typeof timers.setImmediate = timers.setImmediate
export const nextTick: typeof process.nextTick = process.nextTick

/** Resolves on the next turn of the event loop. */
export const nextTurn: () => Promise<void> = nodeNextTurn

/** The monotonic clock. */
export const performance: { readonly now: () => number } = {
  now: nodePerformance.now.bind(nodePerformance),
}

/**
 * Milliseconds since 1970, for ages and waiting times. What an event says of its time is read from `Date`, which a test may
 * set.
 */
export const wallTime: () => number = Date.now

/** Whether timers that others set, such as the Segment SDK, wait for a test to move them. */
export function areTimersFaked(): boolean {
  return globalThis.setTimeout !== setTimeout
}
