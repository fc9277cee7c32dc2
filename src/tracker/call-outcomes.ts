import type { Deduplication } from '../destination/deduplication.js'
import type { FailedCall } from '../model/failure.js'
import type { SegmentCall } from '../model/segment-call.js'
import type { Reporter } from '../observe/reporter.js'

/** Hears what has become of calls: tells of it, and forgets of a person what did not arrive. */
export class CallOutcomes {
  readonly #reporter: Reporter
  readonly #deduplication: Deduplication

  constructor(reporter: Reporter, deduplication: Deduplication) {
    this.#reporter = reporter
    this.#deduplication = deduplication
  }

  /** Whether anybody wants to hear of calls that have arrived. */
  get hearsDelivered(): boolean {
    return this.#reporter.hearsDelivered
  }

  delivered(call: SegmentCall): void {
    this.#reporter.delivered(call)
  }

  failed(failed: FailedCall): void {
    this.#deduplication.forget(failed.call.remembered)
    this.#reporter.failed(failed)
  }
}
