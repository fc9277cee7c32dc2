import { identifiedVerdict, planVerdict, trackedVerdict, type Verdict } from './expectations.js'

/**
 * The matchers that {@link trackingMatchers} adds to `expect(recorded)`. Importing `reqtrack/testing` declares them for
 * Vitest, and for Jest's global `expect`.
 */
export interface TrackingMatchers<R = void> {
  /**
   * Expects that a `track` call was sent, of an event that keeps to the tracking plan where there is one.
   *
   * @param event - The event's name after the mapping, as Segment gets it.
   * @param properties - Some of its properties. Values may be asymmetric matchers such as `expect.any(Number)`.
   */
  toHaveTracked(event: string, properties?: object): R
  /**
   * Expects that an `identify` call was sent.
   *
   * @param userId - The call's userId. Defaults to any.
   * @param traits - Some of its traits.
   */
  toHaveIdentified(userId?: string | number, traits?: object): R
  /**
   * Expects that an `identify` call was sent for any user.
   *
   * @param traits - Some of its traits.
   */
  toHaveIdentified(traits: object): R
  /** Expects that every event keeps to the tracking plan. */
  toKeepToThePlan(): R
}

declare global {
  namespace jest {
    // Vitest's matchers extend this interface, too: one declaration serves both, and needs neither to be installed.
    // Merging declarations must have the same type parameters.
    interface Matchers<R, T> extends TrackingMatchers<R> {}
  }
}

/**
 * Matchers for Vitest and Jest. The message of a failed expectation lists the calls sent instead, and the dropped
 * events with their reasons.
 *
 * @example
 * expect.extend(trackingMatchers)
 * expect(recorded).toHaveTracked('Order Completed', { total: 42 })
 * expect(recorded).not.toHaveTracked('Order Refunded')
 * expect(recorded).toHaveIdentified('u-1', { plan: 'free' })
 */
export const trackingMatchers = {
  toHaveTracked(this: unknown, recorded: unknown, event: unknown, properties?: unknown): Verdict {
    return trackedVerdict(recorded, event, properties, isNot(this))
  },
  toHaveIdentified(this: unknown, recorded: unknown, userId?: unknown, traits?: unknown): Verdict {
    return identifiedVerdict(recorded, userId, traits, isNot(this))
  },
  toKeepToThePlan(recorded: unknown): Verdict {
    return planVerdict(recorded)
  },
}

/** Whether a matcher stands behind `.not`, from what test frameworks call it on. */
function isNot(matching: unknown): boolean {
  return typeof matching === 'object' && matching !== null && 'isNot' in matching && matching.isNot === true
}
