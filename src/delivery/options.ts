import type { Outbox } from './outbox/outbox.js'

/** How calls are delivered, and how much the waiting ones may take. The bounds hold at any moment. */
export interface DeliveryOptions {
  /** Calls without an outcome. One more is refused: it fails with the reason `overflow`. Defaults to 10000. */
  maxPending?: number
  /** Bytes of JSON of the calls without an outcome. One more overflows, too. Defaults to 64 MB (1024 * 1024). */
  maxBytes?: number
  /** Requests to Segment at a time. Defaults to 4. */
  maxInFlight?: number
  /**
   * Calls that go together at most where `settings.flushAt` is left out: 15 are then enough for a batch, and under load it
   * takes what comes within milliseconds, too. With a `settings.flushAt` batches have that size. Defaults to 100.
   */
  maxBatch?: number
  /**
   * Milliseconds after which a call that has not arrived fails with the reason `expired`. Defaults to 23 hours, since
   * Segment recognises a repeated call for about a day.
   */
  maxAge?: number
  /**
   * Stores calls until Segment has taken them: `fileOutbox({ directory })` of `reqtrack/outbox-file` does so on disk. None
   * by default: calls wait in memory, and a killed process loses them.
   */
  outbox?: Outbox
  /**
   * Whether this process sends. With `false` it only writes to an outbox that other processes read, such as
   * `redisOutbox({ client })`, and makes no request to Segment. Defaults to `true`.
   */
  send?: boolean
}
