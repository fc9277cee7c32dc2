/** The result of a shutdown. The counts cover the tracking's whole life. */
export interface ShutdownReport {
  /** Calls that Segment has accepted. */
  readonly delivered: number
  /** Calls that were given up before the deadline, those made on `tracking.segment` itself included. */
  readonly failed: number
  /** Events that became no call, for a named reason. */
  readonly dropped: number
  /** Calls without an outcome at the deadline: they may have arrived, and count as failed (`closed`) from then on. */
  readonly pending: number
  /** Calls that wait in an outbox for the next start. */
  readonly kept: number
  /** Duration of the shutdown in milliseconds. */
  readonly durationMs: number
  /** Whether the deadline passed before everything was done. */
  readonly timedOut: boolean
}
