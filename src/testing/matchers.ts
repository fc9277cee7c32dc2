import { identifiedVerdict, trackedVerdict, type Verdict } from './expectations.js'

/**
 * The matchers that {@link trackingMatchers} adds to `expect(recorded)`. Importing `reqtrack/testing` declares them for
 * Vitest, and for Jest's global `expect`.
 */
export interface TrackingMatchers<R = void> {
  /**
   * Expects that a `track` call was sent.
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
  toHaveTracked(recorded: unknown, event: unknown, properties?: unknown): Verdict {
    return trackedVerdict(recorded, event, properties)
  },
  toHaveIdentified(recorded: unknown, userId?: unknown, traits?: unknown): Verdict {
    return identifiedVerdict(recorded, userId, traits)
  },
}
