import type { HTTPClient, HTTPClientRequest, HTTPFetchFn, HTTPResponse } from '@segment/analytics-node'
import type { RequestReport } from '../observe/step.js'
import { performance } from '../support/clock.js'
import { isInstance } from '../support/instance.js'
import {
  type Batch,
  errorOf,
  type Failure,
  finish,
  halvesOf,
  nextLoad,
  type Parcel,
  parcelsOf,
  requestOf,
  sortKeyOf,
  statusOf,
} from './batch.js'
import { splitBatchBody } from './batch-body.js'
import type { Carrier, Carriers } from './carriers.js'
import type { ClientCalls } from './client-calls.js'
import { exchange } from './exchange.js'
import { ClientClosed, messageOf } from './failure.js'
import type { Gate, Pass } from './gate.js'
import { type OAuthToken, TokenError } from './oauth-token.js'
import type { Unsettled } from './process-end.js'

/** The parts of a transport. */
export interface TransportParts {
  /** The application's own HTTP client or `fetch`. Defaults to Node's `fetch`. */
  readonly custom: HTTPClient | HTTPFetchFn | undefined
  /** Decides when requests may go, and how many at a time. */
  readonly gate: Gate
  /** The access token, for a source that asks for OAuth. */
  readonly oauth: OAuthToken | undefined
  /** How often a batch is retried before it is returned. */
  readonly maxRetries: number
  /** Milliseconds after its first failure at which a batch is returned at the latest. */
  readonly maxBackoffMs: number
  /** Milliseconds for which Segment may rate-limit before its batches are returned. */
  readonly maxRateLimitMs: number
  /** The most calls in one of the client's batches. */
  readonly flushAt: number
  /** Counts the batches without an outcome, if given. */
  readonly unsettled?: Unsettled
  /** Aborts the requests of `custom`, if it can. */
  readonly abort?: (reason: Error) => void
  /** Hears which calls a request carries, and what became of them. */
  readonly calls: ClientCalls
  /** The batches that the SDK was given as one call. */
  readonly carriers: Carriers
  /** The observer of requests, if there is one. */
  observer(): ((report: RequestReport) => void) | undefined
}

/** The failure of a recalled call. */
export class Recalled extends Error {
  override readonly message = 'the call was recalled before it was sent'
}

/**
 * Sends the client's batches to Segment: a few requests at a time, and none during an outage. It splits large batches, finds
 * the one call of a batch that Segment refuses, and reports the outcome of each call.
 */
export class Transport implements HTTPClient {
  readonly #parts: TransportParts
  readonly #queue: Parcel[] = []
  readonly #aborts = new Set<AbortController>()
  #made = 0
  /** Since when Segment has been rate-limiting. */
  #limitedSince: number | undefined
  /** How many batches have no outcome. */
  #batches = 0
  #stopped = false
  /** Called when the last batch has its outcome. */
  onIdle: (() => void) | undefined

  constructor(parts: TransportParts) {
    this.#parts = parts
    parts.gate.onOpen(() => this.#next())
  }

  /** Whether every batch has its outcome. */
  get isIdle(): boolean {
    return this.#batches === 0
  }

  /** Sends one batch; the client calls it. */
  makeRequest(request: HTTPClientRequest): Promise<HTTPResponse> {
    const body = splitBatchBody(request.body)
    if (!body) return Promise.reject(new Error('the client made a request that is no batch'))
    if (this.#stopped) return Promise.reject(new ClientClosed())
    return new Promise((resolve, reject) => {
      const batch: Batch = {
        request,
        writeKey: body.writeKey,
        number: ++this.#made,
        failures: 0,
        resolve,
        reject,
        open: 0,
        tries: 0,
        rateLimitedTries: 0,
        failingSince: undefined,
        delivered: false,
        failed: [],
      }
      this.#batches++
      this.#parts.unsettled?.begin()
      const parcels = this.#parcelsOf(batch, body.calls)
      batch.open = parcels.length
      if (parcels.length === 0) this.#ended(batch)
      for (const parcel of parcels) {
        this.#parts.calls.carried(parcel.messageIds)
        this.#queue.push(parcel)
        // One request each, unless it has to wait.
        this.#next()
      }
    })
  }

  #parcelsOf(batch: Batch, calls: string): Parcel[] {
    const { carriers, flushAt } = this.#parts
    return carriers
      .unpack(calls)
      .flatMap((carried) =>
        typeof carried === 'string'
          ? parcelsOf(batch, carried, flushAt)
          : this.#parcelsOfCarrier(batch, carried),
      )
  }

  /** What has been given up meanwhile is not sent. */
  #parcelsOfCarrier(batch: Batch, { calls, texts }: Carrier): Parcel[] {
    const held = this.#parts.calls
    const isHeld = calls.every((call) => held.holds(call))
    const kept = isHeld ? texts : texts.filter((_, index) => calls[index] && held.holds(calls[index]))
    const messageIds = (isHeld ? calls : calls.filter((call) => held.holds(call))).map(
      (call) => call.messageId,
    )
    return kept.length === 0 ? [] : parcelsOf(batch, kept.join(','), kept.length, messageIds)
  }

  /** Returns every batch that waits. */
  recall(): void {
    this.#giveUp([...this.#queue], { error: new Recalled() })
  }

  /** Aborts every request, and takes no more. */
  stop(): void {
    const reason = new Error('the client was closed before Segment answered')
    this.#stopped = true
    for (const abort of this.#aborts) abort.abort(reason)
    this.#parts.abort?.(reason)
    this.#parts.oauth?.stop(reason)
    this.recall()
  }

  #next(): void {
    const { gate } = this.#parts
    while (gate.isOpen && this.#aborts.size < gate.limit) {
      const load = nextLoad(this.#queue)
      if (load.length === 0) return
      void this.#sendLoad(load)
    }
  }

  async #sendLoad(load: Parcel[]): Promise<void> {
    const { gate, custom, oauth } = this.#parts
    const [first] = load
    if (!first) return
    const calls = load.length === 1 ? first.calls : load.map((parcel) => parcel.calls).join(',')
    const abort = new AbortController()
    const pass = gate.pass()
    const started = performance.now()
    let authorization: string | undefined
    let result: Failure
    this.#aborts.add(abort)
    try {
      if (oauth) authorization = await oauth.authorization()
      result = { answer: await exchange(custom, requestOf(first.batch, calls, authorization), abort) }
    } catch (error) {
      result = { error }
    }
    this.#aborts.delete(abort)
    if ('answer' in result && doubtsToken(result.answer.status)) oauth?.drop(authorization)
    this.#report(load, result, performance.now() - started)
    this.#handleResult(load, result, pass)
    this.#next()
  }

  #handleResult(load: Parcel[], result: Failure, pass: Pass): void {
    const { gate } = this.#parts
    const answer = 'answer' in result ? result.answer : undefined
    const tokenError = 'error' in result && isInstance(result.error, TokenError) ? result.error : undefined
    if (answer && answer.status >= 200 && answer.status < 300) {
      gate.succeeded(pass)
      this.#limitedSince = undefined
      for (const parcel of load) this.#settle(parcel)
    } else if (answer && isPayloadError(answer.status)) {
      gate.succeeded(pass)
      this.#divide(load, result)
    } else if (tokenError?.isRefusal || (answer && isAuthError(answer.status))) {
      gate.refused(messageOf(errorOf(result)), pass)
      this.#giveUp([...load, ...this.#queue], result)
    } else if (this.#stopped) {
      this.#giveUp(load, result)
    } else {
      const retryAfterMs = answer?.retryAfterMs ?? tokenError?.retryAfterMs
      const isNews = gate.failed(messageOf(errorOf(result)), pass, retryAfterMs)
      // An outage costs every waiting batch an attempt, too, so that none waits for ever.
      this.#retry(load, isNews ? this.#queue.splice(0) : [], result)
    }
  }

  #retry(load: Parcel[], waiting: Parcel[], failure: Failure): void {
    const { maxRetries, maxBackoffMs, maxRateLimitMs } = this.#parts
    const parcels = [...waiting, ...load]
    const isRateLimited = isRateLimit(failure)
    const now = performance.now()
    if (isRateLimited) this.#limitedSince ??= now
    const limitedSince = this.#limitedSince ?? now
    for (const batch of new Set(parcels.map((parcel) => parcel.batch))) {
      batch.tries++
      if (isRateLimited) batch.rateLimitedTries++
      else batch.failingSince ??= now
    }
    for (const { batch } of load) batch.failures++
    const isUsedUp = ({ batch: { tries, rateLimitedTries, failingSince = now } }: Parcel) =>
      isRateLimited
        ? now - limitedSince >= maxRateLimitMs
        : tries - rateLimitedTries > maxRetries || now - failingSince >= maxBackoffMs
    this.#queue.push(...parcels.filter((parcel) => !isUsedUp(parcel)))
    this.#queue.sort((one, other) => sortKeyOf(one.batch) - sortKeyOf(other.batch))
    this.#giveUp(parcels.filter(isUsedUp), failure)
  }

  /** Segment refuses a batch as a whole: it is halved until the refused call is alone. */
  #divide(load: Parcel[], failure: Failure): void {
    const [first] = load
    if (!first) return
    if (load.length > 1) {
      this.#queue.unshift(...load.map((parcel) => ({ ...parcel, alone: true })))
      return
    }
    const halves = halvesOf(first)
    if (halves.length < 2) return this.#settle(first, failure)
    first.batch.open++
    this.#queue.unshift(...halves)
  }

  #giveUp(parcels: readonly Parcel[], failure: Failure): void {
    const given = new Set(parcels)
    const kept = this.#queue.filter((parcel) => !given.has(parcel))
    this.#queue.splice(0, this.#queue.length, ...kept)
    for (const parcel of given) this.#settle(parcel, failure)
  }

  #settle(parcel: Parcel, failure?: Failure): void {
    const { batch } = parcel
    if (failure) batch.failed.push(failure)
    else batch.delivered = true
    this.#parts.calls.settled(parcel.messageIds, failure && errorOf(failure))
    batch.open--
    if (batch.open === 0) this.#ended(batch)
  }

  #ended(batch: Batch): void {
    this.#batches--
    this.#parts.unsettled?.end()
    finish(batch)
    if (this.#batches === 0) this.onIdle?.()
  }

  #report(load: readonly Parcel[], result: Failure, durationMs: number): void {
    const observe = this.#parts.observer()
    if (!observe) return
    const error = 'error' in result ? messageOf(errorOf(result)) : undefined
    const messageIds = load.flatMap((parcel) => parcel.messageIds)
    const isRetry = load.some(({ batch }) => batch.failures > 0)
    observe({ messageIds, status: statusOf(result), error, durationMs, isRetry })
  }
}

/** Whether the status blames the content of the request. */
function isPayloadError(status: number): boolean {
  return status === 400 || status === 413 || status === 422
}

function isAuthError(status: number): boolean {
  return status === 401 || status === 403
}

/** Whether another token may help. */
function doubtsToken(status: number): boolean {
  return isAuthError(status) || status === 511
}

/** Whether Segment has said how long to wait. */
function isRateLimit(failure: Failure): boolean {
  return 'answer' in failure && failure.answer.status === 429 && failure.answer.retryAfterMs !== undefined
}
