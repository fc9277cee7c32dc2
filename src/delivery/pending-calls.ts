import type { CallType, Remembered, SegmentCall } from '../model/segment-call.js'
import { timerMs } from '../support/maybe.js'
import { type PendingCall, textOf } from './pending-call.js'

/** A call that is under way when its time is over is looked at again so many milliseconds later. */
const MIN_AGE_CHECK_MS = 50

/** A call that has no outcome yet, as it is handed over. */
export interface UnsettledCall {
  readonly number: number
  readonly type: CallType
  readonly messageId: string
  readonly remembered: Remembered | undefined
  /** The call, or its parameters as JSON. */
  readonly content: SegmentCall | string
  /** Bytes of its JSON; of a call that is no text at most so many. */
  readonly bytes: number
  /** How long ago it was made, in milliseconds. */
  readonly ageMs: number
}

/** All calls without an outcome, in the order in which they came, and what they take. */
export class PendingCalls {
  readonly #calls = new Map<string, PendingCall>()
  readonly #maxAge: number
  readonly #aged: () => void
  #bytes = 0
  /** How many of them have a size that is known only roughly. */
  #unweighed = 0
  #timer: NodeJS.Timeout | undefined

  /**
   * @param maxAge - Milliseconds that a call may wait.
   * @param aged - Is called when the oldest has waited so long, and again while it is still there.
   */
  constructor(maxAge: number, aged: () => void) {
    this.#maxAge = maxAge
    this.#aged = aged
  }

  /** How many there are. */
  get size(): number {
    return this.#calls.size
  }

  /** The bytes of their JSON, or more. */
  get bytes(): number {
    return this.#bytes
  }

  /** How long the oldest has waited, in milliseconds; 0 where there is none. */
  get longestWaitMs(): number {
    let born = Number.POSITIVE_INFINITY
    // Calls of ended processes come after others that are younger.
    for (const { madeAt } of this.#calls.values()) born = Math.min(born, madeAt)
    return Math.max(0, Math.round(performance.now() - born))
  }

  /** All of them, in the order in which they came. */
  values(): IterableIterator<PendingCall> {
    return this.#calls.values()
  }

  /** The one with a messageId. */
  get(messageId: string): PendingCall | undefined {
    return this.#calls.get(messageId)
  }

  /** Whether there is one with a messageId. */
  has(messageId: string): boolean {
    return this.#calls.has(messageId)
  }

  /** Adds a call. */
  add({ number, type, messageId, remembered, content, bytes, ageMs }: UnsettledCall): PendingCall {
    const isText = typeof content === 'string'
    const pending: PendingCall = {
      number,
      type,
      messageId,
      text: isText ? content : undefined,
      bytes,
      isWeighed: isText,
      madeAt: performance.now() - ageMs,
      remembered,
      call: isText ? undefined : content,
      isHandedIn: false,
      isSuspect: false,
      place: undefined,
    }
    this.#calls.set(messageId, pending)
    this.#bytes += bytes
    if (!isText) this.#unweighed++
    this.#watchAge()
    return pending
  }

  /** Takes a call out: it has its outcome, or somebody else has it. */
  remove(pending: PendingCall): void {
    this.#calls.delete(pending.messageId)
    if (!pending.isWeighed) this.#unweighed--
    this.#bytes -= pending.bytes
  }

  /** Whether so many bytes more stay below a limit. Calls are weighed when it matters, each of them once. */
  hasRoomFor(bytes: number, limit: number): boolean {
    if (this.#bytes + bytes <= limit) return true
    if (this.#unweighed > 0) for (const pending of this.#calls.values()) this.#weigh(pending)
    return this.#bytes + bytes <= limit
  }

  /** Whether a call has waited too long. */
  isTooOld({ madeAt }: PendingCall): boolean {
    return madeAt <= performance.now() - this.#maxAge
  }

  /** Watches ages no more. */
  stop(): void {
    clearTimeout(this.#timer)
  }

  #weigh(pending: PendingCall): void {
    if (pending.isWeighed) return
    const bytes = Buffer.byteLength(textOf(pending))
    this.#bytes += bytes - pending.bytes
    this.#unweighed--
    pending.bytes = bytes
    pending.isWeighed = true
  }

  /** One timer for all calls: for the oldest. */
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
