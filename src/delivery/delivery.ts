import type { Logger } from '@walkeros/core'
import type { CallType, SegmentCall } from '../destination/calls.js'
import type { Remembered } from '../destination/deduplication.js'
import type { SegmentClient } from '../destination/settings.js'
import { Burst, nameOf } from '../log.js'
import { answerWithin, timerMs } from '../maybe.js'
import { bytesWithin, MAX_CALL_BYTES } from '../values.js'
import { channels } from './channels.js'
import type { Client, OutcomeListener, SettledCall } from './client.js'
import { type Fault, faultOf, wordsOf } from './failure.js'
import { Flushes } from './flushes.js'
import { Gate, type GateState } from './gate.js'
import { Condition, type Health } from './health.js'
import type { FailureReason, Ledger } from './ledger.js'
import type { Limits } from './limits.js'
import { Durable } from './outbox/durable.js'
import type { Outbox, ReadCall } from './outbox/outbox.js'
import { callOf, type PendingCall, textOf } from './pending-call.js'
import { WaitingRoom } from './waiting-room.js'

/** What the client adds to every call: its type, its name and version, Node's version. */
const ADDED_BYTES = 320

/** So many calls at the front of the room are kept as they are: three megabytes or so. */
const KEPT_WHOLE = 1_000
/** With an outbox, memory holds no more than this; the rest is read from disk when its turn comes. */
const MAX_HELD_BYTES = 64 * 1024 * 1024
/** Letting go of the outbox takes milliseconds; it may take so many where the disk hangs. */
const CLOSE_MS = 1_000
/** The number of calls that another process has made: they are older than all of this one. */
const ADOPTED = 0

/** A call that was given up. */
export interface FailedCall {
  readonly call: SegmentCall
  readonly reason: FailureReason
  /** What Segment or the way to it said, without the call's content. */
  readonly detail: string | undefined
}

/** What a delivery tells of its calls. */
export interface DeliveryListener {
  delivered(call: SegmentCall): void
  failed(failed: FailedCall): void
}

/** What a delivery is made from. */
export interface DeliveryParts {
  readonly ledger: Ledger
  readonly logger: Logger.Instance
  readonly listener: DeliveryListener
  readonly limits: Limits
  /** Where calls are kept until they have their outcome, beside memory. */
  readonly outbox: Outbox | undefined
  /** How many calls fill a batch, unless the client itself says. */
  readonly flushAt: number
  /** Milliseconds after which a batch goes although it is not full. */
  readonly flushInterval: number
  /** Makes the client that the calls go to. */
  openClient(outcomes: OutcomeListener, gate: Gate): Client
}

/** Takes calls to Segment through the one client, and knows the outcome of each. */
export class Delivery {
  readonly #parts: DeliveryParts
  readonly #client: Client
  readonly #gate: Gate
  readonly #flushAt: number
  /** All calls without an outcome, in the order in which they were made. */
  readonly #pending = new Map<string, PendingCall>()
  /** Those of them whose size is known only roughly. */
  readonly #unweighed = new Set<PendingCall>()
  readonly #room = new WaitingRoom()
  readonly #suspects: PendingCall[] = []
  readonly #flushes = new Flushes()
  readonly #condition = new Condition()
  readonly #durable: Durable<PendingCall> | undefined
  #diskError: string | undefined
  readonly #lost: Burst
  readonly #held: Burst
  readonly #disk: Burst
  #made = 0
  #bytes = 0
  #handedIn = 0
  #flushing: Promise<void> | undefined
  #isScheduled = false
  /** Calls up to this one go although they fill no batch. */
  #due = 0
  #interval: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  /** Whether it is about to be closed: a flush then waits for the calls of other processes, too. */
  #closing = false
  #closed = false
  #lastLoss: string | undefined

  constructor(parts: DeliveryParts) {
    const { logger, limits } = parts
    this.#parts = parts
    this.#lost = new Burst((message, context) => logger.error(message, context))
    this.#disk = new Burst((message, context) => logger.error(message, context))
    this.#held = new Burst((message, context) => logger.warn(message, context))
    this.#gate = new Gate(limits.maxInFlight)
    this.#gate.onOpen(() => this.#schedule())
    this.#gate.onChange((state) => this.#turn(state))
    this.#client = parts.openClient(
      {
        delivered: (settled) => this.#delivered(settled),
        failed: (settled, reason) => this.#failed(settled, reason),
      },
      this.#gate,
    )
    this.#client.onQuiet = () => this.#schedule()
    this.#durable =
      parts.outbox &&
      new Durable<PendingCall>(parts.outbox, {
        stored: (calls) => this.#stored(calls),
        loaded: (calls, isOwn) => this.#loaded(calls, isOwn),
        failed: (problem, error) => this.#diskFailed(problem, error),
      })
    this.#flushAt = Math.max(1, this.#client.flushAt ?? parts.flushAt)
  }

  /** The client that the calls go to. */
  get client(): SegmentClient {
    return this.#client.analytics
  }

  /** Takes a call on its way. Never throws: a call that cannot go is a failed one. */
  deliver(call: SegmentCall): void {
    const { ledger, limits } = this.#parts
    const { messageId } = call.params
    ledger.made()
    if (channels.dispatch.hasSubscribers) channels.dispatch.publish({ call })
    if (messageId === undefined) return this.#giveUp(call, 'rejected', 'it has no messageId')
    if (this.#pending.has(messageId))
      return this.#giveUp(call, 'rejected', 'its messageId is that of another call')
    if (this.#closed) return this.#giveUp(call, 'closed', undefined)
    const most = bytesWithin(call.params, MAX_CALL_BYTES - ADDED_BYTES)
    if (most === undefined) return this.#giveUp(call, 'too-large', undefined)
    if (this.#durable?.works) return this.#keep(this.#durable, call, messageId)
    // Writing a call as text, and reading it again, costs as much as all before it: what goes soon stays as it is.
    const isKeptWhole = this.#room.size < KEPT_WHOLE && this.#bytes + most <= limits.maxBytes
    const text = isKeptWhole ? undefined : JSON.stringify(call.params)
    const bytes = text === undefined ? most : Buffer.byteLength(text)
    if (this.#pending.size >= limits.maxPending || !this.#hasRoomFor(bytes)) {
      return this.#giveUp(call, 'overflow', `${this.#pending.size} calls, ${this.#bytes} bytes wait already`)
    }
    const { type, remembered } = call
    const pending = this.#hold(++this.#made, type, messageId, remembered, text ?? call, bytes, 0)
    if (isKeptWhole) this.#unweighed.add(pending)
    this.#admit(pending)
    this.#gather()
  }

  /** Whether so many bytes more may wait. Calls are weighed when it matters, each of them once. */
  #hasRoomFor(bytes: number): boolean {
    const { maxBytes } = this.#parts.limits
    if (this.#bytes + bytes <= maxBytes) return true
    for (const pending of this.#unweighed) {
      const weighed = Buffer.byteLength(textOf(pending))
      this.#bytes += weighed - pending.bytes
      pending.bytes = weighed
    }
    this.#unweighed.clear()
    return this.#bytes + bytes <= maxBytes
  }

  /** A call that is on disk before the client has it. */
  #keep(durable: Durable<PendingCall>, call: SegmentCall, messageId: string): void {
    const { limits } = this.#parts
    const { type, remembered } = call
    const text = JSON.stringify(call.params)
    const bytes = Buffer.byteLength(text)
    while (durable.bytes + text.length > limits.maxStoredBytes) {
      const oldest = this.#room.take() ?? durable.withdraw()
      if (!oldest) return this.#giveUp(call, 'overflow', 'the outbox is full')
      this.#end(oldest, 'overflow', 'the outbox is full')
    }
    const number = ++this.#made
    const isHeld =
      durable.behind === 0 &&
      this.#pending.size < limits.maxPending &&
      this.#bytes + bytes <= Math.min(limits.maxBytes, MAX_HELD_BYTES)
    const held = isHeld ? this.#hold(number, type, messageId, remembered, text, bytes, 0) : undefined
    if (held && this.#pending.size <= KEPT_WHOLE) held.call = call
    durable.add(number, { type, messageId, madeAt: Date.now(), text }, held)
  }

  #hold(
    number: number,
    type: CallType,
    messageId: string,
    remembered: Remembered | undefined,
    content: string | SegmentCall,
    bytes: number,
    ageMs: number,
  ): PendingCall {
    const isText = typeof content === 'string'
    const pending: PendingCall = {
      number,
      type,
      messageId,
      text: isText ? content : undefined,
      bytes,
      madeAt: performance.now() - ageMs,
      remembered,
      call: isText ? undefined : content,
      isHandedIn: false,
      isSuspect: false,
      place: undefined,
    }
    this.#pending.set(messageId, pending)
    this.#bytes += bytes
    this.#watchAge()
    return pending
  }

  #admit(pending: PendingCall): void {
    this.#room.add(pending)
    if (!this.#client.isOwn) this.#due = Math.max(this.#due, pending.number)
  }

  /** Calls are on disk. */
  #stored(calls: readonly PendingCall[]): void {
    for (const pending of calls) {
      if (this.#durable?.works) pending.place = this.#durable.placeOf(pending.number, textOf(pending).length)
      if (this.#pending.get(pending.messageId) === pending) this.#admit(pending)
      else if (pending.place) this.#durable?.settled(pending.place)
    }
    if (!this.#closed) this.#gather()
  }

  /** Calls have come from the disk: those of processes that have ended go before all others. */
  #loaded(calls: readonly ReadCall[], isOwn: boolean): void {
    for (const { number, type, messageId, madeAt, text, place } of calls) {
      if (this.#pending.has(messageId)) {
        if (place) this.#durable?.settled(place)
        continue
      }
      if (!isOwn) this.#parts.ledger.made()
      const ageMs = Math.max(0, Date.now() - madeAt)
      const bytes = Buffer.byteLength(text)
      const pending = this.#hold(isOwn ? number : ADOPTED, type, messageId, undefined, text, bytes, ageMs)
      pending.place = place
      this.#due = Math.max(this.#due, pending.number)
      if (isOwn) this.#room.add(pending)
      else this.#room.giveBack(pending)
    }
    this.#schedule()
  }

  /** Resolves when every call made before has its outcome, or the time is over. */
  async flush(timeoutMs: number): Promise<void> {
    if (this.#pending.size === 0 && !this.#durable?.behind) return
    this.#due = this.#made
    void this.#durable?.commit()
    this.#schedule()
    await this.#flushes.wait(this.#made, timeoutMs)
  }

  /** How the delivery is. */
  health(): Health {
    const [oldest] = this.#pending.values()
    const oldestPendingMs = oldest ? Math.round(performance.now() - oldest.madeAt) : 0
    const lastTrouble =
      this.#gate.state === 'ok' ? (this.#lastLoss ?? this.#gate.lastError) : this.#gate.lastError
    const pending = this.#pending.size + (this.#durable?.behind ?? 0)
    return this.#condition.health({ pending, oldestPendingMs, lastError: this.#diskError ?? lastTrouble })
  }

  /**
   * Sends what is left and closes the client.
   *
   * @returns How many calls had no outcome when the time was over: those `lost` are then booked as failed (`closed`),
   * those `kept` are on disk and stay pending.
   */
  async close(timeoutMs: number): Promise<{ lost: number; kept: number }> {
    const deadline = performance.now() + timeoutMs
    const left = () => Math.max(1, deadline - performance.now())
    // The last chance: whoever waits for a better moment now waits in vain.
    this.#gate.probe()
    this.#durable?.stopAdopting()
    this.#closing = true
    await Promise.race([this.flush(left()), this.#safe()])
    this.#closed = true
    this.#condition.turn('closed')
    clearTimeout(this.#interval)
    clearTimeout(this.#expiry)
    if (this.#durable) await answerWithin(this.#durable.commit(), left())
    const stored = [...this.#pending.values()].filter(({ place }) => place !== undefined)
    const kept = stored.length + (this.#durable?.behind ?? 0)
    for (const { messageId } of stored) this.#pending.delete(messageId)
    this.#parts.ledger.kept(kept)
    const lost = [...this.#pending.values()]
    for (const call of lost) this.#end(call, 'closed', 'it had no outcome when the tracking was shut down')
    this.#flushes.end()
    if (kept > 0) this.#client.stop()
    // A client of the application's own that hangs in a flush would take no other.
    if (this.#flushing) await answerWithin(this.#flushing, left())
    if (!this.#flushing) await this.#client.close(left())
    if (this.#durable) await answerWithin(this.#durable.close(), CLOSE_MS)
    this.#gate.stop()
    return { lost: lost.length, kept }
  }

  /** Resolves when what is pending is on disk and Segment does not take it: nothing is won by waiting then. */
  async #safe(): Promise<void> {
    const durable = this.#durable
    if (!durable) return new Promise(() => {})
    await durable.commit()
    if (!durable.works) return new Promise(() => {})
    if (!this.#gate.isOpen) return
    return new Promise((resolve) => this.#gate.onClose(resolve))
  }

  /** The most calls that the client may have: fewer than two batches would let one of them wait for the other. */
  get #window(): number {
    return this.#flushAt * Math.max(2, this.#gate.limit)
  }

  get #isOpen(): boolean {
    return this.#gate.isOpen && this.#flushing === undefined && this.#suspects.length === 0 && !this.#closed
  }

  /** Sees to it that what waits goes when its batch is full, or its time has come. */
  #gather(): void {
    if (this.#room.size >= this.#flushAt || !this.#client.isOwn) return this.#handInBatches()
    if (this.#interval) return
    this.#interval = setTimeout(() => {
      this.#interval = undefined
      this.#due = this.#made
      this.#handInBatches()
    }, this.#parts.flushInterval)
    this.#interval.unref()
  }

  #handInBatches(): void {
    while (this.#isOpen) {
      const { next } = this.#room
      if (!next || (!this.#client.isOwn && next.number > (this.#flushes.upTo ?? next.number))) return
      const isDue = next.number <= this.#due
      if (!isDue && this.#room.size < this.#flushAt) return this.#gather()
      const size = this.#client.isOwn ? this.#flushAt : 1
      if (this.#handedIn > 0 && this.#handedIn + size > this.#window) return
      for (let count = 0; count < size; count++) {
        const pending = this.#room.take()
        if (!pending) break
        this.#handIn(pending)
      }
    }
  }

  /** Goes on with what waits, on a later turn: the client takes nothing while it tells an outcome. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#advance()
    })
  }

  #advance(): void {
    if (this.#flushing || this.#closed) return
    this.#expire()
    const isAlone = this.#handInSuspect()
    this.#handInBatches()
    if (this.#durable?.hasMore && this.#room.size < this.#window) this.#durable.read()
    if (this.#client.isOwn || this.#handedIn === 0 || !this.#client.isQuiet) return
    if (isAlone || this.#isAllIn()) this.#flush()
  }

  /** Whether everything that somebody waits for is with the client, of which the last may wait for its batch to fill. */
  #isAllIn(): boolean {
    const { upTo } = this.#flushes
    if (upTo === undefined) return false
    const { next } = this.#room
    return !next || next.number > upTo
  }

  #handIn(pending: PendingCall): void {
    const call = callOf(pending)
    pending.call = call
    pending.isHandedIn = true
    this.#handedIn++
    try {
      this.#client.call(call)
    } catch (error) {
      this.#handedIn--
      if (pending.isSuspect) this.#clear(pending)
      this.#end(pending, 'rejected', error instanceof Error ? error.message : nameOf(error))
    }
  }

  /**
   * A client of the application's own fails a batch as a whole: its calls then go one at a time, so that only the one is
   * lost that Segment refuses.
   *
   * @returns Whether the client has nothing but such a call.
   */
  #handInSuspect(): boolean {
    const [suspect] = this.#suspects
    if (!suspect || !this.#gate.isOpen) return false
    if (this.#handedIn === 0) this.#handIn(suspect)
    return suspect.isHandedIn
  }

  /** Sends the client's batch that is not full. Calls that came meanwhile would keep it from ending, so they wait. */
  #flush(): void {
    this.#flushing = this.#client
      .flush()
      .catch((error: unknown) => {
        this.#lost.say('the Segment client could not be flushed', { error: nameOf(error) })
      })
      .then(() => {
        this.#flushing = undefined
        this.#schedule()
      })
  }

  #delivered({ messageId = '' }: SettledCall): void {
    const pending = this.#pending.get(messageId)
    if (!pending?.isHandedIn) return
    const call = callOf(pending)
    this.#handedIn--
    if (pending.isSuspect) this.#clear(pending)
    this.#forget(pending)
    if (pending.place) this.#durable?.settled(pending.place)
    if (!this.#client.isOwn) this.#gate.succeeded()
    this.#parts.ledger.delivered()
    if (channels.delivered.hasSubscribers) channels.delivered.publish({ call })
    this.#parts.listener.delivered(call)
    this.#settled()
  }

  #failed({ messageId = '' }: SettledCall, reason: unknown): void {
    const pending = this.#pending.get(messageId)
    if (!pending?.isHandedIn) return
    this.#handedIn--
    pending.isHandedIn = false
    if (pending.text !== undefined) pending.call = undefined
    const fault = faultOf(reason)
    if (pending.isSuspect) this.#clear(pending)
    if (fault.kind === 'too-large') return this.#end(pending, 'too-large', fault.detail)
    if (fault.kind === 'rejected') return this.#refused(pending, fault)
    if (!this.#client.isOwn) {
      if (fault.kind === 'refused') this.#gate.refused(fault.detail)
      else this.#gate.failed(fault.detail)
    }
    this.#due = Math.max(this.#due, pending.number)
    if (pending.isSuspect) this.#suspects.unshift(pending)
    else this.#room.giveBack(pending)
    this.#schedule()
  }

  #refused(pending: PendingCall, { detail }: Fault): void {
    if (this.#client.isOwn || pending.isSuspect) return this.#end(pending, 'rejected', detail)
    pending.isSuspect = true
    this.#suspects.push(pending)
    this.#schedule()
  }

  #clear(suspect: PendingCall): void {
    if (this.#suspects[0] === suspect) this.#suspects.shift()
  }

  /** Gives up what has waited too long. */
  #expire(): void {
    const { maxAge } = this.#parts.limits
    const born = performance.now() - maxAge
    for (let next = this.#room.next; next && next.madeAt <= born; next = this.#room.next) {
      this.#room.take()
      this.#end(next, 'expired', this.#gate.lastError)
    }
  }

  /** One timer for all calls: for the oldest. */
  #watchAge(): void {
    if (this.#expiry) return
    const [oldest] = this.#pending.values()
    if (!oldest) return
    const left = oldest.madeAt + this.#parts.limits.maxAge - performance.now()
    this.#expiry = setTimeout(
      () => {
        this.#expiry = undefined
        // What the client has comes back first, unless it is under way.
        this.#client.recall()
        this.#schedule()
        this.#watchAge()
      },
      timerMs(Math.max(left, MIN_AGE_CHECK_MS), 0),
    )
    this.#expiry.unref()
  }

  /** A pending call is given up. */
  #end(pending: PendingCall, reason: FailureReason, detail: string | undefined): void {
    this.#forget(pending)
    if (pending.place) {
      if (reason === 'rejected' || reason === 'expired') {
        const { type, messageId } = pending
        const madeAt = Date.now() - (performance.now() - pending.madeAt)
        this.#durable?.setAside({ type, messageId, text: textOf(pending), madeAt }, reason, detail)
      }
      this.#durable?.settled(pending.place)
    }
    this.#giveUp(callOf(pending), reason, detail)
    this.#settled()
  }

  #giveUp(call: SegmentCall, reason: FailureReason, detail: string | undefined): void {
    const failed = { call, reason, detail }
    this.#parts.ledger.failed(reason)
    this.#lastLoss = detail ?? reason
    this.#lost.say('a call was not delivered to Segment', { type: call.type, reason, detail })
    if (channels.failed.hasSubscribers) channels.failed.publish(failed)
    this.#parts.listener.failed(failed)
  }

  #forget(pending: PendingCall): void {
    this.#pending.delete(pending.messageId)
    this.#unweighed.delete(pending)
    this.#bytes -= pending.bytes
  }

  #settled(): void {
    if (this.#flushes.upTo !== undefined) this.#flushes.settledBefore(this.#oldest())
    if (this.#room.size > 0 || this.#suspects.length > 0 || this.#flushes.upTo !== undefined) this.#schedule()
    else if (this.#durable?.hasMore) this.#schedule()
  }

  /** The oldest call without an outcome that a flush waits for. */
  #oldest(): number {
    for (const { number } of this.#pending.values()) {
      if (number !== ADOPTED || this.#closing) return number
    }
    return this.#durable?.firstBehind ?? Number.POSITIVE_INFINITY
  }

  #diskFailed(problem: string, error: unknown): void {
    this.#diskError = error === undefined ? problem : `${problem}: ${wordsOf(error)}`
    this.#disk.say(problem, { error: wordsOf(error) })
  }

  #turn(state: GateState): void {
    this.#condition.turn(state)
    const { logger } = this.#parts
    if (state === 'refused') {
      logger.error(
        'Segment refuses the write key: nothing is sent until it is accepted. Check settings.writeKey ' +
          '(Connections > Sources > Settings > API Keys) and settings.host (the EU has its own)',
        { pending: this.#pending.size },
      )
    } else if (state === 'retrying') {
      this.#held.say('Segment cannot be reached: calls wait', { pending: this.#pending.size })
    } else logger.info('Segment takes calls again', { pending: this.#pending.size })
  }
}

/** A call that is under way when its time is over is looked at again so many milliseconds later. */
const MIN_AGE_CHECK_MS = 50
