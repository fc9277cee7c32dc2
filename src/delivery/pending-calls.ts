import type { CallType, Remembered, SegmentCall } from '../model/segment-call.js'
import { clearTimeout, performance, setTimeout } from '../support/clock.js'
import { timerMs } from '../support/maybe.js'
import { type PendingCall, sizeOf, textOf } from './pending-call.js'

/** Milliseconds between checks of an expired call that is still in flight. */
const MIN_AGE_CHECK_MS = 50

/** A new call without an outcome. */
export interface UnsettledCall {
  readonly number: number
  readonly type: CallType
  readonly messageId: string
  readonly remembered: Remembered | undefined
  /** Its parameters as JSON, unless it waits as an object. */
  readonly text: string | undefined
  /** The call as the SDK writes it, where that is known. */
  readonly sdkText: string | undefined
  /** The call, where it waits as an object. */
  readonly call: SegmentCall | undefined
  /** Bytes of memory that the object takes; 0 without one. */
  readonly objectBytes: number
  /** Bytes of its JSON; an upper bound for an object. */
  readonly bytes: number
  /** Milliseconds since it was made. */
  readonly ageMs: number
}

/** All calls without an outcome in order of arrival, and their size. */
export class PendingCalls {
  readonly #calls = new Map<string, PendingCall>()
  readonly #maxAge: number
  readonly #aged: () => void
  #bytes = 0
  #objectBytes = 0
  /** How many have an estimated size. */
  #inexactSizes = 0
  #timer: NodeJS.Timeout | undefined

  /**
   * @param maxAge - Milliseconds that a call may wait at most.
   * @param aged - Called when the oldest call has waited that long, and repeatedly while it remains.
   */
  constructor(maxAge: number, aged: () => void) {
    this.#maxAge = maxAge
    this.#aged = aged
  }

  /** How many there are. */
  get size(): number {
    return this.#calls.size
  }

  /** Bytes of their JSON, or an upper bound. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes of memory of those that wait as objects. */
  get objectBytes(): number {
    return this.#objectBytes
  }

  /** Milliseconds that the oldest has waited; 0 without one. */
  get longestWaitMs(): number {
    let born = Number.POSITIVE_INFINITY
    // Calls of ended processes arrive after younger ones.
    for (const { madeAt } of this.#calls.values()) born = Math.min(born, madeAt)
    return Math.max(0, Math.round(performance.now() - born))
  }

  /** All of them, in order of arrival. */
  values(): IterableIterator<PendingCall> {
    return this.#calls.values()
  }

  /** The call with a messageId. */
  get(messageId: string): PendingCall | undefined {
    return this.#calls.get(messageId)
  }

  /** Whether a call has a messageId. */
  has(messageId: string): boolean {
    return this.#calls.has(messageId)
  }

  /** Adds a call. */
  add({ ageMs, ...call }: UnsettledCall): PendingCall {
    const isText = call.text !== undefined || call.sdkText !== undefined
    const pending: PendingCall = {
      ...call,
      isExactSize: isText,
      madeAt: performance.now() - ageMs,
      clientBytes: 0,
      isSubmitted: false,
      isSuspect: false,
      isKeyed: false,
      isAdopted: false,
      place: undefined,
    }
    this.#calls.set(pending.messageId, pending)
    this.#bytes += pending.bytes
    this.#objectBytes += pending.objectBytes
    if (!isText) this.#inexactSizes++
    this.#watchAge()
    return pending
  }

  /** Drops the object of a call that has a text, too. */
  dropObject(pending: PendingCall): void {
    if (pending.text === undefined && pending.sdkText === undefined) return
    pending.call = undefined
    this.#objectBytes -= pending.objectBytes
    pending.objectBytes = 0
  }

  /** Removes a call that has its outcome or another owner. */
  remove(pending: PendingCall): void {
    this.#calls.delete(pending.messageId)
    this.#objectBytes -= pending.objectBytes
    if (!pending.isExactSize) this.#inexactSizes--
    this.#bytes -= pending.bytes
    // A timer for nothing would hold the tracking in memory for hours.
    if (this.#calls.size === 0) this.stop()
  }

  /** Whether a limit leaves room for more bytes. Measures estimated calls, each once, only when the estimate says no. */
  hasRoomFor(bytes: number, limit: number): boolean {
    if (this.#bytes + bytes <= limit) return true
    if (this.#inexactSizes > 0) for (const pending of this.#calls.values()) this.#measure(pending)
    return this.#bytes + bytes <= limit
  }

  /** Whether a call has waited too long. */
  isTooOld({ madeAt }: PendingCall): boolean {
    return madeAt <= performance.now() - this.#maxAge
  }

  /** Stops the timer. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #measure(pending: PendingCall): void {
    if (pending.isExactSize) return
    const bytes = sizeOf(textOf(pending))
    this.#bytes += bytes - pending.bytes
    this.#inexactSizes--
    pending.bytes = bytes
    pending.isExactSize = true
  }

  /** One timer, for the oldest call, serves all. */
  #watchAge(): void {
    if (this.#timer) return
    const [oldest] = this.#calls.values()
    if (!oldest) return
    const left = oldest.madeAt + this.#maxAge - performance.now()
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#aged()
        this.#watchAge()
      },
      timerMs(Math.max(left, MIN_AGE_CHECK_MS), 0),
    )
    this.#timer.unref()
  }
}
