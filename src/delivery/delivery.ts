import type { Logger } from '@walkeros/core'
import type { SegmentCall } from '../model/segment-call.js'
import { performance, setImmediate } from '../support/clock.js'
import { answerWithin } from '../support/maybe.js'
import { Admission } from './admission.js'
import type { Client } from './client.js'
import type { OutcomeListener } from './client-calls.js'
import { Closing, type ClosingResult } from './closing.js'
import { DeliveryReport } from './delivery-report.js'
import { Drain } from './drain.js'
import { FlushWaiters } from './flush-waiters.js'
import type { Gate } from './gate.js'
import type { Health } from './health.js'
import { HeldCalls } from './held-calls.js'
import type { Ledger } from './ledger.js'
import type { Limits } from './limits.js'
import type { Outbox, Waiting } from './outbox/outbox.js'
import { StoredQueue } from './outbox/stored-queue.js'
import { type DeliveryListener, Outcomes } from './outcomes.js'
import { RecentIds } from './recent-ids.js'
import type { SegmentClient } from './segment-client.js'
import { StoredCalls } from './stored-calls.js'
import { StoredKeys } from './stored-keys.js'
import { writeKeyHashOf } from './write-key-hash.js'

/** A messageId takes a tenth of the memory of a call: so many are known, for each call that may wait in memory. */
const STORED_KEYS_A_CALL = 10

/** So many calls that Segment has taken lately are known, and not sent again when a shared outbox hands them out. */
const RECENTLY_DELIVERED = 10_000

/** The parts of a delivery. */
export interface DeliveryParts {
  readonly ledger: Ledger
  readonly logger: Logger.Instance
  readonly listener: DeliveryListener
  readonly limits: Limits
  /** Stores calls until they have their outcome. */
  readonly outbox: Outbox | undefined
  /** Whether this process sends; one that does not leaves its calls in the outbox to others. */
  readonly sends: boolean
  /** The write key: stored calls are sent with no other. */
  readonly writeKey?: string
  /** How many calls are enough for a batch, unless the client says. */
  readonly flushAt: number
  /** Milliseconds after which a partial batch is sent. */
  readonly flushInterval: number
  /** Makes the client. */
  openClient(outcomes: OutcomeListener, gate: Gate): Client
}

/** Delivers calls through the one client, and knows the outcome of each. */
export class Delivery {
  readonly #held: HeldCalls
  readonly #admission: Admission
  readonly #closing: Closing
  readonly #report: DeliveryReport
  readonly #storedKeys: StoredKeys
  readonly #flushWaiters = new FlushWaiters()
  readonly #drain = new Drain(() => this.#held.pending.size === 0 && !this.#held.queue?.isLooking)
  #isFlushCheckScheduled = false

  constructor(parts: DeliveryParts) {
    const { logger, limits, ledger, listener, outbox, sends } = parts
    const writeKeyHash = writeKeyHashOf(parts.writeKey)
    const report = new DeliveryReport(logger)
    const recent = outbox?.isShared ? new RecentIds(RECENTLY_DELIVERED) : undefined
    const outcomes = new Outcomes(ledger, listener, report, recent)
    const storedKeys = new StoredKeys(limits.maxPending * STORED_KEYS_A_CALL)
    const settled = () => this.#settled()
    const held = new HeldCalls({
      limits,
      flushAt: parts.flushAt,
      flushInterval: parts.flushInterval,
      outcomes,
      report,
      writeKeyHash,
      openClient: parts.openClient,
      flushTarget: () => this.#flushWaiters.upTo,
      settled,
    })
    const stored = new StoredCalls({
      held,
      ledger,
      outcomes,
      report,
      storedKeys,
      isShared: outbox?.isShared === true,
      maxAge: limits.maxAge,
      settled,
      looked: () => this.#drain.check(),
      warn: (advice) => logger.warn(advice),
    })
    this.#report = report
    this.#storedKeys = storedKeys
    this.#held = held
    this.#admission = new Admission({ held, ledger, outcomes, limits, sends, storedKeys, writeKeyHash })
    this.#closing = new Closing({
      held,
      stored,
      ledger,
      flush: (timeoutMs) => this.flush(timeoutMs),
      closed: () => report.closed(),
      ended: () => {
        this.#flushWaiters.end()
        this.#drain.end()
      },
    })
    if (outbox) held.queue = new StoredQueue(outbox, { writeKeyHash, sends }, stored)
  }

  /** The client, which is made now if it has not been needed yet. */
  get client(): SegmentClient {
    return this.#held.client.analytics
  }

  /** Makes the client before the first call needs it, if this process sends. Never throws: the calls will tell. */
  openClient(): void {
    this.#admission.openClient()
  }

  /**
   * Counts the calls without an outcome where they really are. The ledger computes the same number from its sums; after the
   * shutdown they are those that it has left in the outbox.
   */
  countPending(): number {
    const { client, queue, submitter } = this.#held
    const stored = queue ? queue.unwritten + queue.storedOnly : 0
    return submitter.waiting + (client.calls.size - client.calls.direct) + stored + this.#closing.kept
  }

  /** How many calls have failed that the application made on the client itself. */
  get directFailed(): number {
    return this.#held.client.calls.directFailed
  }

  /** How many calls would be lost if the process ended now, the application's own on the client included. */
  get ifEndedNow(): { readonly lost: number; readonly kept: number } {
    const { client, pending, queue } = this.#held
    const stored = [...pending.values()].filter(({ place }) => place !== undefined).length
    const kept = stored + (queue?.storedOnly ?? 0)
    return { lost: pending.size - stored + client.calls.direct, kept }
  }

  /** Whether a call with this messageId is in flight, waits, or lies in the outbox as one of this process. */
  isPending(messageId: string | undefined): boolean {
    if (messageId === undefined) return false
    const { pending, queue } = this.#held
    return pending.has(messageId) || this.#storedKeys.has(messageId, queue?.firstStoredOnly)
  }

  /**
   * Delivers a call. Never throws: an undeliverable call fails.
   *
   * @param isKeyed - Whether another call may have its messageId.
   */
  deliver(call: SegmentCall, isKeyed = false): void {
    this.#admission.admit(call, isKeyed)
  }

  /** Resolves when every call made before has its outcome, or the time is over. */
  async flush(timeoutMs: number): Promise<void> {
    const { client, submitter } = this.#held
    const direct = client.calls.directSettled(timeoutMs)
    if (client.calls.direct > 0) submitter.schedule()
    await Promise.all([direct, this.#flushCalls(timeoutMs)])
  }

  async #flushCalls(timeoutMs: number): Promise<void> {
    const { newest, pending, queue, submitter } = this.#held
    if (pending.size === 0 && !queue?.storedOnly) return
    submitter.due(newest)
    void queue?.commit()
    submitter.schedule()
    await this.#flushWaiters.wait(newest, timeoutMs)
  }

  /** Resolves when the outbox has nothing more to take and all that was taken has its outcome, or the time is over. */
  async drain(timeoutMs: number): Promise<void> {
    const { queue } = this.#held
    const deadline = performance.now() + timeoutMs
    const drained = this.#drain.wait(timeoutMs)
    queue?.look()
    await Promise.all([drained, this.flush(timeoutMs)])
    const removed = queue?.commit()
    if (removed) await answerWithin(removed, Math.max(0, deadline - performance.now()))
  }

  /** Whether there is an outbox that cannot be used at the moment. */
  get isOutboxAway(): boolean {
    const { queue } = this.#held
    return queue !== undefined && (!queue.isUsable || queue.isHanging)
  }

  /** What waits in the outbox, of all processes; `undefined` where it cannot tell. */
  async waiting(): Promise<Waiting | undefined> {
    return this.#held.queue?.waiting()
  }

  /** Whether calls get through. */
  health(): Health {
    const { gate, pending } = this.#held
    const { longestWaitMs: oldestPendingMs } = pending
    return this.#report.health({ pending: this.countPending(), oldestPendingMs }, gate.state, gate.lastError)
  }

  /** Sends the rest and closes the client. */
  async close(timeoutMs: number): Promise<ClosingResult> {
    return this.#closing.close(timeoutMs)
  }

  /** Calls have their outcome, or are left to others. */
  #settled(): void {
    const { queue, submitter } = this.#held
    this.#drain.check()
    const isAwaited = this.#flushWaiters.upTo !== undefined
    if (isAwaited) this.#scheduleFlushCheck()
    if (submitter.size > 0 || isAwaited || queue?.hasMore) submitter.schedule()
  }

  /** Checks once a turn: finding the oldest call takes longer, the more calls have been removed from the map. */
  #scheduleFlushCheck(): void {
    if (this.#isFlushCheckScheduled) return
    this.#isFlushCheckScheduled = true
    setImmediate(() => {
      this.#isFlushCheckScheduled = false
      this.#flushWaiters.settledBefore(this.#oldest())
      // Calls made during the flush may have been held back for it.
      if (this.#held.submitter.size > 0) this.#held.submitter.schedule()
    })
  }

  /** The oldest call that a flush waits for. */
  #oldest(): number {
    const { pending, queue } = this.#held
    const stored = queue?.firstStoredOnly ?? Number.POSITIVE_INFINITY
    for (const { number, isAdopted } of pending.values()) {
      if (!isAdopted || this.#closing.hasBegun) return Math.min(number, stored)
    }
    return stored
  }
}
