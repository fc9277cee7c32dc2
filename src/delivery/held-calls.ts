import type { FailureReason } from '../model/failure.js'
import type { SegmentCall } from '../model/segment-call.js'
import { performance, wallTime } from '../support/clock.js'
import { isInstance } from '../support/instance.js'
import type { Client } from './client.js'
import type { CallSummary, OutcomeListener } from './client-calls.js'
import type { DeliveryReport } from './delivery-report.js'
import { ClientClosed, type Fault, faultOf, messageOf } from './failure.js'
import { Gate } from './gate.js'
import type { Limits } from './limits.js'
import { memoryOf } from './object-memory.js'
import type { StoredCall } from './outbox/outbox.js'
import type { StoredQueue } from './outbox/stored-queue.js'
import type { Outcomes } from './outcomes.js'
import { callOf, type PendingCall, textOf } from './pending-call.js'
import { PendingCalls } from './pending-calls.js'
import { Submitter } from './submitter.js'

/** The share of `maxBytes` that waiting calls may take as objects: four megabytes. */
const OBJECT_SHARE = 1 / 16
/** The share of `maxBytes` that calls may take as objects while the client holds them: sixteen megabytes. */
const CLIENT_SHARE = 1 / 4

/** The parts of {@link HeldCalls}. */
export interface HeldCallsParts {
  readonly limits: Limits
  /** How many calls are enough for a batch, unless the client says. */
  readonly flushAt: number
  /** Milliseconds after which a partial batch is sent. */
  readonly flushInterval: number
  readonly outcomes: Outcomes
  readonly report: DeliveryReport
  /** The write key's hash, which stored calls have. */
  readonly writeKeyHash: string | undefined
  /** Makes the client. */
  openClient(outcomes: OutcomeListener, gate: Gate): Client
  /** The newest call that a `flush()` waits for; `undefined` without one. */
  flushTarget(): number | undefined
  /** Calls have their outcome, or are left to others. */
  settled(): void
}

/** The calls that this process holds, in memory and in the client, each until it has its outcome. */
export class HeldCalls {
  readonly client: Client
  readonly gate: Gate
  readonly pending: PendingCalls
  readonly submitter: Submitter
  /** Stores calls, where there is an outbox. */
  queue: StoredQueue<PendingCall> | undefined
  /** Whether the delivery is closed. */
  isClosed = false
  /** Why the client takes no calls any more. */
  clientError: string | undefined
  /** The number of the newest call. */
  newest = 0
  readonly #parts: HeldCallsParts

  constructor(parts: HeldCallsParts) {
    const { limits, report, flushInterval } = parts
    this.#parts = parts
    this.gate = new Gate(limits.maxInFlight)
    this.gate.onChange((state) => report.gateChanged(state, this.pending.size, this.gate.lastError))
    this.client = parts.openClient(
      {
        delivered: (messageId) => this.#delivered(messageId),
        failed: (settled, reason) => this.#failed(settled, reason),
        directFailed: (settled, reason) => report.directFailed(settled, reason),
        listenerFailed: (event, error) =>
          report.clientFailed(`a listener of the Segment client's event ${event} failed`, error),
      },
      this.gate,
    )
    this.pending = new PendingCalls(limits.maxAge, () => {
      // Calls inside the client come back first, unless they are in flight.
      this.client.recall()
      this.submitter.schedule()
    })
    const { isOwn, traits } = this.client
    const flushAt = Math.max(1, (isOwn ? undefined : traits?.flushAt) ?? parts.flushAt)
    const maxBatch = isOwn ? limits.maxBatch : flushAt
    this.submitter = new Submitter({
      client: this.client,
      gate: this.gate,
      flushAt: Math.min(flushAt, maxBatch),
      maxBatch,
      flushInterval,
      maxMemory: limits.maxBytes * CLIENT_SHARE,
      flushTarget: parts.flushTarget,
      beforeSubmit: () => this.#expire(),
      onCapacity: () => this.queue?.take(),
      refused: (pending, error) => {
        if (isInstance(error, ClientClosed)) this.#clientClosed(pending, error)
        else this.end(pending, 'rejected', messageOf(error))
      },
      flushFailed: (error) => report.clientFailed('the Segment client could not be flushed', error),
    })
  }

  /**
   * Makes the client, unless it is there: calls that wait would otherwise load the SDK at a later time, when a test that made
   * them may be over and its runner refuse to load anything.
   *
   * @returns Why there is none that takes calls.
   */
  openClient(): string | undefined {
    if (this.clientError !== undefined) return this.clientError
    try {
      this.client.open()
    } catch (error) {
      this.#parts.report.clientFailed('there is no Segment client', error)
      this.#stopFor(error)
    }
    return this.clientError
  }

  /** Bytes of memory of a call that may wait as an object; 0 where the others leave no room for it. */
  objectBytesOf({ params }: SegmentCall): number {
    const room = this.#parts.limits.maxBytes * OBJECT_SHARE - this.pending.objectBytes
    const bytes = memoryOf(params, room)
    return bytes <= room ? bytes : 0
  }

  /** Fails a call for good. */
  end(pending: PendingCall, reason: FailureReason, detail: string | undefined): void {
    this.release(pending)
    this.pending.remove(pending)
    if (pending.place) {
      if (reason === 'rejected' || reason === 'expired')
        this.queue?.setAside(this.storedCallOf(pending), reason, detail)
      this.queue?.settled(pending.place)
    }
    this.#parts.outcomes.failed(callOf(pending), reason, detail)
    this.#parts.settled()
  }

  /** Takes a call from the client or the outbox's queue, if one of them holds it. */
  release(pending: PendingCall): void {
    if (pending.isSubmitted) {
      this.submitter.settled(pending)
      this.client.calls.forget(pending.messageId)
    } else this.queue?.forget(pending)
  }

  /** A call as the outbox stores it. */
  storedCallOf(pending: PendingCall): StoredCall {
    const { type, messageId, madeAt } = pending
    const born = Math.round(wallTime() - (performance.now() - madeAt))
    return { type, messageId, madeAt: born, text: textOf(pending), writeKeyHash: this.#parts.writeKeyHash }
  }

  #delivered(messageId = ''): void {
    const pending = this.pending.get(messageId)
    if (!pending?.isSubmitted) return
    this.submitter.settled(pending)
    this.pending.remove(pending)
    if (pending.place) this.queue?.settled(pending.place)
    this.#parts.outcomes.delivered(pending)
    if (!this.client.isOwn) this.gate.succeeded()
    this.#parts.outcomes.tellDelivered(pending)
    this.#parts.settled()
  }

  #failed({ messageId = '' }: CallSummary, reason: unknown): void {
    const pending = this.pending.get(messageId)
    if (!pending?.isSubmitted) return
    this.submitter.settled(pending)
    this.pending.dropObject(pending)
    const fault = faultOf(reason)
    if (fault.kind === 'too-large') return this.end(pending, 'too-large', fault.detail)
    if (fault.kind === 'rejected') return this.#refused(pending, fault)
    if (fault.kind === 'cancelled') return this.end(pending, 'cancelled', fault.detail)
    if (fault.kind === 'closed') return this.#clientClosed(pending, reason)
    this.submitter.requeue(pending)
    if (!this.client.isOwn) {
      if (fault.kind === 'refused') this.gate.refused(fault.detail)
      else this.gate.failed(fault.detail)
    }
    this.submitter.schedule()
  }

  /** The application has closed the client, or there is none: stored calls are left to the next process, the others fail. */
  #clientClosed(pending: PendingCall, reason: unknown): void {
    const detail = this.#stopFor(reason)
    if (pending.place) {
      this.submitter.requeue(pending)
      return this.#parts.report.outboxFailed('calls stay in the outbox', reason)
    }
    this.end(pending, 'closed', detail)
    if (this.queue) return
    for (let next = this.submitter.takeAny(); next; next = this.submitter.takeAny()) {
      this.end(next, 'closed', detail)
    }
  }

  /** Gives the client nothing any more, and tells why. */
  #stopFor(reason: unknown): string {
    const detail = messageOf(reason)
    this.clientError = detail
    this.submitter.stop()
    return detail
  }

  #refused(pending: PendingCall, { detail }: Fault): void {
    if (this.client.isOwn || pending.isSuspect) return this.end(pending, 'rejected', detail)
    this.submitter.suspect(pending)
  }

  /** Fails the calls that have waited too long. */
  #expire(): void {
    const { next } = this.submitter
    for (let aged = next; aged && this.pending.isTooOld(aged); aged = this.submitter.next) {
      this.submitter.take()
      this.end(aged, 'expired', this.gate.lastError)
    }
  }
}
