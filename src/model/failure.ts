import type { SegmentCall } from './segment-call.js'

/** Why a call failed for good. */
export type FailureReason =
  /** The room for waiting calls was full. */
  | 'overflow'
  /** Segment refused the call itself. */
  | 'rejected'
  /** Segment could not be reached, or answered with an error, until the retries were used up. */
  | 'unreachable'
  /** Segment answered too late until the retries were used up. */
  | 'timeout'
  /** The call is larger than Segment takes. */
  | 'too-large'
  /** The call waited longer than its limit. */
  | 'expired'
  /** The client's own plugins or listeners have stopped the call, or it has never reported an outcome. */
  | 'cancelled'
  /** The outbox could not give the call back. */
  | 'damaged'
  /** The tracking was shut down before the call had its outcome. */
  | 'closed'

/** A call that was given up. */
export interface FailedCall {
  readonly call: SegmentCall
  readonly reason: FailureReason
  /** The error of Segment or of the network, without the call's content. */
  readonly detail: string | undefined
}
