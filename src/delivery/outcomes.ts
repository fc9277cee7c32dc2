import type { FailedCall, FailureReason } from '../model/failure.js'
import type { Remembered, SegmentCall } from '../model/segment-call.js'
import { channels } from '../observe/channels.js'
import type { DeliveryReport } from './delivery-report.js'
import type { Ledger } from './ledger.js'
import { callOf, type PendingCall } from './pending-call.js'
import type { RecentIds } from './recent-ids.js'

/** Hears the outcome of every call. */
export interface DeliveryListener {
  /** Whether anybody wants to know which calls have arrived. */
  readonly hearsDelivered: boolean
  delivered(call: SegmentCall): void
  /** A call that says something of a person has arrived, or is stored: nothing of this process is needed for it any more. */
  kept?(remembered: Remembered): void
  failed(failed: FailedCall): void
}

/** Tells what has become of calls: in the books, in the log, on the channels, and to whoever listens. */
export class Outcomes {
  readonly #ledger: Ledger
  readonly #listener: DeliveryListener
  readonly #report: DeliveryReport
  readonly #recent: RecentIds | undefined

  /** @param recent - Keeps the calls that have arrived lately, where others may hand them out once more. */
  constructor(ledger: Ledger, listener: DeliveryListener, report: DeliveryReport, recent?: RecentIds) {
    this.#ledger = ledger
    this.#listener = listener
    this.#report = report
    this.#recent = recent
  }

  /** Whether the application wants to know which calls have arrived. */
  get hearsDelivered(): boolean {
    return this.#listener.hearsDelivered
  }

  /** What a call says of a person is as good as said. */
  kept(remembered: Remembered): void {
    this.#listener.kept?.(remembered)
  }

  /** A call has arrived. */
  delivered(pending: PendingCall): void {
    if (!pending.place && pending.remembered) this.kept(pending.remembered)
    this.#recent?.add(pending.messageId)
    this.#ledger.delivered()
  }

  /** Whether a call has arrived lately, as far as that is kept. */
  hasDelivered(messageId: string): boolean {
    return this.#recent?.has(messageId) === true
  }

  /** Tells whoever wants to know that a call has arrived. */
  tellDelivered(pending: PendingCall): void {
    if (!channels.delivered.hasSubscribers && !this.hearsDelivered) return
    const call = callOf(pending)
    if (channels.delivered.hasSubscribers) channels.delivered.publish({ call })
    this.#listener.delivered(call)
  }

  /** A new call, which nothing holds, has failed. */
  refused(call: SegmentCall, reason: FailureReason, detail: string | undefined): void {
    this.#ledger.made()
    this.failed(call, reason, detail)
  }

  /** A call has failed for good. */
  failed(call: SegmentCall, reason: FailureReason, detail: string | undefined): void {
    const failed = { call, reason, detail }
    this.#ledger.failed(reason)
    this.#report.failed(call.type, reason, detail)
    if (channels.failed.hasSubscribers) channels.failed.publish(failed)
    this.#listener.failed(failed)
  }

  /** Calls that only the outbox held are lost; nobody can say which. */
  lost(count: number, reason: FailureReason): void {
    for (let left = count; left > 0; left--) this.#ledger.failed(reason)
    this.#report.lost(count)
  }

  /** A call that others have left counts as made here, and has failed. */
  leftFailed(reason: FailureReason): void {
    this.#ledger.made()
    this.#ledger.failed(reason)
  }

  /** Calls that others have left count as made here, and some of them are lost. */
  leftDamaged(problem: string, error: unknown, lost: number): void {
    this.#report.storeDamaged(problem, error, lost)
    for (let left = lost; left > 0; left--) this.leftFailed('damaged')
  }
}
