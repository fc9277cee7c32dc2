import { setImmediate as nextTurn } from 'node:timers/promises'
import { Analytics } from '@segment/analytics-node'
import type { CommonParams, SegmentCall } from '../model/segment-call.js'
import { isRecord } from '../model/values.js'
import type { RequestReport } from '../observe/step.js'
import { answerWithin } from '../support/maybe.js'
import { messageIdsOf, splitBatchBody } from './batch-body.js'
import { Gate } from './gate.js'
import { DEFAULT_LIMITS } from './limits.js'
import type { Unsettled } from './process-end.js'
import type { ClientSettings, SegmentClient } from './segment-client.js'
import { Transport, type TransportParts } from './transport.js'
import { UnrefHttpClient } from './unref-http-client.js'

/** Short, yet long enough for the calls of one batch to pass the plugins together. */
const CLIENT_FLUSH_INTERVAL_MS = 10

/** The SDK's default for the seconds that it retries a batch, or waits at Segment's request. */
const SDK_MAX_DURATION_S = 43_200

const CALL_TYPES = ['track', 'identify', 'group', 'page', 'screen', 'alias'] as const

/** What the client reports of a failed call. */
export interface CallSummary {
  readonly type?: string
  readonly messageId?: string
  readonly userId?: string | null
  readonly anonymousId?: string | null
  readonly groupId?: string
}

/** Hears the outcome of every call, whoever made it. */
export interface OutcomeListener {
  delivered(messageId: string | undefined): void
  failed(call: CallSummary, reason: unknown): void
}

/** What a client that does not keep the process alive shares with its delivery. */
export interface ClientRoute {
  /** Decides when requests may go, and how many at a time. */
  readonly gate: Gate
  /** Counts the batches without an outcome. */
  readonly unsettled: Unsettled
  /** The observer of requests, if there is one. */
  observer(): ((report: RequestReport) => void) | undefined
}

/**
 * A Segment client that reports the outcome of its calls. It reads the client's own events by messageId, with one set of
 * listeners for all calls.
 */
export class Client {
  readonly analytics: SegmentClient
  /** Whether the client emits outcomes. Without them a call counts as delivered when its method returns. */
  readonly tellsOutcomes: boolean
  /** How many calls fill one of the client's batches, if known. */
  readonly flushAt: number | undefined
  /**
   * Whether the transport is ours: the client then sends at once, and the transport finds a refused call among the calls of
   * its batch.
   */
  readonly isOwn: boolean
  /** Called whenever the last request in flight has its outcome. */
  onQuiet: (() => void) | undefined
  readonly #listener: OutcomeListener
  readonly #transport: Transport | undefined
  /** messageIds in requests of the application's own client that have no outcome. */
  readonly #sent = new Set<string>()

  /** @param analytics - The SDK's client, or a stand-in. */
  constructor(analytics: SegmentClient, listener: OutcomeListener, transport?: Transport) {
    this.analytics = analytics
    this.#listener = listener
    this.#transport = transport
    this.isOwn = transport !== undefined
    this.tellsOutcomes = typeof analytics.on === 'function'
    this.flushAt = flushAtOf(analytics)
    if (transport) transport.onIdle = () => this.onQuiet?.()
    if (this.tellsOutcomes) this.#listen()
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
    return open({ ...settings, flushInterval: CLIENT_FLUSH_INTERVAL_MS }, listener, parts)
  }

  /**
   * Makes a call on the client.
   *
   * @throws What the client throws for an invalid call, and if it has no such method.
   */
  call(call: SegmentCall): void {
    callOn(this.analytics, call)
    if (!this.tellsOutcomes) this.#listener.delivered(call.params.messageId)
  }

  /** Whether no request is in flight or waits for a retry. */
  get isQuiet(): boolean {
    return this.#transport ? this.#transport.isIdle : this.#sent.size === 0
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
    const rest = Math.max(1, deadline - performance.now())
    await answerWithin(Promise.resolve(this.analytics.closeAndFlush?.({ timeout: rest })), rest)
    this.#transport?.stop()
  }

  async #quiet(): Promise<void> {
    if (!this.isQuiet) {
      await new Promise<void>((resolve) => {
        this.onQuiet = resolve
      })
    }
    // The SDK counts calls as pending until it has processed the answer, some microtasks later.
    await nextTurn()
  }

  #listen(): void {
    const { analytics } = this
    for (const type of CALL_TYPES) {
      analytics.on?.(type, (context) => {
        const { messageId } = context.event
        this.#settle(messageId)
        const exception = messageId ? this.#transport?.exceptionOf(messageId) : undefined
        if (exception) this.#listener.failed(summaryOf(context.event), exception)
        else this.#listener.delivered(messageId)
      })
    }
    analytics.on?.('error', (error) => {
      const context = 'ctx' in error ? error.ctx : undefined
      this.#settle(context?.event.messageId)
      this.#listener.failed(summaryOf(context?.event), error.reason)
    })
    if (this.#transport) return
    // The SDK would take an exception of this listener for a network error and fail the batch.
    analytics.on?.('http_request', ({ body, headers }) => {
      if (headers['X-Retry-Count'] !== undefined) return
      for (const id of messageIdsOf(splitBatchBody(body)?.calls ?? '')) this.#sent.add(id)
    })
  }

  #settle(messageId: string | undefined): void {
    if (messageId === undefined || !this.#sent.delete(messageId)) return
    if (this.#sent.size === 0) this.onQuiet?.()
  }
}

/** Reads a private field of the SDK: a window smaller than a batch would wait out every flush interval. */
function flushAtOf(analytics: object): number | undefined {
  const publisher: unknown = Reflect.get(analytics, '_publisher')
  const flushAt: unknown =
    typeof publisher === 'object' && publisher ? Reflect.get(publisher, '_flushAt') : undefined
  return typeof flushAt === 'number' && flushAt >= 1 ? flushAt : undefined
}

/** The parts in which clients differ. */
type TransportChoice = Pick<TransportParts, 'gate' | 'custom' | 'observer' | 'unsettled' | 'abort'>

function open(settings: ClientSettings, listener: OutcomeListener, choice: TransportChoice): Client {
  const { maxRetries, flushAt, oauthSettings, maxTotalBackoffDuration, maxRateLimitDuration } = settings
  const transport = new Transport({
    ...choice,
    maxRetries,
    maxBackoffMs: (maxTotalBackoffDuration ?? SDK_MAX_DURATION_S) * 1_000,
    maxRateLimitMs: (maxRateLimitDuration ?? SDK_MAX_DURATION_S) * 1_000,
    flushAt,
  })
  const analytics = new Analytics({
    ...settings,
    httpClient: transport,
    // The transport retries: each pause of the SDK leaks a listener and keeps the process alive.
    maxRetries: 0,
    ...(oauthSettings && { oauthSettings: { maxRetries, ...oauthSettings } }),
  })
  return new Client(analytics, listener, transport)
}

function summaryOf(event: unknown): CallSummary {
  if (!isRecord(event)) return {}
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  return {
    type: text(event.type),
    messageId: text(event.messageId),
    userId: text(event.userId),
    anonymousId: text(event.anonymousId),
    groupId: text(event.groupId),
  }
}

function callOn(client: SegmentClient, call: SegmentCall): void {
  switch (call.type) {
    case 'track':
      return client.track(identified(call.params))
    case 'identify':
      return client.identify(identified(call.params))
    case 'group':
      return client.group(identified(call.params))
    case 'page':
      return client.page(identified(call.params))
    case 'screen':
      return client.screen(identified(call.params))
    case 'alias': {
      const { params } = call
      if (!client.alias) throw new Error('env.analytics has no method alias(), which tracker.alias() needs')
      if (params.userId === undefined) throw new Error('an alias call needs a userId')
      return client.alias({ ...params, userId: params.userId })
    }
  }
}

type Identified<P> = P & ({ userId: string } | { anonymousId: string })

function identified<P extends CommonParams>(params: P): Identified<P> {
  if (!hasIdentity(params)) throw new Error('a call to Segment needs a userId or an anonymousId')
  return params
}

function hasIdentity<P extends CommonParams>(params: P): params is Identified<P> {
  return params.userId !== undefined || params.anonymousId !== undefined
}
