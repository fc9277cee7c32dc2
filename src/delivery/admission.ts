import { bytesWithin, MAX_CALL_BYTES } from '../model/json-size.js'
import type { SegmentCall } from '../model/segment-call.js'
import { channels } from '../observe/channels.js'
import { wallTime } from '../support/clock.js'
import type { HeldCalls } from './held-calls.js'
import type { Ledger } from './ledger.js'
import type { Limits } from './limits.js'
import type { StoredQueue } from './outbox/stored-queue.js'
import type { Outcomes } from './outcomes.js'
import { type PendingCall, sizeOf } from './pending-call.js'
import type { UnsettledCall } from './pending-calls.js'
import type { StoredKeys } from './stored-keys.js'

/** Bytes that the client adds to every call: type, library and Node's version. */
const ADDED_BYTES = 320
/** The most bytes of a call's parameters. */
const MAX_PARAMS_BYTES = MAX_CALL_BYTES - ADDED_BYTES
/** The most bytes in memory with an outbox; the rest is read back when its turn comes. */
const MAX_HELD_BYTES = 64 * 1024 * 1024
/** The number of the first call of this process. */
const FIRST_NUMBER = 1

/** The parts of an {@link Admission}. */
export interface AdmissionParts {
  readonly held: HeldCalls
  readonly ledger: Ledger
  readonly outcomes: Outcomes
  readonly limits: Limits
  /** Whether this process sends; one that does not leaves its calls in the outbox to others. */
  readonly sends: boolean
  readonly storedKeys: StoredKeys
  readonly writeKeyHash: string | undefined
}

/** In which form a call waits in memory. */
type Form = Pick<UnsettledCall, 'text' | 'sdkText' | 'objectBytes' | 'bytes'>

/** Takes new calls in: refuses those that there is no room for, and decides in which form each waits. */
export class Admission {
  readonly #parts: AdmissionParts

  constructor(parts: AdmissionParts) {
    this.#parts = parts
  }

  /**
   * Takes a call in. Never throws: an undeliverable call fails.
   *
   * @param isKeyed - Whether another call may have its messageId.
   */
  admit(call: SegmentCall, isKeyed: boolean): void {
    const { held, sends, outcomes } = this.#parts
    const { messageId } = call.params
    if (channels.dispatch.hasSubscribers) channels.dispatch.publish({ call })
    if (messageId === undefined) return outcomes.refused(call, 'rejected', 'the call has no messageId')
    if (held.pending.has(messageId))
      return outcomes.refused(call, 'rejected', 'another pending call has the same messageId')
    if (held.isClosed) return outcomes.refused(call, 'closed', undefined)
    const clientError = this.openClient()
    if (held.queue?.isUsable) return this.#store(held.queue, call, messageId, isKeyed)
    if (!sends) return outcomes.refused(call, 'closed', 'the outbox cannot be used')
    if (clientError) return outcomes.refused(call, 'closed', clientError)
    const sdkText = held.client.carries ? held.client.textOf(call) : undefined
    if (sdkText === undefined) this.#keepObject(call, messageId)
    else this.#keepSdkText(call, messageId, sdkText)
  }

  /**
   * Makes the client that calls will need, unless it is there, or calls are left to others.
   *
   * @returns Why there is none that takes calls.
   */
  openClient(): string | undefined {
    const { held, sends } = this.#parts
    return sends && !held.isClosed ? held.openClient() : undefined
  }

  /** Keeps a call that the client is given as an object. */
  #keepObject(call: SegmentCall, messageId: string): void {
    const { held, limits, outcomes } = this.#parts
    const most = bytesWithin(call.params, MAX_PARAMS_BYTES)
    if (most === undefined) return outcomes.refused(call, 'too-large', undefined)
    // Serialising a call and parsing it again costs as much as all before it, so the next calls stay objects.
    const objectBytes = held.pending.bytes + most <= limits.maxBytes ? held.objectBytesOf(call) : 0
    const text = objectBytes > 0 ? undefined : JSON.stringify(call.params)
    const bytes = text === undefined ? most : sizeOf(text)
    this.#keep(call, messageId, { text, sdkText: undefined, objectBytes, bytes })
  }

  /** Keeps a call that is written as it will be sent: its object is needed only by those who want to hear of it. */
  #keepSdkText(call: SegmentCall, messageId: string, sdkText: string): void {
    const { held, outcomes } = this.#parts
    if (Buffer.byteLength(sdkText) > MAX_CALL_BYTES) return outcomes.refused(call, 'too-large', undefined)
    const objectBytes = outcomes.hearsDelivered ? held.objectBytesOf(call) : 0
    this.#keep(call, messageId, { text: undefined, sdkText, objectBytes, bytes: sizeOf(sdkText) })
  }

  /** Keeps a call in memory until it has its outcome, if there is room. */
  #keep(call: SegmentCall, messageId: string, form: Form): void {
    const { held, ledger, limits, outcomes } = this.#parts
    const { pending, submitter } = held
    if (pending.size >= limits.maxPending || !pending.hasRoomFor(form.bytes, limits.maxBytes)) {
      const detail = `${pending.size} calls, ${pending.bytes} bytes are waiting`
      return outcomes.refused(call, 'overflow', detail)
    }
    ledger.made()
    submitter.add(this.#hold(++held.newest, call, messageId, form))
    submitter.gather()
  }

  #hold(number: number, call: SegmentCall, messageId: string, form: Form): PendingCall {
    const { text, sdkText, objectBytes, bytes } = form
    const { type, remembered } = call
    return this.#parts.held.pending.add({
      number,
      type,
      messageId,
      remembered,
      text,
      sdkText,
      call: objectBytes > 0 ? call : undefined,
      objectBytes,
      bytes,
      ageMs: 0,
    })
  }

  /** Stores a call before the client gets it. */
  #store(queue: StoredQueue<PendingCall>, call: SegmentCall, messageId: string, isKeyed: boolean): void {
    const { held, ledger, limits, outcomes, sends, storedKeys, writeKeyHash } = this.#parts
    const { pending, submitter } = held
    const { type, remembered } = call
    const text = JSON.stringify(call.params)
    const bytes = Buffer.byteLength(text)
    if (bytes > MAX_PARAMS_BYTES) return outcomes.refused(call, 'too-large', undefined)
    while (queue.bytes + text.length > limits.maxStoredBytes) {
      // Calls of other processes lie in other stores: dropping them makes no room here.
      const oldest = submitter.takeFrom(FIRST_NUMBER) ?? queue.withdraw()
      if (!oldest) return outcomes.refused(call, 'overflow', 'the outbox is full')
      held.end(oldest, 'overflow', 'the outbox is full')
    }
    const maxHeldBytes = Math.min(limits.maxBytes, MAX_HELD_BYTES)
    if (queue.unwrittenBytes + text.length > maxHeldBytes) {
      return outcomes.refused(call, 'overflow', 'the outbox does not keep up')
    }
    const number = ++held.newest
    const isHeld =
      sends &&
      queue.storedOnly === 0 &&
      pending.size < limits.maxPending &&
      pending.hasRoomFor(bytes, maxHeldBytes)
    const inMemory = isHeld ? this.#holdStored(number, call, messageId, text) : undefined
    ledger.made()
    if (inMemory) inMemory.isKeyed = isKeyed
    else if (isKeyed) storedKeys.add(messageId, number, queue.firstStoredOnly)
    const stored = { type, messageId, madeAt: wallTime(), text, writeKeyHash }
    queue.add(number, stored, { held: inMemory, remembered })
  }

  #holdStored(number: number, call: SegmentCall, messageId: string, text: string): PendingCall {
    const objectBytes = this.#parts.held.objectBytesOf(call)
    return this.#hold(number, call, messageId, {
      text,
      sdkText: undefined,
      objectBytes,
      bytes: sizeOf(text),
    })
  }
}
