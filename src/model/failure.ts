import type { SegmentCall } from './segment-call.js'

/** Why a call failed for good. */
export type FailureReason =
  /** There was no room left for calls that wait. */
  | 'overflow'
  /** Segment refused the call itself. */
  | 'rejected'
  /** Segment could not be reached, or answered with an error, until the tries were used up. */
  | 'unreachable'
  /** Segment took too long to answer until the tries were used up. */
  | 'timeout'
  /** The call is larger than Segment takes. */
  | 'too-large'
  /** The call waited longer than it may. */
  | 'expired'
  /** The tracking was shut down before the call had its outcome. */
  | 'closed'

/** A call that was given up. */
export interface FailedCall {
  readonly call: SegmentCall
  readonly reason: FailureReason
  /** What Segment or the way to it said, without the call's content. */
  readonly detail: string | undefined
}
