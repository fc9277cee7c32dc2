import type { Logger } from '@walkeros/core'
import type { FailedCall, FailureReason } from '../model/failure.js'
import type { SegmentCall } from '../model/segment-call.js'
import { bytesWithin, MAX_CALL_BYTES } from '../model/values.js'
import { channels } from '../observe/channels.js'
import { Burst, nameOf } from '../support/log.js'
import { answerWithin } from '../support/maybe.js'
import type { Client, OutcomeListener, SettledCall } from './client.js'
import { type Fault, faultOf, wordsOf } from './failure.js'
import { Flushes } from './flushes.js'
import { Gate, type GateState } from './gate.js'
import { HandingIn } from './handing-in.js'
import { Condition, type Health } from './health.js'
import type { Ledger } from './ledger.js'
import type { Limits } from './limits.js'
import { Durable } from './outbox/durable.js'
import type { Outbox, ReadCall } from './outbox/outbox.js'
import { callOf, type PendingCall, textOf } from './pending-call.js'
import { PendingCalls } from './pending-calls.js'
import type { SegmentClient } from './segment-client.js'

/** What the client adds to every call: its type, its name and version, Node's version. */
const ADDED_BYTES = 320
/** What is left of a call for its parameters. */
const MAX_PARAMS_BYTES = MAX_CALL_BYTES - ADDED_BYTES

/** So many calls at the front of the room are kept as they are: three megabytes or so. */
const KEPT_WHOLE = 1_000
/** With an outbox, memory holds no more than this; the rest is read from disk when its turn comes. */
const MAX_HELD_BYTES = 64 * 1024 * 1024
/** Letting go of the outbox takes milliseconds; it may take so many where the disk hangs. */
const CLOSE_MS = 1_000
/** The number of calls that another process has made: they are older than all of this one. */
const ADOPTED = 0

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
  readonly #pending: PendingCalls
  readonly #handingIn: HandingIn
  readonly #flushes = new Flushes()
  #isEndingFlushes = false
  readonly #condition = new Condition()
  readonly #durable: Durable<PendingCall> | undefined
  readonly #lost: Burst
  readonly #held: Burst
  readonly #disk: Burst
  #made = 0
  /** Whether it is about to be closed: a flush then waits for the calls of other processes, too. */
  #closing = false
  #closed = false
  #lastLoss: string | undefined
  #diskError: string | undefined

  constructor(parts: DeliveryParts) {
    const { logger, limits, flushInterval } = parts
    this.#parts = parts
    this.#lost = new Burst((message, context) => logger.error(message, context))
    this.#disk = new Burst((message, context) => logger.error(message, context))
    this.#held = new Burst((message, context) => logger.warn(message, context))
    this.#gate = new Gate(limits.maxInFlight)
    this.#gate.onChange((state) => this.#turn(state))
    this.#client = parts.openClient(
      {
        delivered: (messageId) => this.#delivered(messageId),
        failed: (settled, reason) => this.#failed(settled, reason),
      },
      this.#gate,
    )
    this.#pending = new PendingCalls(limits.maxAge, () => {
      // What the client has comes back first, unless it is under way.
      this.#client.recall()
      this.#handingIn.schedule()
    })
    this.#handingIn = new HandingIn({
      client: this.#client,
      gate: this.#gate,
      flushAt: Math.max(1, this.#client.flushAt ?? parts.flushAt),
      flushInterval,
      awaited: () => this.#flushes.upTo,
      turn: () => this.#expire(),
      hungry: () => {
        if (this.#durable?.hasMore) this.#durable.read()
      },
      refused: (pending, error) =>
        this.#end(pending, 'rejected', error instanceof Error ? error.message : nameOf(error)),
      flushFailed: (error) =>
        this.#lost.say('the Segment client could not be flushed', { error: nameOf(error) }),
    })
    this.#durable =
      parts.outbox &&
      new Durable<PendingCall>(parts.outbox, {
        stored: (calls) => this.#stored(calls),
        loaded: (calls, isOwn) => this.#loaded(calls, isOwn),
        failed: (problem, error) => this.#diskFailed(problem, error),
        lost: (count) => this.#lostOnDisk(count, 'overflow'),
      })
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
    if (this.#durable?.works) return this.#keep(this.#durable, call, messageId)
    const most = bytesWithin(call.params, MAX_PARAMS_BYTES)
    if (most === undefined) return this.#giveUp(call, 'too-large', undefined)
    const pending = this.#pending
    // Writing a call as text, and reading it again, costs as much as all before it: what goes soon stays as it is.
    const isKeptWhole = this.#handingIn.size < KEPT_WHOLE && pending.bytes + most <= limits.maxBytes
    const content = isKeptWhole ? call : JSON.stringify(call.params)
    const bytes = typeof content === 'string' ? Buffer.byteLength(content) : most
    if (pending.size >= limits.maxPending || !pending.hasRoomFor(bytes, limits.maxBytes)) {
      return this.#giveUp(call, 'overflow', `${pending.size} calls, ${pending.bytes} bytes wait already`)
    }
    const { type, remembered } = call
    this.#handingIn.add(
      pending.add({ number: ++this.#made, type, messageId, remembered, content, bytes, ageMs: 0 }),
    )
    this.#handingIn.gather()
  }

  /** A call that is on disk before the client has it. */
  #keep(durable: Durable<PendingCall>, call: SegmentCall, messageId: string): void {
    const { limits } = this.#parts
    const { type, remembered } = call
    const text = JSON.stringify(call.params)
    const bytes = Buffer.byteLength(text)
    if (bytes > MAX_PARAMS_BYTES) return this.#giveUp(call, 'too-large', undefined)
    while (durable.bytes + text.length > limits.maxStoredBytes) {
      // Calls of other processes are in stores of their own: to give them up makes no room in this one.
      const oldest = this.#handingIn.takeFrom(ADOPTED + 1) ?? durable.withdraw()
      if (!oldest) return this.#giveUp(call, 'overflow', 'the outbox is full')
      this.#end(oldest, 'overflow', 'the outbox is full')
    }
    const maxHeldBytes = Math.min(limits.maxBytes, MAX_HELD_BYTES)
    if (durable.unwrittenBytes + text.length > maxHeldBytes) {
      return this.#giveUp(call, 'overflow', 'the disk does not keep up')
    }
    const number = ++this.#made
    const pending = this.#pending
    const isHeld =
      durable.behind === 0 && pending.size < limits.maxPending && pending.hasRoomFor(bytes, maxHeldBytes)
    const held = isHeld
      ? pending.add({ number, type, messageId, remembered, content: text, bytes, ageMs: 0 })
      : undefined
    if (held && pending.size <= KEPT_WHOLE) held.call = call
    durable.add(number, { type, messageId, madeAt: Date.now(), text }, held)
  }

  /** Calls are on disk. */
  #stored(calls: readonly PendingCall[]): void {
    for (const pending of calls) {
      if (this.#durable?.works) pending.place = this.#durable.placeOf(pending.number, textOf(pending).length)
      if (this.#pending.get(pending.messageId) === pending) this.#handingIn.add(pending)
      else if (pending.place) this.#durable?.settled(pending.place)
    }
    this.#handingIn.gather()
  }

  /** Calls have come from the disk: those of processes that have ended go before all others. */
  #loaded(calls: readonly ReadCall[], isOwn: boolean): void {
    for (const { number, type, messageId, madeAt, text, place } of calls) {
      if (this.#pending.has(messageId)) {
        if (place) this.#durable?.settled(place)
        continue
      }
      if (!isOwn) this.#parts.ledger.made()
      const pending = this.#pending.add({
        number: isOwn ? number : ADOPTED,
        type,
        messageId,
        remembered: undefined,
        content: text,
        bytes: Buffer.byteLength(text),
        ageMs: Math.max(0, Date.now() - madeAt),
      })
      pending.place = place
      if (isOwn) this.#handingIn.add(pending)
      else this.#handingIn.giveBack(pending)
      this.#handingIn.due(pending.number)
    }
    this.#handingIn.schedule()
  }

  /** Resolves when every call made before has its outcome, or the time is over. */
  async flush(timeoutMs: number): Promise<void> {
    if (this.#pending.size === 0 && !this.#durable?.behind) return
    this.#handingIn.due(this.#made)
    void this.#durable?.commit()
    this.#handingIn.schedule()
    await this.#flushes.wait(this.#made, timeoutMs)
  }

  /** How the delivery is. */
  health(): Health {
    const lastTrouble =
      this.#gate.state === 'ok' ? (this.#lastLoss ?? this.#gate.lastError) : this.#gate.lastError
    const pending = this.#pending.size + (this.#durable?.behind ?? 0)
    const { longestWaitMs: oldestPendingMs } = this.#pending
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
    this.#handingIn.stop()
    this.#pending.stop()
    const { kept: stored, behind, gone } = await this.#onDisk(left())
    const kept = stored.length + behind
    for (const pending of stored) this.#pending.remove(pending)
    this.#parts.ledger.kept(kept)
    const lost = [...this.#pending.values()]
    for (const call of lost) this.#end(call, 'closed', 'it had no outcome when the tracking was shut down')
    this.#lostOnDisk(gone, 'closed')
    this.#flushes.end()
    if (kept > 0) this.#client.stop()
    // A client of the application's own that hangs in a flush would take no other.
    if (this.#handingIn.flushing) await answerWithin(this.#handingIn.flushing, left())
    if (!this.#handingIn.flushing) await this.#client.close(left())
    if (this.#durable) await answerWithin(this.#durable.close(), CLOSE_MS)
    this.#gate.stop()
    return { lost: lost.length + gone, kept }
  }

  /** What is on disk at the end: calls of memory, and how many others; or how many there were. */
  async #onDisk(timeoutMs: number): Promise<{ kept: PendingCall[]; behind: number; gone: number }> {
    const durable = this.#durable
    if (!durable) return { kept: [], behind: 0, gone: 0 }
    await answerWithin(
      durable.commit().then(() => durable.check()),
      Math.max(timeoutMs, CLOSE_MS),
    )
    if (durable.isGone) return { kept: [], behind: 0, gone: durable.forgetBehind() }
    const kept = [...this.#pending.values()].filter(({ place }) => place !== undefined)
    return { kept, behind: durable.behind, gone: 0 }
  }

  /** Resolves when what is pending is on disk and Segment does not take it: nothing is won by waiting then. */
  async #safe(): Promise<void> {
    const durable = this.#durable
    if (!durable) return new Promise(() => {})
    await durable.commit()
    await durable.check()
    if (!durable.works) return new Promise(() => {})
    if (!this.#gate.isOpen) return
    return new Promise((resolve) => this.#gate.onClose(resolve))
  }

  #delivered(messageId = ''): void {
    const pending = this.#pending.get(messageId)
    if (!pending?.isHandedIn) return
    const call = callOf(pending)
    this.#handingIn.settled(pending)
    this.#pending.remove(pending)
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
    this.#handingIn.settled(pending)
    if (pending.text !== undefined) pending.call = undefined
    const fault = faultOf(reason)
    if (fault.kind === 'too-large') return this.#end(pending, 'too-large', fault.detail)
    if (fault.kind === 'rejected') return this.#refused(pending, fault)
    if (!this.#client.isOwn) {
      if (fault.kind === 'refused') this.#gate.refused(fault.detail)
      else this.#gate.failed(fault.detail)
    }
    this.#handingIn.giveBack(pending)
    this.#handingIn.schedule()
  }

  #refused(pending: PendingCall, { detail }: Fault): void {
    if (this.#client.isOwn || pending.isSuspect) return this.#end(pending, 'rejected', detail)
    this.#handingIn.suspect(pending)
  }

  /** Gives up what has waited too long. */
  #expire(): void {
    const { next } = this.#handingIn
    for (let aged = next; aged && this.#pending.isTooOld(aged); aged = this.#handingIn.next) {
      this.#handingIn.take()
      this.#end(aged, 'expired', this.#gate.lastError)
    }
  }

  /** A pending call is given up. */
  #end(pending: PendingCall, reason: FailureReason, detail: string | undefined): void {
    this.#pending.remove(pending)
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

  #settled(): void {
    if (this.#flushes.upTo !== undefined) this.#endFlushesSoon()
    if (this.#handingIn.size > 0 || this.#flushes.upTo !== undefined || this.#durable?.hasMore)
      this.#handingIn.schedule()
  }

  /** Once a turn: to find the oldest call takes the longer, the more have been settled since there were most of them. */
  #endFlushesSoon(): void {
    if (this.#isEndingFlushes) return
    this.#isEndingFlushes = true
    setImmediate(() => {
      this.#isEndingFlushes = false
      this.#flushes.settledBefore(this.#oldest())
      // What came while somebody waited may have been held back for that.
      if (this.#handingIn.size > 0) this.#handingIn.schedule()
    })
  }

  /** The oldest call without an outcome that a flush waits for. */
  #oldest(): number {
    for (const { number } of this.#pending.values()) {
      if (number !== ADOPTED || this.#closing) return number
    }
    return this.#durable?.firstBehind ?? Number.POSITIVE_INFINITY
  }

  /** Calls that only the disk held have gone with it: nobody can say which. */
  #lostOnDisk(count: number, reason: FailureReason): void {
    if (count === 0) return
    for (let left = count; left > 0; left--) this.#parts.ledger.failed(reason)
    this.#disk.say('calls of the outbox are lost with it', { calls: count })
    this.#settled()
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
