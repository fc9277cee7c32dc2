import { AssertionError } from 'node:assert'
import { identifiedVerdict, trackedVerdict, type Verdict } from './expectations.js'
import type { RecordedTracking } from './recorder.js'

/**
 * Asserts that a `track` call was sent: for node:test, and wherever there is no `expect`.
 *
 * @param event - The event's name as Segment gets it: after the mapping.
 * @param properties - Some of its properties.
 * @throws AssertionError that lists what was sent instead, what was dropped, and why.
 *
 * @example
 * await recorded.settled()
 * assertTracked(recorded, 'Order Completed', { total: 42 })
 */
export function assertTracked(recorded: RecordedTracking, event: string, properties?: object): void {
  assertVerdict(trackedVerdict(recorded, event, properties), true, assertTracked)
}

/**
 * Asserts that no such `track` call was sent.
 *
 * @param event - The event's name as Segment gets it: after the mapping.
 * @param properties - Some of the properties that no call may have; any call of the event by default.
 * @throws AssertionError that lists what was sent.
 */
export function assertNotTracked(recorded: RecordedTracking, event: string, properties?: object): void {
  assertVerdict(trackedVerdict(recorded, event, properties), false, assertNotTracked)
}

/**
 * Asserts that an `identify` call was sent.
 *
 * @param userId - Whose; anybody's where it is left out.
 * @param traits - Some of its traits.
 * @throws AssertionError that lists what was sent instead, what was dropped, and why.
 */
export function assertIdentified(
  recorded: RecordedTracking,
  userId?: string | number,
  traits?: object,
): void {
  assertVerdict(identifiedVerdict(recorded, userId, traits), true, assertIdentified)
}

type Assertion = typeof assertTracked | typeof assertIdentified

/** @param assertion - What the application called: the stack begins below it. */
function assertVerdict(verdict: Verdict, wanted: boolean, assertion: Assertion): void {
  if (verdict.pass === wanted) return
  throw new AssertionError({ message: verdict.message(), stackStartFn: assertion })
}
