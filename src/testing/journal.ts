import { escapeControls } from '../observe/format-call.js'
import { shown } from './partial-match.js'
import type { ReceivedCall } from './received-calls.js'
import type { Outcome } from './sending.js'
import { Waiters } from './waiters.js'

/** One request that the local endpoint received, accepted or not. */
export interface ReceivedBatch {
  readonly receivedAt: Date
  /** The batch's own `sentAt`: the sender's clock, ISO 8601. */
  readonly sentAt?: string
  readonly method: string
  /** The request's path, without its query. */
  readonly path: string
  /**
   * The answer's status, or how the answer failed: `'reset'`, `'half'` and `'hang'` are scripted faults, `'aborted'`
   * means that the client (or `stop()`) closed the connection first, `'pending'` that the answer is delayed.
   */
  readonly status: Outcome | 'pending'
  /** The request's headers, without `authorization`. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The body's size in bytes. */
  readonly bytes: number
  /** The request's calls, taken or not, duplicates included. Empty for a refused batch. */
  readonly calls: readonly ReceivedCall[]
  /** The request's messageIds, even of a refused batch. */
  readonly messageIds: readonly string[]
  /** Whether the endpoint took the calls; a fault may prevent that. */
  readonly taken: boolean
  /** `X-Retry-Count`: 0 on the first attempt. */
  readonly retryCount: number
}

/** A request that was refused by Segment's rules; none of its calls was taken. */
export interface RejectedBatch {
  /** 400 for a batch that breaks a rule, 401 for a wrong write key, 404 for another path. */
  readonly status: number
  /** The broken rule and its place; never a value. */
  readonly reason: string
  readonly messageIds: readonly string[]
}

/** A message that was received more than once. */
export interface Duplicate {
  readonly messageId: string
  /** How many times it arrived again after the first. */
  readonly count: number
}

/** A type without `readonly`, for an object under construction. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The most calls that an error lists. */
const MAX_LISTED = 20
const MAX_EVENT_LENGTH = 60

/** The requests and calls that the local endpoint has received, and the waits for further ones. */
export class Journal {
  readonly calls: ReceivedCall[] = []
  readonly batches: ReceivedBatch[] = []
  readonly duplicates: Duplicate[] = []
  readonly rejected: RejectedBatch[] = []
  /** How many calls were taken, counting each messageId once. */
  received = 0
  readonly #keep: boolean
  readonly #waiters = new Waiters()
  /** Every messageId taken; its value is its entry in `duplicates`, once there is one. */
  readonly #seen = new Map<string, Mutable<Duplicate> | undefined>()
  #closed = false

  /** @param keep - Whether calls and batches are kept, or only counted. */
  constructor(keep: boolean) {
    this.#keep = keep
  }

  /** Adds a request. */
  addBatch(batch: ReceivedBatch): void {
    if (this.#keep) this.batches.push(batch)
  }

  /**
   * Takes calls.
   *
   * @returns The calls whose messageId is new.
   */
  take(calls: readonly ReceivedCall[]): ReceivedCall[] {
    const fresh = calls.filter((call) => this.#isNew(call.messageId))
    for (const call of fresh) {
      this.received++
      if (this.#keep) this.calls.push(call)
      this.#waiters.offer(call)
    }
    return fresh
  }

  /** Waits for a call, which may have arrived already. */
  async waitForCall(predicate: (call: ReceivedCall) => boolean, timeoutMs: number): Promise<ReceivedCall> {
    const pick = (call: ReceivedCall) => (predicate(call) ? call : undefined)
    return (
      this.calls.find((call) => predicate(call)) ??
      this.#wait(pick, timeoutMs, 'a call that the predicate accepts')
    )
  }

  /** Waits until a number of calls have arrived. */
  async waitForCount(count: number, timeoutMs: number): Promise<readonly ReceivedCall[]> {
    if (!Number.isInteger(count) || count < 0) {
      throw new TypeError(
        `waitFor: ${shown(count)} is not a number of calls; give an integer from 0 on, or a predicate`,
      )
    }
    const pick = () => (this.received >= count ? this.calls.slice(0, count) : undefined)
    return pick() ?? this.#wait(pick, timeoutMs, `${count} calls`)
  }

  /** Forgets everything received; open waits go on. */
  clear(): void {
    for (const list of [this.calls, this.batches, this.duplicates, this.rejected]) list.length = 0
    this.#seen.clear()
    this.received = 0
  }

  /** Rejects all open and later waits. */
  close(): void {
    this.#closed = true
    this.#waiters.giveUp('the endpoint was closed')
  }

  #wait<T>(pick: (call: ReceivedCall) => T | undefined, timeoutMs: number, wanted: string): Promise<T> {
    const waiting = this.#waiters.wait(pick, timeoutMs, wanted, () => this.#summary())
    if (this.#closed) this.close()
    return waiting
  }

  #isNew(messageId: string | null | undefined): boolean {
    // Segment generates a missing messageId, so such a call is never a duplicate.
    if (!messageId) return true
    const duplicate = this.#seen.get(messageId)
    if (duplicate) {
      duplicate.count++
      return false
    }
    if (!this.#seen.has(messageId)) {
      this.#seen.set(messageId, undefined)
      return true
    }
    const first = { messageId, count: 1 }
    this.#seen.set(messageId, first)
    this.duplicates.push(first)
    return false
  }

  #summary(): string {
    const listed = this.calls.slice(0, MAX_LISTED).map(nameOf)
    const more = this.received - listed.length
    if (more > 0) listed.push(listed.length > 0 ? `${more} more` : `${more} calls`)
    const arrived = listed.length > 0 ? `Arrived: ${listed.join(', ')}.` : 'No call has arrived.'
    const last = this.rejected.at(-1)
    if (!last) return arrived
    return `${arrived} Refused: ${this.rejected.length} requests, the last with ${last.status}: ${last.reason}.`
  }
}

function nameOf(call: ReceivedCall): string {
  if (call.type !== 'track') return call.type
  return `track "${escapeControls(call.event.slice(0, MAX_EVENT_LENGTH))}"`
}
