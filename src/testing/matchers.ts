import { identifiedVerdict, trackedVerdict, type Verdict } from './expectations.js'

/**
 * What `expect(recorded)` has besides, once {@link trackingMatchers} are in place. In Vitest, and in Jest with its
 * global `expect`, TypeScript knows them from the import of `reqtrack/testing` on.
 */
export interface TrackingMatchers<R = void> {
  /**
   * That a `track` call was sent.
   *
   * @param event - The event's name as Segment gets it: after the mapping.
   * @param properties - Some of its properties; asymmetric matchers such as `expect.any(Number)` can stand for values.
   */
  toHaveTracked(event: string, properties?: object): R
  /**
   * That an `identify` call was sent.
   *
   * @param userId - Whose; anybody's by default.
   * @param traits - Some of its traits.
   */
  toHaveIdentified(userId?: string | number, traits?: object): R
  /**
   * That an `identify` call was sent, whoever it is about.
   *
   * @param traits - Some of its traits.
   */
  toHaveIdentified(traits: object): R
}

declare global {
  namespace jest {
    // Vitest's matchers extend this interface, too: one declaration serves both, and asks for neither to be installed.
    // Declarations that merge need the same type parameters.
    interface Matchers<R, T> extends TrackingMatchers<R> {}
  }
}

/**
 * Matchers for Vitest and Jest. Where an expectation fails, the message lists what was sent instead, what was dropped,
 * and why.
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
