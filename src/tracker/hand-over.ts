import type { People } from '../destination/people.js'
import type { CollectedEvent } from '../model/event.js'
import type { SegmentCall } from '../model/segment-call.js'
import type { Reporter } from '../observe/reporter.js'
import type { Scope } from './scope.js'
import type { TrackedEvents } from './tracked-events.js'

/** The delivery, as far as calls are handed to it. */
export interface CallReceiver {
  /** Whether a call with this messageId is on its way. */
  isPending(messageId: string | undefined): boolean
  /**
   * Takes a call.
   *
   * @param isKeyed - Whether its messageId comes of a key, so that another call may have the same.
   */
  deliver(call: SegmentCall, isKeyed: boolean): void
}

/** What calls are handed over with. */
export interface HandOverParts {
  readonly events: TrackedEvents
  readonly reporter: Reporter
  readonly people: People
  readonly delivery: CallReceiver
}

/** Hands the calls of events to the delivery, but for those that are on their way already. */
export class HandOver {
  readonly #parts: HandOverParts

  constructor(parts: HandOverParts) {
    this.#parts = parts
  }

  /** Hands over the calls of an event. */
  handOver(tracker: Scope, { key, messageId }: CollectedEvent, calls: readonly SegmentCall[]): void {
    const { reporter, delivery } = this.#parts
    const isKeyed = key !== undefined
    for (const call of calls) {
      if (isKeyed && delivery.isPending(call.params.messageId)) {
        this.#repeated(tracker, messageId, call)
        continue
      }
      reporter.observation.tell?.({ type: 'called', request: tracker.number, event: messageId, call })
      delivery.deliver(call, isKeyed)
    }
  }

  /** The call on its way may say something else of the person: what this one says is not known to Segment. */
  #repeated(tracker: Scope, event: string, call: SegmentCall): void {
    const { events, reporter, people } = this.#parts
    people.forget(call.remembered)
    events.unmade(1, 0)
    reporter.observation.tell?.({ type: 'repeated', request: tracker.number, event, call })
  }
}
