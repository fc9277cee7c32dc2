import type { DropReason } from '../model/drop.js'
import type { FailureReason } from '../model/failure.js'
import type { Unsettled } from './process-end.js'
import { ViolationCounter, type ViolationCounts } from './violation-counts.js'

// A record, so that the compiler finds a missing reason.
const NO_DROPS: Readonly<Record<DropReason, number>> = {
  invalid: 0,
  'too-large': 0,
  consent: 0,
  identity: 0,
  ignored: 0,
  sampled: 0,
  withheld: 0,
  outcome: 0,
  skipped: 0,
  plan: 0,
  refused: 0,
  disabled: 0,
  discarded: 0,
  closed: 0,
  overflow: 0,
  error: 0,
}
const NO_FAILURES: Readonly<Record<FailureReason, number>> = {
  overflow: 0,
  rejected: 0,
  unreachable: 0,
  timeout: 0,
  'too-large': 0,
  expired: 0,
  cancelled: 0,
  damaged: 0,
  closed: 0,
}

/**
 * The outcome of every event and every call. At any moment `tracked = open + dispatched + Σ dropped` and
 * `made = delivered + pending + relayed + Σ failed`.
 */
export interface TrackingStats {
  /** One for every call of a tracker's method, misuse included. */
  readonly events: {
    readonly tracked: number
    /** Collected; the request has not ended. */
    readonly open: number
    /** Turned into calls, or known to Segment already. */
    readonly dispatched: number
    readonly dropped: Readonly<Record<DropReason, number>>
  }
  /** One event can make several calls. */
  readonly calls: {
    readonly made: number
    readonly delivered: number
    /** Without an outcome yet, also while they wait for a retry. */
    readonly pending: number
    /** Written to an outbox that other processes read, and sent by one of them: they count it there, too. */
    readonly relayed: number
    /** Not made, since Segment knows the same already, or since a call of the same event's key is on its way. */
    readonly deduplicated: number
    /** Not made, since `beforeSend` withheld them. */
    readonly withheld: number
    /** Failed for good, by reason. */
    readonly failed: Readonly<Record<FailureReason, number>>
  }
  /**
   * What events had otherwise than the tracking plan says, by event and problem:
   * `{ 'order complete': { 'total is a string': 2 } }`. Kinds beyond 1,000 are counted together.
   */
  readonly violations: ViolationCounts
}

/** Keeps the books: every event and every call ends in exactly one of its columns. */
export class Ledger {
  #tracked = 0
  #dispatched = 0
  #made = 0
  #delivered = 0
  #relayed = 0
  #deduplicated = 0
  #withheld = 0
  readonly #dropped = { ...NO_DROPS }
  readonly #failed = { ...NO_FAILURES }
  readonly #violations = new ViolationCounter()
  readonly #unsettled: Unsettled
  /** Called after every change. */
  onChange: (() => void) | undefined

  /** @param unsettled - Counts open events and pending calls together. */
  constructor(unsettled: Unsettled) {
    this.#unsettled = unsettled
  }

  /** An event was tracked; it is open until it is dispatched or dropped. */
  tracked(): void {
    this.#tracked++
    this.#unsettled.begin()
    this.onChange?.()
  }

  /** An open event has become calls. */
  dispatched(): void {
    this.#dispatched++
    this.#unsettled.end()
    this.onChange?.()
  }

  /** Calls of an event were not made. */
  unmade(deduplicated: number, withheld: number): void {
    this.#deduplicated += deduplicated
    this.#withheld += withheld
  }

  /** An open event is dropped. */
  dropped(reason: DropReason): void {
    this.#dropped[reason]++
    this.#unsettled.end()
    this.onChange?.()
  }

  /** A call was made; it is pending until it is delivered or has failed. */
  made(): void {
    this.#made++
    this.#unsettled.begin()
    this.onChange?.()
  }

  /** A pending call has arrived. */
  delivered(): void {
    this.#delivered++
    this.#unsettled.end()
    this.onChange?.()
  }

  /** A pending call has failed for good. */
  failed(reason: FailureReason): void {
    this.#failed[reason]++
    this.#unsettled.end()
    this.onChange?.()
  }

  /** Pending calls are sent by other processes. */
  relayed(count: number): void {
    this.#relayed += count
    for (let left = count; left > 0; left--) this.#unsettled.end()
    this.onChange?.()
  }

  /** Pending calls stay in the outbox for the next process: they remain pending, and nobody waits for them. */
  kept(count: number): void {
    for (let left = count; left > 0; left--) this.#unsettled.end()
  }

  /**
   * An event has something otherwise than the tracking plan says.
   *
   * @returns Whether it is the first time that this event has this.
   */
  violated(event: string, problem: string): boolean {
    return this.#violations.count(event, problem)
  }

  /** A plain copy of the counts. */
  stats(): TrackingStats {
    const dropped = { ...this.#dropped }
    const failed = { ...this.#failed }
    return {
      events: {
        tracked: this.#tracked,
        open: this.#tracked - this.#dispatched - sum(dropped),
        dispatched: this.#dispatched,
        dropped,
      },
      calls: {
        made: this.#made,
        delivered: this.#delivered,
        pending: this.#made - this.#delivered - this.#relayed - sum(failed),
        relayed: this.#relayed,
        deduplicated: this.#deduplicated,
        withheld: this.#withheld,
        failed,
      },
      violations: this.#violations.counts(),
    }
  }
}

/** The total of a record of counts. */
export function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
