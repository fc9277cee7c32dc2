import { setImmediate as nextTurn } from 'node:timers/promises'
import { Analytics } from '@segment/analytics-node'
import type { CommonParams, SegmentCall } from '../model/segment-call.js'
import { isRecord } from '../model/values.js'
import type { RequestReport } from '../observe/step.js'
import { answerWithin } from '../support/maybe.js'
import { messageIdsOf, takeApart } from './batch-body.js'
import { Gate } from './gate.js'
import { DEFAULT_LIMITS } from './limits.js'
import type { Unsettled } from './process-end.js'
import type { ClientSettings, SegmentClient } from './segment-client.js'
import { Transport, type TransportParts } from './transport.js'
import { UnheldHttp } from './unheld-http.js'

/** Soon, but not so soon that the calls of one batch are parted while the client passes them through its plugins. */
const HELD_BY_CLIENT_MS = 10

/** Seconds that the SDK spends trying a batch again, or waiting because Segment asked to, unless its settings say otherwise. */
const SDK_LONGEST_S = 43_200

const CALL_TYPES = ['track', 'identify', 'group', 'page', 'screen', 'alias'] as const

/** What the client tells of a call that has failed. */
export interface SettledCall {
  readonly type?: string
  readonly messageId?: string
  readonly userId?: string | null
  readonly anonymousId?: string | null
  readonly groupId?: string
}

/** Is told the outcome of every call, whoever made it. */
export interface OutcomeListener {
  delivered(messageId: string | undefined): void
  failed(call: SettledCall, reason: unknown): void
}

/** How a client that does not keep the process alive gets to Segment. */
export interface ClientRoute {
  /** When requests may go, and how many at a time. */
  readonly gate: Gate
  /** Counts the batches that have no outcome. */
  readonly unsettled: Unsettled
  /** Who is told of each request, if anybody wants to know. */
  observer(): ((report: RequestReport) => void) | undefined
}

/**
 * A Segment client whose calls' outcomes are known: from the client's own events, by messageId, with one set of
 * listeners for all calls.
 */
export class Client {
  readonly analytics: SegmentClient
  /** Whether the client tells outcomes; of one that does not, a call counts as delivered when its method returns. */
  readonly tellsOutcomes: boolean
  /** How many calls fill one of the client's batches, where that can be known. */
  readonly flushAt: number | undefined
  /**
   * Whether the way to Segment is ours: the client then sends at once what it is given, and a refused call has been found
   * among its neighbours.
   */
  readonly isOwn: boolean
  /** Called whenever the last request that was under way has its outcome. */
  onQuiet: (() => void) | undefined
  readonly #listener: OutcomeListener
  readonly #transport: Transport | undefined
  /** Of a client with a transport of its own: messageIds that a request has carried and that have no outcome. */
  readonly #sent = new Set<string>()

  /** @param analytics - The SDK's client, or what stands in for it. */
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

  /** Makes the SDK's client as it is, which gathers calls itself and keeps the process alive until they are sent. */
  static create(settings: ClientSettings, listener: OutcomeListener): Client {
    const gate = new Gate(DEFAULT_LIMITS.maxInFlight, { keepsAlive: true })
    return open(settings, listener, { gate, custom: settings.httpClient, observer: () => undefined })
  }

  /** Makes a client that gets its calls when they are to be sent, and does not keep the process alive. */
  static createUnheld(settings: ClientSettings, listener: OutcomeListener, route: ClientRoute): Client {
    const http = settings.httpClient === undefined ? new UnheldHttp() : undefined
    const parts = {
      gate: route.gate,
      unsettled: route.unsettled,
      custom: http ?? settings.httpClient,
      observer: () => route.observer(),
      abort: (reason: Error) => http?.abort(reason),
    }
    return open({ ...settings, flushInterval: HELD_BY_CLIENT_MS }, listener, parts)
  }

  /**
   * Makes a call on the client.
   *
   * @throws What the client throws for a call it does not take, and if it has no such method.
   */
  call(call: SegmentCall): void {
    callOn(this.analytics, call)
    if (!this.tellsOutcomes) this.#listener.delivered(call.params.messageId)
  }

  /** Whether no request is under way and none waits to be tried again. */
  get isQuiet(): boolean {
    return this.#transport ? this.#transport.isIdle : this.#sent.size === 0
  }

  /** Sends the batch that is not full. To be called when quiet and never twice at a time: the SDK takes no other. */
  async flush(): Promise<void> {
    await this.analytics.flush?.()
  }

  /** Has those calls fail that wait for a request, so that they can wait elsewhere. */
  recall(): void {
    this.#transport?.recall()
  }

  /** Ends every request that is under way, where that can be done: their calls are kept elsewhere. */
  stop(): void {
    this.#transport?.stop()
  }

  /**
   * Sends what is left and closes the client. Waits until nothing is under way first: called earlier, the SDK's
   * `closeAndFlush` leaves the batch that is not full behind.
   *
   * @param timeoutMs - Milliseconds for all of it. The client is closed when they have passed.
   */
  async close(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs
    await answerWithin(this.#quiet(), timeoutMs)
    // The SDK takes 0 for no limit.
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
    // The SDK counts the calls of a request as pending until it has gone through the answer, which takes some microtasks.
    await nextTurn()
  }

  #listen(): void {
    const { analytics } = this
    for (const type of CALL_TYPES) {
      analytics.on?.(type, (context) => {
        const { messageId } = context.event
        this.#settle(messageId)
        const exception = messageId ? this.#transport?.exceptionOf(messageId) : undefined
        if (exception) this.#listener.failed(settledCall(context.event), exception)
        else this.#listener.delivered(messageId)
      })
    }
    analytics.on?.('error', (error) => {
      const context = 'ctx' in error ? error.ctx : undefined
      this.#settle(context?.event.messageId)
      this.#listener.failed(settledCall(context?.event), error.reason)
    })
    if (this.#transport) return
    // The SDK takes an exception of this listener for a network error and fails the batch.
    analytics.on?.('http_request', ({ body, headers }) => {
      if (headers['X-Retry-Count'] !== undefined) return
      for (const id of messageIdsOf(takeApart(body)?.calls ?? '')) this.#sent.add(id)
    })
  }

  #settle(messageId: string | undefined): void {
    if (messageId === undefined || !this.#sent.delete(messageId)) return
    if (this.#sent.size === 0) this.onQuiet?.()
  }
}

/** The SDK keeps it to itself, and a window smaller than a batch would wait for every batch's interval. */
function flushAtOf(analytics: object): number | undefined {
  const publisher: unknown = Reflect.get(analytics, '_publisher')
  const flushAt: unknown =
    typeof publisher === 'object' && publisher ? Reflect.get(publisher, '_flushAt') : undefined
  return typeof flushAt === 'number' && flushAt >= 1 ? flushAt : undefined
}

/** The ways in which clients differ. */
type Way = Pick<TransportParts, 'gate' | 'custom' | 'observer' | 'unsettled' | 'abort'>

function open(settings: ClientSettings, listener: OutcomeListener, way: Way): Client {
  const { maxRetries, flushAt, oauthSettings, maxTotalBackoffDuration, maxRateLimitDuration } = settings
  const transport = new Transport({
    ...way,
    maxRetries,
    maxBackoffMs: (maxTotalBackoffDuration ?? SDK_LONGEST_S) * 1_000,
    maxRateLimitMs: (maxRateLimitDuration ?? SDK_LONGEST_S) * 1_000,
    flushAt,
  })
  const analytics = new Analytics({
    ...settings,
    httpClient: transport,
    // Trying again is the transport's: the SDK's own pauses each leave a listener behind and keep the process alive.
    maxRetries: 0,
    ...(oauthSettings && { oauthSettings: { maxRetries, ...oauthSettings } }),
  })
  return new Client(analytics, listener, transport)
}

function settledCall(event: unknown): SettledCall {
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
