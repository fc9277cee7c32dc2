import type { FailureReason } from '../model/failure.js'
import type { Remembered } from '../model/segment-call.js'
import { wallTime } from '../support/clock.js'
import type { DeliveryReport } from './delivery-report.js'
import type { HeldCalls } from './held-calls.js'
import type { Ledger } from './ledger.js'
import type { StoredCall } from './outbox/outbox.js'
import type { LoadedCall, PassedCall, Place, StoredQueueListener } from './outbox/stored-queue-listener.js'
import type { Outcomes } from './outcomes.js'
import { callOf, type PendingCall, sizeOf } from './pending-call.js'
import type { StoredKeys } from './stored-keys.js'

/** The number of every call that an ended process has left: they are older than all of this one. */
const ADOPTED_NUMBER = 0

/** The parts of {@link StoredCalls}. */
export interface StoredCallsParts {
  readonly held: HeldCalls
  readonly ledger: Ledger
  readonly outcomes: Outcomes
  readonly report: DeliveryReport
  readonly storedKeys: StoredKeys
  /** Whether the outbox is one that other processes write to at the same time. */
  readonly isShared: boolean
  /** Milliseconds that a call may wait. */
  readonly maxAge: number
  /** Calls have their outcome, or are left to others. */
  settled(): void
  /** A look for calls to take has ended. */
  looked(): void
  /** Something about how the outbox is set up may cost calls one day. */
  warn(advice: string): void
}

/** Brings what memory holds and what the outbox holds together: what was stored, what was taken, and what others have. */
export class StoredCalls implements StoredQueueListener<PendingCall> {
  readonly #parts: StoredCallsParts
  /** The newest call of this process that the outbox has handed out. */
  #newestTaken = ADOPTED_NUMBER

  constructor(parts: StoredCallsParts) {
    this.#parts = parts
  }

  kept(remembered: readonly Remembered[]): void {
    for (const each of remembered) this.#parts.outcomes.kept(each)
  }

  stored(calls: readonly { readonly held: PendingCall; readonly place: Place | undefined }[]): void {
    const { pending: all, queue, submitter } = this.#parts.held
    for (const { held: pending, place } of calls) {
      if (place) this.#newestTaken = Math.max(this.#newestTaken, pending.number)
      if (queue?.isUsable) {
        // The outbox may have given back another one of the same key meanwhile.
        const { place: other } = pending
        if (other && other.receipt !== place?.receipt) queue.settled(other)
        pending.place = place
      }
      if (all.get(pending.messageId) === pending) submitter.add(pending)
      else if (place) queue?.settled(place)
    }
    submitter.gather()
  }

  left(calls: readonly PendingCall[]): void {
    const { pending: all } = this.#parts.held
    for (const pending of calls) if (all.get(pending.messageId) === pending) this.#leave(pending)
  }

  isPending(messageId: string): boolean {
    return this.#parts.held.pending.has(messageId)
  }

  letGo(messageId: string): boolean {
    const { pending: all, submitter } = this.#parts.held
    const pending = all.get(messageId)
    if (!pending || pending.place || pending.isSubmitted || !submitter.remove(pending)) return false
    this.#leave(pending)
    return true
  }

  placed(calls: readonly { readonly place: Place; readonly messageId: string }[]): void {
    const { pending: all, queue } = this.#parts.held
    for (const { place, messageId } of calls) {
      const pending = all.get(messageId)
      if (pending && !pending.place) pending.place = place
      else queue?.settled(place)
    }
  }

  /** Calls that only memory holds are stored now. */
  answers(): void {
    const { held, report } = this.#parts
    report.outboxAnswers()
    if (held.isClosed) return
    for (const pending of held.pending.values()) if (!pending.place) this.#store(pending)
  }

  gone(receipts: ReadonlySet<unknown>): void {
    const { held } = this.#parts
    for (const pending of held.pending.values()) {
      if (!pending.place || !receipts.has(pending.place.receipt)) continue
      held.queue?.settled(pending.place)
      pending.place = undefined
      // Once the outbox answers, all are stored that are not.
      if (!held.isClosed && !held.queue?.isHanging) this.#store(pending)
    }
  }

  trimmed(storedAt: readonly number[]): void {
    const { maxAge, outcomes, settled } = this.#parts
    const now = wallTime()
    for (const at of storedAt) outcomes.leftFailed(now - at > maxAge ? 'expired' : 'overflow')
    settled()
  }

  /** Those that ended processes left go before all others. */
  loaded(calls: readonly LoadedCall[]): void {
    const { held, isShared, ledger } = this.#parts
    const { queue, submitter } = held
    for (const loaded of calls) {
      const { call, place, number, refusal } = loaded
      if (this.#isKnown(loaded)) continue
      if (number === undefined) ledger.made()
      else this.#newestTaken = Math.max(this.#newestTaken, number)
      if (refusal !== undefined) {
        queue?.setAside(call, 'rejected', refusal)
        this.#end(loaded, 'rejected', refusal)
        continue
      }
      const pending = this.#hold(number ?? (isShared ? this.#newestTaken : ADOPTED_NUMBER), call)
      pending.place = place
      pending.isAdopted = number === undefined
      if (number !== undefined || isShared) submitter.add(pending)
      else submitter.requeue(pending)
      submitter.due(pending.number)
    }
    submitter.schedule()
  }

  passed(calls: readonly PassedCall[]): void {
    const { pending, submitter } = this.#parts.held
    for (const { number, call, remembered } of calls) {
      // Of two calls of one key the other one goes on.
      if (pending.has(call.messageId)) {
        this.relayed(1)
        continue
      }
      submitter.add(this.#hold(number, call, remembered))
      submitter.due(number)
    }
    submitter.schedule()
  }

  relayed(count: number): void {
    this.#parts.ledger.relayed(count)
    this.#parts.settled()
  }

  /** Those of them that the client has may arrive twice. */
  robbed(receipts: ReadonlySet<unknown>): void {
    const { pending: all, submitter } = this.#parts.held
    let count = 0
    for (const pending of [...all.values()]) {
      if (!pending.place || pending.isSubmitted || !receipts.has(pending.place.receipt)) continue
      if (!submitter.remove(pending)) continue
      all.remove(pending)
      count++
    }
    if (count > 0) this.relayed(count)
  }

  evicted(calls: readonly LoadedCall[]): void {
    for (const evicted of calls) {
      if (this.#isKnown(evicted)) continue
      if (evicted.number === undefined) this.#parts.ledger.made()
      this.#end(evicted, 'overflow', 'the outbox is full')
    }
  }

  lost(count: number): void {
    this.lostOf('damaged', count)
  }

  /** Calls that only the outbox held are lost. */
  lostOf(reason: FailureReason, count: number): void {
    if (count === 0) return
    this.#parts.outcomes.lost(count, reason)
    this.#parts.settled()
  }

  troubled(problem: string, error: unknown, lost: number): void {
    this.#parts.outcomes.leftDamaged(problem, error, lost)
  }

  ready(): void {
    this.#parts.held.submitter.schedule()
  }

  looked(): void {
    this.#parts.looked()
  }

  failed(problem: string, error: unknown): void {
    this.#parts.report.outboxFailed(problem, error)
  }

  degraded(error: unknown): void {
    this.#parts.report.outboxDegraded(error)
  }

  warn(advice: string): void {
    this.#parts.warn(advice)
  }

  /** Stores a call that memory goes on to send. */
  #store(pending: PendingCall): void {
    const { held } = this.#parts
    const { number, remembered } = pending
    held.queue?.add(number, held.storedCallOf(pending), { held: pending, remembered, isPassedOn: true })
  }

  /** Only the outbox has a call from now on. */
  #leave(pending: PendingCall): void {
    const { held, storedKeys } = this.#parts
    held.pending.remove(pending)
    if (pending.isKeyed) storedKeys.add(pending.messageId, pending.number, held.queue?.firstStoredOnly)
  }

  /** Holds a stored call in memory. */
  #hold(number: number, { type, messageId, text, madeAt }: StoredCall, remembered?: Remembered): PendingCall {
    const { held, storedKeys } = this.#parts
    storedKeys.delete(messageId)
    return held.pending.add({
      number,
      type,
      messageId,
      remembered,
      text,
      sdkText: undefined,
      call: undefined,
      objectBytes: 0,
      bytes: sizeOf(text),
      ageMs: Math.max(0, wallTime() - madeAt),
    })
  }

  /**
   * Whether memory has a call already that the outbox hands out, or has sent it: it was written twice, by two events of one
   * key for instance, or because the answer to the first write was lost.
   */
  #isKnown({ call, place, number }: LoadedCall): boolean {
    const { held, ledger, outcomes } = this.#parts
    const known = held.pending.get(call.messageId)
    const isSent = !known && outcomes.hasDelivered(call.messageId)
    if (!known && !isSent) return false
    if (number !== undefined) this.relayed(1)
    else if (isSent || known?.isKeyed || known?.place) ledger.unmade(1, 0)
    if (!known || known.place) held.queue?.settled(place)
    else known.place = place
    return true
  }

  /** Ends a call that was taken and never held. */
  #end({ call: { type, text }, place }: LoadedCall, reason: FailureReason, detail: string): void {
    const { held, outcomes, settled } = this.#parts
    held.queue?.settled(place)
    const call = callOf({ type, text, remembered: undefined, sdkText: undefined, call: undefined })
    outcomes.failed(call, reason, detail)
    settled()
  }
}
