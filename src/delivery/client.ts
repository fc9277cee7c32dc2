import { Analytics } from '@segment/analytics-node'
import type { SegmentCall } from '../model/segment-call.js'
import type { RequestReport } from '../observe/step.js'
import { areTimersFaked, nextTurn, performance } from '../support/clock.js'
import { isInstance } from '../support/instance.js'
import { answerWithin, isPromise } from '../support/maybe.js'
import { Carriers } from './carriers.js'
import { ClientCalls, type OutcomeListener } from './client-calls.js'
import { ClientEvents } from './client-events.js'
import { ClientWatch } from './client-watch.js'
import { ClientClosed, cancelledBy, isNetworkError } from './failure.js'
import { Gate } from './gate.js'
import { DEFAULT_LIMITS } from './limits.js'
import { OAuthToken } from './oauth-token.js'
import type { Unsettled } from './process-end.js'
import { makeCall } from './sdk-call.js'
import { hasListeners, SdkOnlookers } from './sdk-onlookers.js'
import { SdkTexts } from './sdk-texts.js'
import { lendTimers, withNodeTimers } from './sdk-timers.js'
import {
  type ClientSettings,
  heldBySdk,
  isClosed,
  type SdkTraits,
  type SegmentClient,
  sdkTraitsOf,
} from './segment-client.js'
import { Transport, type TransportParts } from './transport.js'
import { UnrefHttpClient } from './unref-http-client.js'

/** Short, yet long enough for the calls of one batch to pass the plugins together. */
const CLIENT_FLUSH_INTERVAL_MS = 2

/** The SDK's default for the seconds that it retries a batch, or waits at Segment's request. */
const SDK_MAX_DURATION_S = 43_200

/** What the SDK emits about its requests, with their bodies. */
const REQUESTS: readonly string[] = ['http_request', 'http_response']

/** Milliseconds that closing waits for a plugin that hangs, when every call has its outcome. */
const CLOSE_STUCK_MS = 250

/** What a client that does not keep the process alive shares with its delivery. */
export interface ClientRoute {
  /** Decides when requests may go, and how many at a time. */
  readonly gate: Gate
  /** Counts the batches without an outcome. */
  readonly unsettled: Unsettled
  /** The observer of requests, if there is one. */
  observer(): ((report: RequestReport) => void) | undefined
}

/** A Segment client that reports the outcome of every call. */
export class Client {
  readonly analytics: SegmentClient
  /** The calls that the client holds. */
  readonly calls: ClientCalls
  /** What the SDK's client keeps to itself; `undefined` for any other stand-in. */
  readonly traits: SdkTraits | undefined
  /**
   * Whether the transport is ours: the client then sends at once, and the transport finds a refused call among the calls of
   * its batch.
   */
  readonly isOwn: boolean
  /** Called whenever the last request in flight has its outcome. */
  onQuiet: (() => void) | undefined
  readonly #transport: Transport | undefined
  /** `undefined` where a stand-in emits nothing: a call then has its outcome when its method has returned or its promise has settled. */
  readonly #events: ClientEvents | undefined
  readonly #watch: ClientWatch
  /** Of a client whose transport sends whole batches that the SDK was given as one call. */
  readonly #batches: Batches | undefined
  #unnamed = 0

  /**
   * @param analytics - The SDK's client, or a stand-in.
   * @param batches - What it takes to give whole batches to the SDK as one call.
   */
  constructor(
    analytics: SegmentClient,
    calls: ClientCalls | OutcomeListener,
    transport?: Transport,
    batches?: Omit<Batches, 'onlookers'>,
  ) {
    this.analytics = analytics
    this.calls = calls instanceof ClientCalls ? calls : new ClientCalls(calls)
    this.traits = sdkTraitsOf(analytics)
    this.#transport = transport
    this.isOwn = transport !== undefined
    if (transport) transport.onIdle = () => this.onQuiet?.()
    else this.calls.onQuiet = () => this.onQuiet?.()
    this.#watch = new ClientWatch(this, this.calls)
    this.#events = typeof analytics.on === 'function' ? new ClientEvents(this, this.calls) : undefined
    if (!batches) return
    this.#batches = { ...batches, onlookers: new SdkOnlookers(analytics) }
    batches.carriers.onStopped = (call, reason) => this.#events?.stopped(call, reason)
  }

  /** Makes a client that batches calls as the SDK does, and keeps the process alive until they are sent. */
  static create(settings: ClientSettings, listener: OutcomeListener): Client {
    const gate = new Gate(DEFAULT_LIMITS.maxInFlight, { keepsAlive: true })
    return open(settings, listener, { gate, custom: settings.httpClient, observer: () => undefined })
  }

  /** Makes a client that sends its calls at once, and does not keep the process alive. */
  static createUnref(settings: ClientSettings, listener: OutcomeListener, route: ClientRoute): Client {
    const http = settings.httpClient === undefined ? new UnrefHttpClient() : undefined
    const parts = {
      gate: route.gate,
      unsettled: route.unsettled,
      custom: http ?? settings.httpClient,
      observer: () => route.observer(),
      abort: (reason: Error) => http?.abort(reason),
    }
    // An application's own HTTP client may look into what it is given.
    const mayCarry = settings.httpClient === undefined
    return open({ ...settings, flushInterval: CLIENT_FLUSH_INTERVAL_MS }, listener, parts, mayCarry)
  }

  /** Whether batches may be given to the SDK as one call now: nobody but this package sees what it does with calls. */
  get carries(): boolean {
    return this.#batches?.onlookers.areThere === false
  }

  /** A call as the SDK writes it; `undefined` where the SDK has to write it itself. */
  textOf(call: SegmentCall): string | undefined {
    return this.#batches?.texts.textOf(call)
  }

  /**
   * Gives a whole batch to the SDK, as one call. Each call has an outcome of its own.
   *
   * @param texts - The calls as {@link textOf} writes them.
   * @returns Whether the SDK has taken it.
   */
  carry(messageIds: readonly string[], texts: readonly string[]): boolean {
    if (!this.#batches) return false
    const { carriers } = this.#batches
    if (areTimersFaked()) lendTimers(this.analytics)
    if (isClosed(this.analytics)) return false
    carriers.carry(messageIds, texts, (messageId) =>
      this.analytics.track({ userId: 'reqtrack', event: 'batch', properties: {}, messageId }),
    )
    return true
  }

  /** Whether no request is in flight or waits for a retry. */
  get isQuiet(): boolean {
    return this.#transport ? this.#transport.isIdle : this.calls.sent === 0
  }

  /**
   * Makes a call on the client.
   *
   * @throws What the client throws for an invalid call, and if it has no such method.
   */
  call(call: SegmentCall): void {
    const events = this.#events
    const messageId = call.params.messageId ?? `unnamed ${++this.#unnamed}`
    let answer: unknown
    // A stand-in may emit the outcome before its method returns.
    if (!this.traits) this.calls.begin(messageId, undefined, false)
    events?.expect()
    if (this.isOwn && areTimersFaked()) lendTimers(this.analytics)
    if (this.carries) this.#batches?.texts.watch(call)
    try {
      answer = makeCall(this.analytics, call)
    } catch (error) {
      events?.expected()
      this.calls.forget(messageId)
      throw error
    }
    const isBegun = events?.expected() === true || !this.traits
    if (!isBegun) this.calls.begin(messageId, undefined, false)
    if (isPromise(answer)) settleWith(answer, this.calls, messageId, events === undefined)
    else if (!events) this.calls.settled([messageId], undefined)
    else if (!isBegun && isClosed(this.analytics)) this.calls.settled([messageId], new ClientClosed())
  }

  /** Sends the partial batch. Call it when quiet and never twice at a time: the SDK ignores a second flush. */
  async flush(): Promise<void> {
    await this.analytics.flush?.()
  }

  /** Fails the calls that wait for a request, so that they can wait elsewhere. */
  recall(): void {
    this.#transport?.recall()
  }

  /** Aborts every request in flight where possible: their calls are stored elsewhere. */
  stop(): void {
    this.#transport?.stop()
  }

  /**
   * Sends the rest and closes the client. Waits until nothing is in flight first: `closeAndFlush` of the SDK would leave the
   * partial batch behind.
   *
   * @param timeoutMs - Milliseconds in total. The client is closed afterwards in any case.
   */
  async close(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    await answerWithin(this.#quiet(), timeoutMs)
    // 0 means no limit to the SDK.
    const rest = Math.max(
      1,
      Math.min(deadline - performance.now(), this.#isStuck ? CLOSE_STUCK_MS : Infinity),
    )
    await answerWithin(this.#closeAndFlush(rest), rest)
    this.#transport?.stop()
  }

  /** Whether the SDK still holds calls although every call has its outcome: a plugin hangs. */
  get #isStuck(): boolean {
    const held = heldBySdk(this.analytics) ?? 0
    return held > 0 && this.calls.size === 0 && (this.isOwn || held <= this.#watch.abandoned)
  }

  /** Whether no call waits in a partial batch of the client for long. */
  get #sendsAtOnce(): boolean {
    return this.isOwn && this.traits?.flushIntervalMs === CLIENT_FLUSH_INTERVAL_MS
  }

  async #closeAndFlush(timeout: number): Promise<void> {
    // Without a limit of its own the SDK sets no timer, which under a test's fake timers would never fire.
    const limit = areTimersFaked() ? 0 : timeout
    await withNodeTimers(() => this.analytics.closeAndFlush?.({ timeout: limit }))
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

/** The parts in which clients differ. */
type TransportChoice = Pick<TransportParts, 'gate' | 'custom' | 'observer' | 'unsettled' | 'abort'>

/** What it takes to give whole batches to the SDK as one call. */
interface Batches {
  readonly carriers: Carriers
  readonly texts: SdkTexts
  readonly onlookers: SdkOnlookers
}

/** @param mayCarry - Whether the SDK may be given whole batches as one call. */
function open(
  settings: ClientSettings,
  listener: OutcomeListener,
  choice: TransportChoice,
  mayCarry = false,
): Client {
  const { maxRetries, flushAt, oauthSettings, maxTotalBackoffDuration, maxRateLimitDuration } = settings
  const calls = new ClientCalls(listener, choice.unsettled)
  const texts = new SdkTexts()
  const carriers = new Carriers(calls, texts)
  const transport = new Transport({
    ...choice,
    calls,
    carriers,
    oauth: oauthSettings && new OAuthToken(oauthSettings, choice.custom),
    maxRetries,
    maxBackoffMs: (maxTotalBackoffDuration ?? SDK_MAX_DURATION_S) * 1_000,
    maxRateLimitMs: (maxRateLimitDuration ?? SDK_MAX_DURATION_S) * 1_000,
    flushAt,
  })
  const analytics = new Analytics({
    ...settings,
    path: pathOf(settings),
    httpClient: transport,
    // The transport retries: each pause of the SDK leaks a listener and keeps the process alive.
    maxRetries: 0,
    // The transport has the token, too: the SDK asks for it without pauses.
    oauthSettings: undefined,
  })
  containEvents(analytics, listener, carriers)
  return new Client(analytics, calls, transport, mayCarry ? { carriers, texts } : undefined)
}

/** The path of the API behind that of the host, which the SDK would drop. */
function pathOf({ host, path = '/v1/batch' }: ClientSettings): string {
  const { pathname, search } = new URL(host ?? 'https://api.segment.io')
  return `${pathname.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}${path.includes('?') ? '' : search}`
}

/**
 * Contains what listeners of `drained` throw, which the SDK would let end the process as an unhandled rejection, and keeps
 * from listeners that the SDK was given batches as one call.
 */
function containEvents(analytics: Analytics, listener: OutcomeListener, carriers: Carriers): void {
  const { emit } = analytics
  analytics.emit = (event, ...told) => {
    if (carriers.isHidden(event, told[0])) return analytics
    try {
      const shown =
        REQUESTS.includes(event) && hasListeners(analytics, event) ? told.map(carriers.shown) : told
      Reflect.apply(emit, analytics, [event, ...shown])
    } catch (error) {
      if (event !== 'drained') throw error
      listener.listenerFailed?.(event, error)
    }
    return analytics
  }
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
