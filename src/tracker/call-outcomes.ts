import type { People } from '../destination/people.js'
import type { FailedCall } from '../model/failure.js'
import type { Remembered, SegmentCall } from '../model/segment-call.js'
import type { Reporter } from '../observe/reporter.js'

/** Hears what has become of calls: tells of it, and remembers of a person what has arrived and nothing else. */
export class CallOutcomes {
  readonly #reporter: Reporter
  readonly #people: People

  constructor(reporter: Reporter, people: People) {
    this.#reporter = reporter
    this.#people = people
  }

  /** Whether anybody wants to hear of calls that have arrived. */
  get hearsDelivered(): boolean {
    return this.#reporter.hearsDelivered
  }

  delivered(call: SegmentCall): void {
    this.#reporter.delivered(call)
  }

  kept(remembered: Remembered): void {
    this.#people.kept(remembered)
  }

  failed(failed: FailedCall): void {
    this.#people.failed(failed.call)
    this.#reporter.failed(failed)
  }
}
