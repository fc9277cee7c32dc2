import type { SegmentCall } from '../model/segment-call.js'
import { clearTimeout, setImmediate, setTimeout } from '../support/clock.js'
import type { Client } from './client.js'
import { ClientFlush } from './client-flush.js'
import type { Gate } from './gate.js'
import { Linger } from './linger.js'
import { memoryOf } from './object-memory.js'
import { callOf, faultOfCall, type PendingCall } from './pending-call.js'
import { WaitingRoom } from './waiting-room.js'

/** The parts of a submitter, and what it asks the delivery. */
export interface SubmitterParts {
  readonly client: Client
  readonly gate: Gate
  /** How many calls are enough for a batch. */
  readonly flushAt: number
  /** How many calls fill a batch: where it is more than `flushAt`, enough calls wait a little for others. */
  readonly maxBatch: number
  /** Milliseconds after which a partial batch is sent. */
  readonly flushInterval: number
  /** Bytes of memory that calls may take as objects while the client holds them. */
  readonly maxMemory: number
  /** The newest call that a `flush()` waits for; `undefined` without one. */
  flushTarget(): number | undefined
  /** Called before a scheduled submission, so that expired calls are removed first. */
  beforeSubmit(): void
  /** There is room for calls that only the outbox holds. */
  onCapacity(): void
  /** The client threw for a call. */
  refused(pending: PendingCall, error: unknown): void
  /** The client's `flush()` failed. */
  flushFailed(error: unknown): void
}

/**
 * Queues calls and submits them to the client, a few batches at a time, when they are full or due. It submits nothing on
 * the turn on which the client reports an outcome, and nothing while the client is flushed.
 */
export class Submitter {
  readonly #parts: SubmitterParts
  readonly #room = new WaitingRoom()
  readonly #suspects: PendingCall[] = []
  #submitted = 0
  /** Calls of the batch that is being submitted, which no list has. */
  #inHand = 0
  /** Bytes of memory of the submitted calls. */
  #memory = 0
  readonly #flush: ClientFlush
  #isScheduled = false
  /** Calls up to this one go in partial batches, too. */
  #due = 0
  #newest = 0
  #interval: NodeJS.Timeout | undefined
  readonly #linger: Linger
  #stopped = false

  constructor(parts: SubmitterParts) {
    this.#parts = parts
    this.#linger = new Linger({
      maxMs: parts.flushInterval,
      newest: () => this.#newest,
      over: () => this.#sendGathered(),
    })
    this.#flush = new ClientFlush(parts.client, parts.flushFailed, () => this.schedule())
    parts.gate.onOpen(() => this.schedule())
    parts.client.onQuiet = () => this.schedule()
  }

  /** How many calls wait. */
  get size(): number {
    return this.#room.size + this.#suspects.length
  }

  /** How many wait that the client does not hold. */
  get waiting(): number {
    return this.size + this.#inHand - (this.#suspects[0]?.isSubmitted ? 1 : 0)
  }

  /** The next call. */
  get next(): PendingCall | undefined {
    return this.#room.next
  }

  /** The client's running flush. */
  get flushing(): Promise<void> | undefined {
    return this.#flush.running
  }

  /** Adds a new call behind all others. */
  add(pending: PendingCall): void {
    this.#room.add(pending)
    this.#newest = Math.max(this.#newest, pending.number)
    if (!this.#parts.client.isOwn) this.due(pending.number)
  }

  /** Calls up to this one go in partial batches, too. */
  due(number: number): void {
    this.#due = Math.max(this.#due, number)
  }

  /** Returns a call, which goes before all new ones. */
  requeue(pending: PendingCall): void {
    this.due(pending.number)
    if (pending.isSuspect) this.#suspects.unshift(pending)
    else this.#room.requeue(pending)
  }

  /** Removes the next call. */
  take(): PendingCall | undefined {
    return this.#room.take()
  }

  /** Removes any call that the client does not hold. */
  takeAny(): PendingCall | undefined {
    const suspect = this.#suspects.at(-1)
    return suspect && !suspect.isSubmitted ? this.#suspects.pop() : this.#room.take()
  }

  /** Removes the next call whose number is at least `number`. */
  takeFrom(number: number): PendingCall | undefined {
    return this.#room.takeFrom(number)
  }

  /** Removes a call, and tells whether it waited. */
  remove(pending: PendingCall): boolean {
    const suspect = this.#suspects.indexOf(pending)
    if (suspect >= 0 && !pending.isSubmitted) return this.#suspects.splice(suspect, 1).length > 0
    return this.#room.remove(pending)
  }

  /** The client has reported the outcome of a call. */
  settled(pending: PendingCall): void {
    this.#submitted--
    this.#memory -= pending.clientBytes
    this.#flush.settled()
    pending.isSubmitted = false
    if (pending.isSuspect) this.#clear(pending)
  }

  /**
   * Segment has refused the call's batch. The application's own client fails a batch as a whole, so its calls are sent one
   * by one: only the refused call is lost.
   */
  suspect(pending: PendingCall): void {
    pending.isSuspect = true
    this.#suspects.push(pending)
    this.schedule()
  }

  /** Submits full batches now, calls that are enough for one when no more keep coming, and the rest after the flush interval. */
  gather(): void {
    if (this.#stopped) return
    const { client, flushAt, maxBatch } = this.#parts
    const { size } = this.#room
    if (size >= maxBatch || !client.isOwn) return this.#submitBatches()
    if (size >= flushAt) this.#linger.begin()
    if (!this.#interval) this.#gatherFor(this.#parts.flushInterval)
  }

  /** Kept separate: a function that contains a closure allocates for it on every call. */
  #gatherFor(ms: number): void {
    this.#interval = setTimeout(() => {
      this.#interval = undefined
      this.#sendGathered()
    }, ms)
    this.#interval.unref()
  }

  #sendGathered(): void {
    this.due(this.#newest)
    this.#submitBatches()
  }

  /** Submits on a later turn: the client takes nothing while it reports an outcome. */
  schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#advance()
    })
  }

  /** Submits nothing any more. */
  stop(): void {
    this.#stopped = true
    this.#stopInterval()
    this.#flush.stop()
  }

  #stopInterval(): void {
    this.#linger.end()
    clearTimeout(this.#interval)
    this.#interval = undefined
  }

  /** The most calls that the client may hold. With fewer than two batches, one would wait for the other. */
  get #window(): number {
    const { maxBatch, gate } = this.#parts
    return maxBatch * Math.max(2, gate.limit)
  }

  get #isOpen(): boolean {
    const { isOpen } = this.#parts.gate
    return isOpen && !this.#flush.isHolding && this.#suspects.length === 0 && !this.#stopped
  }

  #submitBatches(): void {
    const { client, maxBatch } = this.#parts
    while (this.#isOpen) {
      const { next } = this.#room
      if (!next) this.#stopInterval()
      if (!next || (!client.isOwn && next.number > (this.#parts.flushTarget() ?? next.number))) return
      const isDue = next.number <= this.#due
      if (!isDue && this.#room.size < maxBatch) return this.gather()
      const size = client.isOwn ? maxBatch : 1
      if (this.#submitted > 0 && this.#submitted + size > this.#window) return
      const batch = this.#takeBatch(size)
      if (this.#carry(batch)) this.#inHand -= batch.length
      else this.#submitEach(batch)
      if (this.#isFull && batch.length < size) return
    }
  }

  /** Whether the calls that the client holds take as much memory as they may. */
  get #isFull(): boolean {
    return this.#submitted > 0 && this.#memory >= this.#parts.maxMemory
  }

  #takeBatch(size: number): PendingCall[] {
    const batch: PendingCall[] = []
    while (batch.length < size && !this.#isFull) {
      const pending = this.#room.take()
      if (!pending) break
      if (this.#refuse(pending)) continue
      this.#hold(pending)
      this.#inHand++
      batch.push(pending)
    }
    return batch
  }

  /** Refuses what is no call, as an outbox may hand it out, and tells whether it is none. */
  #refuse(pending: PendingCall): boolean {
    if (pending.call || pending.sdkText !== undefined) return false
    pending.call = callOf(pending)
    const fault = faultOfCall(pending, pending.call)
    if (fault !== undefined) this.#parts.refused(pending, new Error(fault))
    return fault !== undefined
  }

  #hold(pending: PendingCall): void {
    pending.isSubmitted = true
    if (pending.sdkText === undefined) pending.call ??= callOf(pending)
    pending.clientBytes = pending.call ? memoryInClient(pending, pending.call) : pending.bytes
    this.#memory += pending.clientBytes
    this.#submitted++
  }

  /** Submits calls one by one: the client's listeners may look at the books at each. */
  #submitEach(batch: readonly PendingCall[]): void {
    for (const pending of batch) {
      this.#inHand--
      this.#submit(pending)
    }
  }

  /** @returns Whether the client has taken a whole batch as one call. */
  #carry(batch: readonly PendingCall[]): boolean {
    const { client } = this.#parts
    if (!client.carries || batch.length === 0) return false
    const messageIds: string[] = []
    const texts: string[] = []
    for (const pending of batch) {
      const text = pending.sdkText ?? (pending.call && client.textOf(pending.call))
      if (text === undefined) return false
      messageIds.push(pending.messageId)
      texts.push(text)
    }
    return client.carry(messageIds, texts)
  }

  #advance(): void {
    const { client } = this.#parts
    if (this.#flush.isHolding || this.#stopped) return
    this.#parts.beforeSubmit()
    const isAlone = this.#submitSuspect()
    this.#submitBatches()
    if (this.#room.size < this.#window) this.#parts.onCapacity()
    if (client.isOwn || !client.isQuiet) return
    const isDue = this.#submitted > 0 && (isAlone || this.#holdsFlushTarget())
    if (isDue || client.calls.isDirectAwaited) this.#flush.begin()
  }

  /** Whether the client holds every call that a flush waits for; the last may sit in a partial batch. */
  #holdsFlushTarget(): boolean {
    const flushTarget = this.#parts.flushTarget()
    if (flushTarget === undefined) return false
    const { next } = this.#room
    return !next || next.number > flushTarget
  }

  #submit(pending: PendingCall): void {
    const call = callOf(pending)
    if (!pending.call) {
      this.#memory -= pending.clientBytes
      pending.call = call
      pending.clientBytes = memoryInClient(pending, call)
      this.#memory += pending.clientBytes
    }
    try {
      this.#parts.client.call(call)
    } catch (error) {
      this.settled(pending)
      this.#parts.refused(pending, error)
    }
  }

  /** @returns Whether the client holds nothing but a call that is sent alone. */
  #submitSuspect(): boolean {
    const [suspect] = this.#suspects
    if (!suspect || !this.#parts.gate.isOpen) return false
    if (this.#submitted === 0) {
      this.#hold(suspect)
      this.#submit(suspect)
    }
    return suspect.isSubmitted
  }

  #clear(suspect: PendingCall): void {
    if (this.#suspects[0] === suspect) this.#suspects.shift()
  }
}

/** Bytes of memory that a call takes as an object while the client holds it. */
function memoryInClient({ objectBytes }: PendingCall, { params }: SegmentCall): number {
  return objectBytes || memoryOf(params, Number.POSITIVE_INFINITY)
}
