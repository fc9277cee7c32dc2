import type { Outbox } from './outbox/outbox.js'

/** How calls are delivered, and what those that wait for Segment may take. The bounds hold at any moment. */
export interface DeliveryOptions {
  /** Calls without an outcome. One more is refused: it fails with the reason `overflow`. Defaults to 10000. */
  maxPending?: number
  /** Bytes of JSON of the calls without an outcome; beyond them, too, a call overflows. Defaults to 64 MB (1024 * 1024). */
  maxBytes?: number
  /** Requests to Segment at a time. Defaults to 4. */
  maxInFlight?: number
  /**
   * Milliseconds after which a call that has not arrived is given up: it fails with the reason `expired`. Defaults to 23
   * hours, since Segment recognises a call that arrives twice for about a day.
   */
  maxAge?: number
  /**
   * Keeps calls on disk until Segment has taken them: `fileOutbox({ directory })` of `reqtrack/outbox-file`. None by
   * default: then calls wait in memory, and a process that is killed loses them.
   */
  outbox?: Outbox
}
