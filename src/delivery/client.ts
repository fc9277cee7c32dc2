import type { SegmentCall } from '../model/segment-call.js'
import { areTimersFaked, nextTurn, performance } from '../support/clock.js'
import { isInstance } from '../support/instance.js'
import { answerWithin, isPromise } from '../support/maybe.js'
import type { Carriers } from './carriers.js'
import { ClientCalls, type OutcomeListener } from './client-calls.js'
import { ClientClosed, cancelledBy, isNetworkError } from './failure.js'
import { ObservedClient } from './observed-client.js'
import { makeCall } from './sdk-call.js'
import type { SdkTexts } from './sdk-texts.js'
import { lendTimers, withNodeTimers } from './sdk-timers.js'
import { heldBySdk, isClosed, type SdkTraits, type SegmentClient } from './segment-client.js'
import type { Transport } from './transport.js'

/** Milliseconds that a client waits that sends at once: long enough for the calls of one batch to pass the plugins together. */
export const CLIENT_FLUSH_INTERVAL_MS = 2

/** Milliseconds that closing waits for a plugin that hangs, when every call has its outcome. */
const CLOSE_STUCK_MS = 250

/** What a {@link Client} is made of. */
export interface ClientParts {
  readonly calls: ClientCalls
  /** The transport, if it is ours: the client then sends at once, and the transport finds a refused call among those of its batch. */
  readonly transport?: Transport
  /** What it takes to give whole batches to the SDK as one call. */
  readonly batches?: CarriedBatches | undefined
  /** Makes the SDK's client. */
  make(): SegmentClient
}

/**
 * A Segment client that reports the outcome of every call. The SDK's client is made, and the SDK loaded, when it is first
 * needed.
 */
export class Client {
  /** The calls that the client holds. */
  readonly calls: ClientCalls
  /** Called whenever the last request in flight has its outcome. */
  onQuiet: (() => void) | undefined
  readonly #parts: ClientParts
  #observed: ObservedClient | undefined
  #unnamed = 0

  constructor(parts: ClientParts) {
    const { calls, transport, batches } = parts
    this.calls = calls
    this.#parts = parts
    if (transport) transport.onIdle = () => this.onQuiet?.()
    else calls.onQuiet = () => this.onQuiet?.()
    if (batches) {
      batches.carriers.onStopped = (call, reason) => this.#observed?.events?.stopped(call, reason)
    }
  }

  /** The client that the application has made: the SDK's, or a stand-in. */
  static around(analytics: SegmentClient, listener: OutcomeListener): Client {
    const client = new Client({ calls: new ClientCalls(listener), make: () => analytics })
    client.open()
    return client
  }

  /** Whether the transport is ours, and knows the outcome of every request. */
  get isOwn(): boolean {
    return this.#parts.transport !== undefined
  }

  /** The SDK's client, or the stand-in for it. */
  get analytics(): SegmentClient {
    return this.open().analytics
  }

  /** What the SDK's client keeps to itself; `undefined` for any other stand-in, and before it is made. */
  get traits(): SdkTraits | undefined {
    return this.#observed?.traits
  }

  /**
   * Makes the SDK's client, unless it is there.
   *
   * @throws ClientMissing where the SDK cannot be loaded.
   */
  open(): ObservedClient {
    this.#observed ??= new ObservedClient(this.#parts.make(), this.calls, this.isOwn)
    return this.#observed
  }

  /** Whether batches may be given to the SDK as one call now: nobody but this package sees what it does with calls. */
  get carries(): boolean {
    return this.#parts.batches !== undefined && this.#observed?.isUnseen === true
  }

  /** A call as the SDK writes it; `undefined` where the SDK has to write it itself. */
  textOf(call: SegmentCall): string | undefined {
    return this.#parts.batches?.texts.textOf(call)
  }

  /**
   * Gives a whole batch to the SDK, as one call. Each call has an outcome of its own.
   *
   * @param texts - The calls as {@link textOf} writes them.
   * @returns Whether the SDK has taken it.
   */
  carry(messageIds: readonly string[], texts: readonly string[]): boolean {
    const { batches } = this.#parts
    if (!batches) return false
    const { analytics } = this
    if (areTimersFaked()) lendTimers(analytics)
    if (isClosed(analytics)) return false
    batches.carriers.carry(messageIds, texts, (messageId) =>
      analytics.track({ userId: 'reqtrack', event: 'batch', properties: {}, messageId }),
    )
    return true
  }

  /** Whether no request is in flight or waits for a retry. */
  get isQuiet(): boolean {
    const { transport } = this.#parts
    return transport ? transport.isIdle : this.calls.sent === 0
  }

  /**
   * Makes a call on the client.
   *
   * @throws ClientMissing where the SDK cannot be loaded; what the client throws for an invalid call, and if it has no such
   * method.
   */
  call(call: SegmentCall): void {
    const { analytics, events, traits } = this.open()
    const messageId = call.params.messageId ?? `unnamed ${++this.#unnamed}`
    let answer: unknown
    // A stand-in may emit the outcome before its method returns.
    if (!traits) this.calls.begin(messageId, undefined, false)
    events?.expect()
    if (this.isOwn && areTimersFaked()) lendTimers(analytics)
    if (this.carries) this.#parts.batches?.texts.watch(call)
    try {
      answer = makeCall(analytics, call)
    } catch (error) {
      events?.expected()
      this.calls.forget(messageId)
      throw error
    }
    const isBegun = events?.expected() === true || !traits
    if (!isBegun) this.calls.begin(messageId, undefined, false)
    if (isPromise(answer)) settleWith(answer, this.calls, messageId, events === undefined)
    else if (!events) this.calls.settled([messageId], undefined)
    else if (!isBegun && isClosed(analytics)) this.calls.settled([messageId], new ClientClosed())
  }

  /** Sends the partial batch. Call it when quiet and never twice at a time: the SDK ignores a second flush. */
  async flush(): Promise<void> {
    await this.#observed?.analytics.flush?.()
  }

  /** Fails the calls that wait for a request, so that they can wait elsewhere. */
  recall(): void {
    this.#parts.transport?.recall()
  }

  /** Aborts every request in flight where possible: their calls are stored elsewhere. */
  stop(): void {
    this.#parts.transport?.stop()
  }

  /**
   * Sends the rest and closes the client. Waits until nothing is in flight first: `closeAndFlush` of the SDK would leave the
   * partial batch behind.
   *
   * @param timeoutMs - Milliseconds in total. The client is closed afterwards in any case.
   */
  async close(timeoutMs: number): Promise<void> {
    // Whoever asks for the client later gets one whose requests all fail.
    if (!this.#observed) return this.stop()
    const deadline = performance.now() + timeoutMs
    await answerWithin(this.#quiet(), timeoutMs)
    // 0 means no limit to the SDK.
    const rest = Math.max(
      1,
      Math.min(deadline - performance.now(), this.#isStuck ? CLOSE_STUCK_MS : Infinity),
    )
    await answerWithin(this.#closeAndFlush(rest), rest)
    this.stop()
  }

  /** Whether the SDK still holds calls although every call has its outcome: a plugin hangs. */
  get #isStuck(): boolean {
    if (!this.#observed) return false
    const { analytics, watch } = this.#observed
    const held = heldBySdk(analytics) ?? 0
    return held > 0 && this.calls.size === 0 && (this.isOwn || held <= watch.abandoned)
  }

  /** Whether no call waits in a partial batch of the client for long. */
  get #sendsAtOnce(): boolean {
    return this.isOwn && this.traits?.flushIntervalMs === CLIENT_FLUSH_INTERVAL_MS
  }

  async #closeAndFlush(timeout: number): Promise<void> {
    // Without a limit of its own the SDK sets no timer, which under a test's fake timers would never fire.
    const limit = areTimersFaked() ? 0 : timeout
    await withNodeTimers(() => this.#observed?.analytics.closeAndFlush?.({ timeout: limit }))
  }

  async #quiet(): Promise<void> {
    if (this.#sendsAtOnce) await this.calls.empty()
    else if (!this.isQuiet) {
      await new Promise<void>((resolve) => {
        this.onQuiet = resolve
      })
    }
    // The SDK counts calls as pending until it has processed the answer, some microtasks later.
    await nextTurn()
  }
}

/** What it takes to give whole batches to the SDK as one call. */
export interface CarriedBatches {
  readonly carriers: Carriers
  readonly texts: SdkTexts
}

/** The outcome of a call on a stand-in that returns a promise. */
function settleWith(
  answer: PromiseLike<unknown>,
  calls: ClientCalls,
  messageId: string,
  isOutcome: boolean,
): void {
  // A thenable may answer and throw, or answer twice; a promise settles once.
  Promise.resolve(answer).then(
    () => isOutcome && calls.settled([messageId], undefined),
    (error: unknown) =>
      calls.settled(
        [messageId],
        isNetworkError(error) && isInstance(error, Error) ? error : cancelledBy(error),
      ),
  )
}
