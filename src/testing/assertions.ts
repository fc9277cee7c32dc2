import { AssertionError } from 'node:assert'
import { identifiedVerdict, planVerdict, trackedVerdict, type Verdict } from './expectations.js'
import type { RecordedTracking } from './recorder.js'

/**
 * Asserts that a `track` call was sent. For node:test and other runners without `expect`.
 *
 * @param event - The event's name after the mapping, as Segment gets it.
 * @param properties - Some of its properties.
 * @throws AssertionError that lists the calls sent instead, and the dropped events with their reasons.
 *
 * @example
 * await recorded.settled()
 * assertTracked(recorded, 'Order Completed', { total: 42 })
 */
export function assertTracked(recorded: RecordedTracking, event: string, properties?: object): void {
  assertVerdict(trackedVerdict(recorded, event, properties, false), true, assertTracked)
}

/**
 * Asserts that no such `track` call was sent.
 *
 * @param event - The event's name after the mapping, as Segment gets it.
 * @param properties - Properties that no such call may have. By default no call of the event is allowed.
 * @throws AssertionError that lists the calls sent.
 */
export function assertNotTracked(recorded: RecordedTracking, event: string, properties?: object): void {
  assertVerdict(trackedVerdict(recorded, event, properties, true), false, assertNotTracked)
}

/**
 * Asserts that an `identify` call was sent.
 *
 * @param userId - The call's userId. Defaults to any.
 * @param traits - Some of its traits.
 * @throws AssertionError that lists the calls sent instead, and the dropped events with their reasons.
 */
export function assertIdentified(
  recorded: RecordedTracking,
  userId?: string | number,
  traits?: object,
): void {
  assertVerdict(identifiedVerdict(recorded, userId, traits, false), true, assertIdentified)
}

/**
 * Asserts that every event keeps to the tracking plan.
 *
 * @throws AssertionError that lists what is against it.
 */
export function assertKeptToThePlan(recorded: RecordedTracking): void {
  assertVerdict(planVerdict(recorded), true, assertKeptToThePlan)
}

type Assertion = typeof assertTracked | typeof assertIdentified | typeof assertKeptToThePlan

/** @param assertion - The public function called, which the error's stack leaves out. */
function assertVerdict(verdict: Verdict, wanted: boolean, assertion: Assertion): void {
  if (verdict.pass === wanted) return
  throw new AssertionError({ message: verdict.message(), stackStartFn: assertion })
}
