import type { WalkerOS } from '@walkeros/core'
import type { Ledger } from '../delivery/index.js'
import type { DropReason } from '../model/drop.js'
import { type CollectedEvent, eventMembers, type GivenEvent, type PartialEvent } from '../model/event.js'
import type { Violation } from '../model/violation.js'
import type { Reporter } from '../observe/reporter.js'
import type { OpenEvent } from './event-list.js'

/** How many events trackers may hold, and how many bytes of memory these may take. */
interface CollectedBounds {
  readonly maxPending: number
  readonly maxBytes: number
}

/** Counts and reports each event that a tracker takes in, until it is dispatched or dropped; requests go by number. */
export class TrackedEvents {
  readonly #ledger: Ledger
  readonly #reporter: Reporter
  #refusal: 'closed' | 'disabled' | undefined
  /** Events between a tracker's method and its list, or between its list and their outcome. */
  #inHand = 0
  /** Events in the lists of trackers, and about how many bytes of memory they take. */
  #held = 0
  #heldMemory = 0
  readonly #bounds: CollectedBounds

  /**
   * @param disabled - Whether the config turns tracking off.
   * @param bounds - The bounds of the delivery: they hold for collected events as they do for waiting calls.
   */
  constructor(ledger: Ledger, reporter: Reporter, disabled: boolean, bounds: CollectedBounds) {
    this.#bounds = bounds
    this.#ledger = ledger
    this.#reporter = reporter
    this.#refusal = disabled ? 'disabled' : undefined
  }

  /** Why no further event can be tracked; `undefined` while events can be. */
  get refusal(): 'closed' | 'disabled' | undefined {
    return this.#refusal
  }

  /** Refuses every event from now on. */
  close(): void {
    this.#refusal ??= 'closed'
  }

  /** A tracker's method was called. Exactly one of the other methods follows for each event. */
  tracked(): void {
    this.#inHand++
    this.#ledger.tracked()
  }

  /** How many events are on their way between lists: with those in the lists of trackers, all that are open. */
  get inHand(): number {
    return this.#inHand
  }

  /** Whether one more event may wait in a tracker's list. */
  hasRoomFor({ memory }: CollectedEvent): boolean {
    const { maxPending, maxBytes } = this.#bounds
    return this.#held < maxPending && this.#heldMemory + memory <= maxBytes
  }

  /** Events were taken from a tracker's list. */
  taken(events: readonly OpenEvent[]): void {
    this.#held -= events.length
    this.#inHand += events.length
    for (const { collected } of events) this.#heldMemory -= collected.memory
  }

  /** An event has come back to its tracker's list. */
  kept({ collected }: OpenEvent): void {
    this.#held++
    this.#inHand--
    this.#heldMemory += collected.memory
  }

  /** A tracker has collected an event. */
  collected(request: number, collected: CollectedEvent): void {
    this.#inHand--
    this.#held++
    this.#heldMemory += collected.memory
    this.#reporter.observation.tell?.({
      type: 'tracked',
      request,
      event: collected.messageId,
      name: collected.name,
      timestamp: collected.timestamp,
      method: collected.direct?.type,
    })
  }

  /** An event has something otherwise than the tracking plan says. */
  violated(violation: Violation): void {
    this.#reporter.violated(violation, this.#ledger.violated(violation.event, violation.problem))
  }

  /** An event became calls, or turned out to be known already. */
  dispatched(): void {
    this.#inHand--
    this.#ledger.dispatched()
  }

  /** Calls of an event were not made: Segment knows the same already, or `beforeSend` withheld them. */
  unmade(deduplicated: number, withheld: number): void {
    this.#ledger.unmade(deduplicated, withheld)
  }

  /** An event is dropped before it was complete. */
  refused(request: number, event: GivenEvent, reason: DropReason, messageId = ''): void {
    this.dropped(request, readable(event), messageId, reason)
  }

  /** An event could not be collected, because a part of it throws when it is read. */
  unreadable(request: number, event: GivenEvent, error: unknown): void {
    this.#reporter.fault('an event could not be collected', error)
    this.refused(request, event, 'error')
  }

  /** An event is dropped. */
  dropped(
    request: number,
    event: PartialEvent | WalkerOS.Event,
    messageId: string,
    reason: DropReason,
    required?: WalkerOS.Consent,
  ): void {
    this.#inHand--
    this.#ledger.dropped(reason)
    this.#reporter.dropped({ event, reason, ...(required && { required }) }, request, messageId)
  }
}

/** A copy of an event as it was given; an empty one where a member of it throws. */
function readable(event: GivenEvent): PartialEvent {
  try {
    const { name, data, ...rest } = eventMembers(event)
    return {
      ...rest,
      ...(typeof name === 'string' && { name }),
      ...(typeof data === 'object' && data !== null && { data }),
    }
  } catch {
    return {}
  }
}
