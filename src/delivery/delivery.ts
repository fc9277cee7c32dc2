import type { Logger } from '@walkeros/core'
import type { FailedCall, FailureReason } from '../model/failure.js'
import { bytesWithin, MAX_CALL_BYTES } from '../model/json-size.js'
import type { Remembered, SegmentCall } from '../model/segment-call.js'
import { channels } from '../observe/channels.js'
import { performance, setImmediate, wallTime } from '../support/clock.js'
import { answerWithin } from '../support/maybe.js'
import type { Client } from './client.js'
import type { CallSummary, OutcomeListener } from './client-calls.js'
import { DeliveryReport } from './delivery-report.js'
import { Drain } from './drain.js'
import { ClientClosed, type Fault, faultOf, messageOf } from './failure.js'
import { FlushWaiters } from './flush-waiters.js'
import { Gate } from './gate.js'
import type { Health } from './health.js'
import type { Ledger } from './ledger.js'
import type { Limits } from './limits.js'
import { memoryOf } from './object-memory.js'
import type { Outbox, StoredCall, Waiting } from './outbox/outbox.js'
import { type LoadedCall, type PassedCall, type Place, StoredQueue } from './outbox/stored-queue.js'
import { callOf, type PendingCall, sizeOf, textOf } from './pending-call.js'
import { PendingCalls } from './pending-calls.js'
import type { SegmentClient } from './segment-client.js'
import { StoredKeys } from './stored-keys.js'
import { Submitter } from './submitter.js'
import { writeKeyHashOf } from './write-key-hash.js'

/** Bytes that the client adds to every call: type, library and Node's version. */
const ADDED_BYTES = 320
/** The most bytes of a call's parameters. */
const MAX_PARAMS_BYTES = MAX_CALL_BYTES - ADDED_BYTES

/** The share of `maxBytes` that waiting calls may take as objects: four megabytes. */
const OBJECT_SHARE = 1 / 16
/** The share of `maxBytes` that calls may take as objects while the client holds them: sixteen megabytes. */
const CLIENT_SHARE = 1 / 4
/** The most bytes in memory with an outbox; the rest is read back when its turn comes. */
const MAX_HELD_BYTES = 64 * 1024 * 1024
/** A messageId takes a tenth of the memory of a call: so many are known, for each call that may wait in memory. */
const STORED_KEYS_A_CALL = 10
/** Closing the outbox takes milliseconds, and at most this many if the disk hangs. */
const CLOSE_MS = 1_000
/** The number of every call that an ended process has left: they are older than all of this one. */
const ADOPTED_NUMBER = 0

/** Hears the outcome of every call. */
export interface DeliveryListener {
  /** Whether anybody wants to know which calls have arrived. */
  readonly hearsDelivered: boolean
  delivered(call: SegmentCall): void
  /** A call that says something of a person has arrived, or is stored: nothing of this process is needed for it any more. */
  kept?(remembered: Remembered): void
  failed(failed: FailedCall): void
}

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
  readonly #parts: DeliveryParts
  readonly #client: Client
  readonly #gate: Gate
  readonly #pending: PendingCalls
  readonly #submitter: Submitter
  readonly #flushWaiters = new FlushWaiters()
  readonly #drain = new Drain(() => this.#pending.size === 0 && !this.#storedQueue?.isLooking)
  #isFlushCheckScheduled = false
  readonly #report: DeliveryReport
  readonly #storedQueue: StoredQueue<PendingCall> | undefined
  readonly #storedKeys: StoredKeys
  readonly #writeKeyHash: string | undefined
  #made = 0
  /** The newest call of this process that the outbox has handed out. */
  #newestTaken = ADOPTED_NUMBER
  /** Whether a shutdown has begun: its flush waits for calls of other processes, too. */
  #closing = false
  #closed = false
  /** How many calls the shutdown has left in the outbox. */
  #keptCount = 0
  /** Why the client takes no calls any more. */
  #clientError: string | undefined

  constructor(parts: DeliveryParts) {
    const { logger, limits, flushInterval } = parts
    this.#parts = parts
    this.#storedKeys = new StoredKeys(limits.maxPending * STORED_KEYS_A_CALL)
    this.#report = new DeliveryReport(logger)
    this.#gate = new Gate(limits.maxInFlight)
    this.#gate.onChange((state) => this.#report.gateChanged(state, this.#pending.size, this.#gate.lastError))
    this.#client = parts.openClient(
      {
        delivered: (messageId) => this.#delivered(messageId),
        failed: (settled, reason) => this.#failed(settled, reason),
        directFailed: (settled, reason) => this.#report.directFailed(settled, reason),
        listenerFailed: (event, error) =>
          this.#report.clientFailed(`a listener of the Segment client's event ${event} failed`, error),
      },
      this.#gate,
    )
    this.#pending = new PendingCalls(limits.maxAge, () => {
      // Calls inside the client come back first, unless they are in flight.
      this.#client.recall()
      this.#submitter.schedule()
    })
    const { isOwn, traits } = this.#client
    const flushAt = Math.max(1, (isOwn ? undefined : traits?.flushAt) ?? parts.flushAt)
    const maxBatch = isOwn ? limits.maxBatch : flushAt
    this.#submitter = new Submitter({
      client: this.#client,
      gate: this.#gate,
      flushAt: Math.min(flushAt, maxBatch),
      maxBatch,
      flushInterval,
      maxMemory: limits.maxBytes * CLIENT_SHARE,
      flushTarget: () => this.#flushWaiters.upTo,
      beforeSubmit: () => this.#expire(),
      onCapacity: () => {
        this.#storedQueue?.take()
      },
      refused: (pending, error) => this.#end(pending, 'rejected', messageOf(error)),
      flushFailed: (error) => this.#report.clientFailed('the Segment client could not be flushed', error),
    })
    this.#writeKeyHash = writeKeyHashOf(parts.writeKey)
    this.#storedQueue =
      parts.outbox &&
      new StoredQueue<PendingCall>(
        parts.outbox,
        { writeKeyHash: this.#writeKeyHash, sends: parts.sends },
        {
          kept: (remembered) => this.#kept(remembered),
          stored: (calls) => this.#stored(calls),
          left: (calls) => this.#left(calls),
          loaded: (calls) => this.#loaded(calls),
          passed: (calls) => this.#passed(calls),
          placed: (calls) => this.#placed(calls),
          ready: () => this.#submitter.schedule(),
          looked: () => this.#drain.check(),
          answers: () => this.#storeAgain(),
          failed: (problem, error) => this.#report.outboxFailed(problem, error),
          degraded: (error) => this.#report.outboxDegraded(error),
          warn: (advice) => logger.warn(advice),
          lost: (count) => this.#lostOnDisk(count, 'damaged'),
          relayed: (count) => this.#relayed(count),
          robbed: (receipts) => this.#robbed(receipts),
          evicted: (calls) => this.#evicted(calls),
          troubled: (problem, error, lost) => this.#leftDamaged(problem, error, lost),
        },
      )
  }

  /** The client. */
  get client(): SegmentClient {
    return this.#client.analytics
  }

  /**
   * Counts the calls without an outcome where they really are. The ledger computes the same number from its sums; after the
   * shutdown they are those that it has left in the outbox.
   */
  countPending(): number {
    const { calls } = this.#client
    const stored = this.#storedQueue ? this.#storedQueue.unwritten + this.#storedQueue.storedOnly : 0
    return this.#submitter.waiting + (calls.size - calls.direct) + stored + this.#keptCount
  }

  /** How many calls have failed that the application made on the client itself. */
  get directFailed(): number {
    return this.#client.calls.directFailed
  }

  /** How many calls would be lost if the process ended now, the application's own on the client included. */
  get ifEndedNow(): { readonly lost: number; readonly kept: number } {
    const stored = [...this.#pending.values()].filter(({ place }) => place !== undefined).length
    const kept = stored + (this.#storedQueue?.storedOnly ?? 0)
    return { lost: this.#pending.size - stored + this.#client.calls.direct, kept }
  }

  /** Whether a call with this messageId is in flight, waits, or lies in the outbox as one of this process. */
  isPending(messageId: string | undefined): boolean {
    if (messageId === undefined) return false
    return this.#pending.has(messageId) || this.#storedKeys.has(messageId, this.#storedQueue?.firstStoredOnly)
  }

  /**
   * Delivers a call. Never throws: an undeliverable call fails.
   *
   * @param isKeyed - Whether another call may have its messageId.
   */
  deliver(call: SegmentCall, isKeyed = false): void {
    const { ledger, limits } = this.#parts
    const { messageId } = call.params
    if (channels.dispatch.hasSubscribers) channels.dispatch.publish({ call })
    if (messageId === undefined) return this.#refuse(call, 'rejected', 'the call has no messageId')
    if (this.#pending.has(messageId))
      return this.#refuse(call, 'rejected', 'another pending call has the same messageId')
    if (this.#closed) return this.#refuse(call, 'closed', undefined)
    if (this.#storedQueue?.isUsable) return this.#store(this.#storedQueue, call, messageId, isKeyed)
    if (!this.#parts.sends) return this.#refuse(call, 'closed', 'the outbox cannot be used')
    if (this.#clientError) return this.#refuse(call, 'closed', this.#clientError)
    const sdkText = this.#client.carries ? this.#client.textOf(call) : undefined
    if (sdkText !== undefined) return this.#deliverText(call, messageId, sdkText)
    const most = bytesWithin(call.params, MAX_PARAMS_BYTES)
    if (most === undefined) return this.#refuse(call, 'too-large', undefined)
    const pending = this.#pending
    // Serialising a call and parsing it again costs as much as all before it, so the next calls stay objects.
    const objectBytes = pending.bytes + most <= limits.maxBytes ? this.#objectBytesOf(call) : 0
    const text = objectBytes > 0 ? undefined : JSON.stringify(call.params)
    const bytes = text === undefined ? most : sizeOf(text)
    if (pending.size >= limits.maxPending || !pending.hasRoomFor(bytes, limits.maxBytes)) {
      return this.#refuse(call, 'overflow', `${pending.size} calls, ${pending.bytes} bytes are waiting`)
    }
    const { type, remembered } = call
    ledger.made()
    this.#submitter.add(
      pending.add({
        number: ++this.#made,
        type,
        messageId,
        remembered,
        text,
        sdkText: undefined,
        call: text === undefined ? call : undefined,
        objectBytes,
        bytes,
        ageMs: 0,
      }),
    )
    this.#submitter.gather()
  }

  /** Delivers a call that is written as it will be sent: its object is needed only by those who want to hear of it. */
  #deliverText(call: SegmentCall, messageId: string, sdkText: string): void {
    const { ledger, limits, listener } = this.#parts
    if (Buffer.byteLength(sdkText) > MAX_CALL_BYTES) return this.#refuse(call, 'too-large', undefined)
    const pending = this.#pending
    const bytes = sizeOf(sdkText)
    if (pending.size >= limits.maxPending || !pending.hasRoomFor(bytes, limits.maxBytes)) {
      return this.#refuse(call, 'overflow', `${pending.size} calls, ${pending.bytes} bytes are waiting`)
    }
    const { type, remembered } = call
    const objectBytes = listener.hearsDelivered ? this.#objectBytesOf(call) : 0
    ledger.made()
    this.#submitter.add(
      pending.add({
        number: ++this.#made,
        type,
        messageId,
        remembered,
        text: undefined,
        sdkText,
        call: objectBytes > 0 ? call : undefined,
        objectBytes,
        bytes,
        ageMs: 0,
      }),
    )
    this.#submitter.gather()
  }

  /** Bytes of memory of a call that may wait as an object; 0 where the others leave no room for it. */
  #objectBytesOf({ params }: SegmentCall): number {
    const room = this.#parts.limits.maxBytes * OBJECT_SHARE - this.#pending.objectBytes
    const bytes = memoryOf(params, room)
    return bytes <= room ? bytes : 0
  }

  /** Stores a call before the client gets it. */
  #store(
    storedQueue: StoredQueue<PendingCall>,
    call: SegmentCall,
    messageId: string,
    isKeyed: boolean,
  ): void {
    const { limits } = this.#parts
    const { type, remembered } = call
    const text = JSON.stringify(call.params)
    const bytes = Buffer.byteLength(text)
    if (bytes > MAX_PARAMS_BYTES) return this.#refuse(call, 'too-large', undefined)
    while (storedQueue.bytes + text.length > limits.maxStoredBytes) {
      // Calls of other processes lie in other stores: dropping them makes no room here.
      const oldest = this.#submitter.takeFrom(ADOPTED_NUMBER + 1) ?? storedQueue.withdraw()
      if (!oldest) return this.#refuse(call, 'overflow', 'the outbox is full')
      this.#end(oldest, 'overflow', 'the outbox is full')
    }
    const maxHeldBytes = Math.min(limits.maxBytes, MAX_HELD_BYTES)
    if (storedQueue.unwrittenBytes + text.length > maxHeldBytes) {
      return this.#refuse(call, 'overflow', 'the outbox does not keep up')
    }
    const number = ++this.#made
    const pending = this.#pending
    const isHeld =
      this.#parts.sends &&
      storedQueue.storedOnly === 0 &&
      pending.size < limits.maxPending &&
      pending.hasRoomFor(bytes, maxHeldBytes)
    const objectBytes = isHeld ? this.#objectBytesOf(call) : 0
    const held = isHeld
      ? pending.add({
          number,
          type,
          messageId,
          remembered,
          text,
          sdkText: undefined,
          call: objectBytes > 0 ? call : undefined,
          objectBytes,
          bytes: sizeOf(text),
          ageMs: 0,
        })
      : undefined
    this.#parts.ledger.made()
    const writeKeyHash = this.#writeKeyHash
    if (held) held.isKeyed = isKeyed
    else if (isKeyed) this.#storedKeys.add(messageId, number, storedQueue.firstStoredOnly)
    storedQueue.add(number, { type, messageId, madeAt: wallTime(), text, writeKeyHash }, { held, remembered })
  }

  /** What they say of people is as good as said. */
  #kept(remembered: readonly Remembered[]): void {
    for (const each of remembered) this.#parts.listener.kept?.(each)
  }

  /** Calls have been stored. */
  #stored(calls: readonly { readonly held: PendingCall; readonly place: Place | undefined }[]): void {
    for (const { held: pending, place } of calls) {
      if (place) this.#newestTaken = Math.max(this.#newestTaken, pending.number)
      if (this.#storedQueue?.isUsable) {
        // The outbox may have given back another one of the same key meanwhile.
        const { place: other } = pending
        if (other && other.receipt !== place?.receipt) this.#storedQueue.settled(other)
        pending.place = place
      }
      if (this.#pending.get(pending.messageId) === pending) this.#submitter.add(pending)
      else if (place) this.#storedQueue?.settled(place)
    }
    this.#submitter.gather()
  }

  /** Calls are stored, and their turn has not come: others may send them. */
  #left(calls: readonly PendingCall[]): void {
    for (const pending of calls) {
      if (this.#pending.get(pending.messageId) !== pending) continue
      this.#pending.remove(pending)
      if (pending.isKeyed) {
        this.#storedKeys.add(pending.messageId, pending.number, this.#storedQueue?.firstStoredOnly)
      }
    }
  }

  /** Calls were sent from memory while the outbox hung, and are in it now. */
  #placed(calls: readonly { readonly place: Place; readonly messageId: string }[]): void {
    for (const { place, messageId } of calls) {
      const pending = this.#pending.get(messageId)
      if (pending && !pending.place) pending.place = place
      else this.#storedQueue?.settled(place)
    }
  }

  /** The outbox answers again: calls that only memory holds are stored. */
  #storeAgain(): void {
    this.#report.outboxAnswers()
    if (this.#closed) return
    const writeKeyHash = this.#writeKeyHash
    for (const pending of this.#pending.values()) {
      if (pending.place) continue
      const { number, type, messageId, remembered } = pending
      const call = { type, messageId, madeAt: bornAt(pending), text: textOf(pending), writeKeyHash }
      this.#storedQueue?.add(number, call, { held: pending, remembered, isPassedOn: true })
    }
  }

  /** Calls were taken from the outbox. Those that ended processes left go before all others. */
  #loaded(calls: readonly LoadedCall[]): void {
    const isShared = this.#parts.outbox?.isShared === true
    for (const loaded of calls) {
      const { call, place, number, refusal } = loaded
      if (this.#isKnown(loaded)) continue
      if (number === undefined) this.#parts.ledger.made()
      else this.#newestTaken = Math.max(this.#newestTaken, number)
      if (refusal !== undefined) {
        this.#storedQueue?.setAside(call, 'rejected', refusal)
        this.#endTaken(loaded, 'rejected', refusal)
        continue
      }
      const pending = this.#hold(
        number ?? (isShared ? this.#newestTaken : ADOPTED_NUMBER),
        call,
        wallTime() - call.madeAt,
      )
      pending.place = place
      pending.isAdopted = number === undefined
      if (number !== undefined || isShared) this.#submitter.add(pending)
      else this.#submitter.requeue(pending)
      this.#submitter.due(pending.number)
    }
    this.#submitter.schedule()
  }

  /** Calls that only the outbox was to hold go on in memory, since it does not answer. */
  #passed(calls: readonly PassedCall[]): void {
    for (const { number, call, remembered } of calls) {
      // Of two calls of one key the other one goes on.
      if (this.#pending.has(call.messageId)) {
        this.#relayed(1)
        continue
      }
      this.#submitter.add(this.#hold(number, call, wallTime() - call.madeAt, remembered))
      this.#submitter.due(number)
    }
    this.#submitter.schedule()
  }

  /** Holds a stored call in memory. */
  #hold(
    number: number,
    { type, messageId, text }: StoredCall,
    ageMs: number,
    remembered?: Remembered,
  ): PendingCall {
    this.#storedKeys.delete(messageId)
    return this.#pending.add({
      number,
      type,
      messageId,
      remembered,
      text,
      sdkText: undefined,
      call: undefined,
      objectBytes: 0,
      bytes: sizeOf(text),
      ageMs: Math.max(0, ageMs),
    })
  }

  /**
   * Whether memory has a call already that the outbox hands out: it was written twice, by two events of one key for
   * instance, or sent while the outbox hung.
   */
  #isKnown({ call, place, number }: LoadedCall): boolean {
    const known = this.#pending.get(call.messageId)
    if (!known) return false
    if (number !== undefined) this.#parts.ledger.relayed(1)
    else if (known.isKeyed || known.place) this.#parts.ledger.unmade(1, 0)
    if (known.place) this.#storedQueue?.settled(place)
    else known.place = place
    return true
  }

  /** Calls that this process wrote are sent by others. */
  #relayed(count: number): void {
    this.#parts.ledger.relayed(count)
    this.#settled()
  }

  /** Others have taken calls that this process held: those that the client has may arrive twice. */
  #robbed(receipts: ReadonlySet<unknown>): void {
    let count = 0
    for (const pending of [...this.#pending.values()]) {
      if (!pending.place || pending.isSubmitted || !receipts.has(pending.place.receipt)) continue
      if (!this.#submitter.remove(pending)) continue
      this.#pending.remove(pending)
      count++
    }
    if (count > 0) this.#relayed(count)
  }

  /** The outbox is full, and its oldest calls go. */
  #evicted(calls: readonly LoadedCall[]): void {
    for (const evicted of calls) {
      if (this.#isKnown(evicted)) continue
      if (evicted.number === undefined) this.#parts.ledger.made()
      this.#endTaken(evicted, 'overflow', 'the outbox is full')
    }
  }

  /** Ends a call that was taken and never held. */
  #endTaken({ call: { type, text }, place }: LoadedCall, reason: FailureReason, detail: string): void {
    this.#storedQueue?.settled(place)
    this.#giveUp(
      callOf({ type, text, remembered: undefined, sdkText: undefined, call: undefined }),
      reason,
      detail,
    )
    this.#settled()
  }

  /** Resolves when every call made before has its outcome, or the time is over. */
  async flush(timeoutMs: number): Promise<void> {
    const direct = this.#client.calls.directSettled(timeoutMs)
    if (this.#client.calls.direct > 0) this.#submitter.schedule()
    await Promise.all([direct, this.#flushCalls(timeoutMs)])
  }

  /** Resolves when the outbox has nothing more to take and all that was taken has its outcome, or the time is over. */
  async drain(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    const drained = this.#drain.wait(timeoutMs)
    this.#storedQueue?.look()
    await Promise.all([drained, this.flush(timeoutMs)])
    const removed = this.#storedQueue?.commit()
    if (removed) await answerWithin(removed, Math.max(0, deadline - performance.now()))
  }

  async #flushCalls(timeoutMs: number): Promise<void> {
    if (this.#pending.size === 0 && !this.#storedQueue?.storedOnly) return
    this.#submitter.due(this.#made)
    void this.#storedQueue?.commit()
    this.#submitter.schedule()
    await this.#flushWaiters.wait(this.#made, timeoutMs)
  }

  /** Whether there is an outbox that cannot be used at the moment. */
  get isOutboxAway(): boolean {
    return this.#storedQueue !== undefined && (!this.#storedQueue.isUsable || this.#storedQueue.isHanging)
  }

  /** What waits in the outbox, of all processes; `undefined` where it cannot tell. */
  async waiting(): Promise<Waiting | undefined> {
    return this.#storedQueue?.waiting()
  }

  /** Whether calls get through. */
  health(): Health {
    const { longestWaitMs: oldestPendingMs } = this.#pending
    return this.#report.health(
      { pending: this.countPending(), oldestPendingMs },
      this.#gate.state,
      this.#gate.lastError,
    )
  }

  /**
   * Sends the rest and closes the client.
   *
   * @returns How many calls had no outcome when the time was over. `lost` ones count as failed (`closed`), `kept` ones are
   * stored and stay pending. `directPending` ones were made on the client itself.
   */
  async close(timeoutMs: number): Promise<{ lost: number; kept: number; directPending: number }> {
    const deadline = performance.now() + timeoutMs
    const leftMs = () => Math.max(1, deadline - performance.now())
    // Last chance: a request that waits for the gate would wait in vain.
    this.#gate.probe()
    this.#storedQueue?.stopAdopting()
    this.#storedQueue?.hurry(timeoutMs / 2)
    this.#closing = true
    await Promise.race([this.flush(leftMs()), this.#storedAndBlocked()])
    const directPending = this.#client.calls.direct
    this.#client.calls.abandonDirect()
    this.#closed = true
    this.#report.closed()
    this.#submitter.stop()
    this.#pending.stop()
    const { isStored, gone } = await this.#onDisk(leftMs())
    const left = this.#storedQueue?.forgetStoredOnly() ?? { written: 0, unwritten: 0 }
    this.#keep(left.written)
    const lostStored = gone + left.unwritten
    const lost = this.#endAll(isStored) + lostStored
    this.#lostOnDisk(lostStored, 'closed')
    const kept = this.#keptCount
    this.#flushWaiters.end()
    this.#drain.end()
    if (kept > 0) this.#client.stop()
    // The application's own client ignores a second flush while one hangs.
    if (this.#submitter.flushing) await answerWithin(this.#submitter.flushing, leftMs())
    if (!this.#submitter.flushing) await this.#client.close(leftMs())
    const closing = this.#storedQueue?.close()
    if (closing && !this.#storedQueue?.isHanging) await answerWithin(closing, CLOSE_MS)
    this.#gate.stop()
    return { lost, kept, directPending }
  }

  /** Whether stored calls can be found by the next process, and how many are lost that only the outbox held. */
  async #onDisk(timeoutMs: number): Promise<{ isStored: boolean; gone: number }> {
    const storedQueue = this.#storedQueue
    if (!storedQueue) return { isStored: false, gone: 0 }
    if (!storedQueue.isHanging) {
      await answerWithin(
        storedQueue.commit().then(() => storedQueue.check()),
        Math.max(timeoutMs, CLOSE_MS),
      )
    }
    if (!storedQueue.isGone) return { isStored: true, gone: 0 }
    const { written, unwritten } = storedQueue.forgetStoredOnly()
    return { isStored: false, gone: written + unwritten }
  }

  /** Stored calls are left to the next process: they stay pending. */
  #keep(count: number): void {
    this.#keptCount += count
    this.#parts.ledger.kept(count)
  }

  /**
   * Ends every call in memory: it is kept or lost.
   *
   * @returns How many are lost.
   */
  #endAll(isStored: boolean): number {
    let lost = 0
    const end = (pending: PendingCall) => {
      if (isStored && pending.place) {
        this.#release(pending)
        this.#pending.remove(pending)
        this.#keep(1)
      } else {
        lost++
        this.#end(pending, 'closed', 'the call had no outcome at the shutdown')
      }
    }
    for (let next = this.#submitter.takeAny(); next; next = this.#submitter.takeAny()) end(next)
    for (const pending of [...this.#pending.values()]) end(pending)
    return lost
  }

  /** Takes a call from the client or the outbox's queue, if one of them holds it. */
  #release(pending: PendingCall): void {
    if (pending.isSubmitted) {
      this.#submitter.settled(pending)
      this.#client.calls.forget(pending.messageId)
    } else this.#storedQueue?.forget(pending)
  }

  /** Resolves when all pending calls are stored and Segment is away: waiting longer gains nothing. */
  async #storedAndBlocked(): Promise<void> {
    const storedQueue = this.#storedQueue
    if (!storedQueue) return new Promise(() => {})
    await storedQueue.commit()
    await storedQueue.check()
    if (this.#clientError) return
    if (!storedQueue.isUsable) return new Promise(() => {})
    if (!this.#gate.isOpen) return
    return new Promise((resolve) => this.#gate.onClose(resolve))
  }

  #delivered(messageId = ''): void {
    const pending = this.#pending.get(messageId)
    if (!pending?.isSubmitted) return
    this.#submitter.settled(pending)
    this.#pending.remove(pending)
    if (pending.place) this.#storedQueue?.settled(pending.place)
    else if (pending.remembered) this.#parts.listener.kept?.(pending.remembered)
    this.#parts.ledger.delivered()
    if (!this.#client.isOwn) this.#gate.succeeded()
    if (channels.delivered.hasSubscribers || this.#parts.listener.hearsDelivered)
      this.#tellDelivered(callOf(pending))
    this.#settled()
  }

  #tellDelivered(call: SegmentCall): void {
    if (channels.delivered.hasSubscribers) channels.delivered.publish({ call })
    this.#parts.listener.delivered(call)
  }

  #failed({ messageId = '' }: CallSummary, reason: unknown): void {
    const pending = this.#pending.get(messageId)
    if (!pending?.isSubmitted) return
    this.#submitter.settled(pending)
    this.#pending.dropObject(pending)
    const fault = faultOf(reason)
    if (fault.kind === 'too-large') return this.#end(pending, 'too-large', fault.detail)
    if (fault.kind === 'rejected') return this.#refused(pending, fault)
    if (fault.kind === 'cancelled') return this.#end(pending, 'cancelled', fault.detail)
    if (fault.kind === 'closed') return this.#clientClosed(pending, fault.detail)
    this.#submitter.requeue(pending)
    if (!this.#client.isOwn) {
      if (fault.kind === 'refused') this.#gate.refused(fault.detail)
      else this.#gate.failed(fault.detail)
    }
    this.#submitter.schedule()
  }

  /** The application has closed the client: stored calls are left to the next process, the others fail. */
  #clientClosed(pending: PendingCall, detail: string): void {
    this.#clientError = detail
    this.#submitter.stop()
    if (pending.place) {
      this.#submitter.requeue(pending)
      return this.#report.outboxFailed('calls stay in the outbox', new ClientClosed())
    }
    this.#end(pending, 'closed', detail)
    if (this.#storedQueue) return
    for (let next = this.#submitter.takeAny(); next; next = this.#submitter.takeAny()) {
      this.#end(next, 'closed', detail)
    }
  }

  #refused(pending: PendingCall, { detail }: Fault): void {
    if (this.#client.isOwn || pending.isSuspect) return this.#end(pending, 'rejected', detail)
    this.#submitter.suspect(pending)
  }

  /** Fails the calls that have waited too long. */
  #expire(): void {
    const { next } = this.#submitter
    for (let aged = next; aged && this.#pending.isTooOld(aged); aged = this.#submitter.next) {
      this.#submitter.take()
      this.#end(aged, 'expired', this.#gate.lastError)
    }
  }

  /** Fails a pending call for good. */
  #end(pending: PendingCall, reason: FailureReason, detail: string | undefined): void {
    this.#release(pending)
    this.#pending.remove(pending)
    if (pending.place) {
      if (reason === 'rejected' || reason === 'expired') {
        const { type, messageId } = pending
        const call = { type, messageId, text: textOf(pending), madeAt: bornAt(pending) }
        this.#storedQueue?.setAside(call, reason, detail)
      }
      this.#storedQueue?.settled(pending.place)
    }
    this.#giveUp(callOf(pending), reason, detail)
    this.#settled()
  }

  /** Fails a new call, which nothing holds. */
  #refuse(call: SegmentCall, reason: FailureReason, detail: string | undefined): void {
    this.#parts.ledger.made()
    this.#giveUp(call, reason, detail)
  }

  #giveUp(call: SegmentCall, reason: FailureReason, detail: string | undefined): void {
    const failed = { call, reason, detail }
    this.#parts.ledger.failed(reason)
    this.#report.failed(call.type, reason, detail)
    if (channels.failed.hasSubscribers) channels.failed.publish(failed)
    this.#parts.listener.failed(failed)
  }

  #settled(): void {
    this.#drain.check()
    if (this.#flushWaiters.upTo !== undefined) this.#scheduleFlushCheck()
    if (this.#submitter.size > 0 || this.#flushWaiters.upTo !== undefined || this.#storedQueue?.hasMore)
      this.#submitter.schedule()
  }

  /** Checks once a turn: finding the oldest call takes longer, the more calls have been removed from the map. */
  #scheduleFlushCheck(): void {
    if (this.#isFlushCheckScheduled) return
    this.#isFlushCheckScheduled = true
    setImmediate(() => {
      this.#isFlushCheckScheduled = false
      this.#flushWaiters.settledBefore(this.#oldest())
      // Calls made during the flush may have been held back for it.
      if (this.#submitter.size > 0) this.#submitter.schedule()
    })
  }

  /** The oldest call that a flush waits for. */
  #oldest(): number {
    const stored = this.#storedQueue?.firstStoredOnly ?? Number.POSITIVE_INFINITY
    for (const { number, isAdopted } of this.#pending.values()) {
      if (!isAdopted || this.#closing) return Math.min(number, stored)
    }
    return stored
  }

  /** Calls that others have left count as made here, and some of them are lost. */
  #leftDamaged(problem: string, error: unknown, lost: number): void {
    this.#report.storeDamaged(problem, error, lost)
    for (let left = lost; left > 0; left--) {
      this.#parts.ledger.made()
      this.#parts.ledger.failed('damaged')
    }
  }

  /** Calls that only the outbox held are lost; nobody can say which. */
  #lostOnDisk(count: number, reason: FailureReason): void {
    if (count === 0) return
    for (let left = count; left > 0; left--) this.#parts.ledger.failed(reason)
    this.#report.lost(count)
    this.#settled()
  }
}

/** When a call was made, in milliseconds since 1970. */
function bornAt({ madeAt }: PendingCall): number {
  return Math.round(wallTime() - (performance.now() - madeAt))
}
