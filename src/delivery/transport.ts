import {
  FetchHTTPClient,
  type HTTPClient,
  type HTTPClientRequest,
  type HTTPFetchFn,
  type HTTPResponse,
} from '@segment/analytics-node'
import type { RequestReport } from '../observe/step.js'
import { buildBatchBody, messageIdsOf, splitBatchBody, splitCalls } from './batch-body.js'
import type { ClientCalls } from './client-calls.js'
import { type Answer, exchange } from './exchange.js'
import { ClientClosed, messageOf } from './failure.js'
import type { Gate, Pass } from './gate.js'
import type { Unsettled } from './process-end.js'

/** The most bytes of a request; Segment takes 500 KB. Source: Segment, HTTP Tracking API, "Max request size". */
const MAX_BATCH_BYTES = 450 * 1024
/** The most calls of a request. Source: Segment, HTTP Tracking API, "Batch". */
const MAX_BATCH_CALLS = 2_500
/** A batch that has failed this often lets the others pass. */
const FAILURES_BEFORE_YIELDING = 3
/** Bytes of a body around its calls. */
const FRAME_BYTES = 512

/** The parts of a transport. */
export interface TransportParts {
  /** The application's own HTTP client or `fetch`. Defaults to Node's `fetch`. */
  readonly custom: HTTPClient | HTTPFetchFn | undefined
  /** Decides when requests may go, and how many at a time. */
  readonly gate: Gate
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
  /** The observer of requests, if there is one. */
  observer(): ((report: RequestReport) => void) | undefined
}

/** The failure of a recalled call. */
export class Recalled extends Error {
  override readonly message = 'the call was recalled before it was sent'
}

/** The result of a failed request. */
type Failure = { readonly answer: Answer } | { readonly error: unknown }

/** A batch of the client. */
interface Batch {
  readonly request: HTTPClientRequest
  readonly writeKey: string
  readonly resolve: (response: HTTPResponse) => void
  readonly reject: (error: unknown) => void
  /** The position in the order of batches. */
  readonly number: number
  /** How many requests with it have failed. */
  failures: number
  /** How many parcels have no outcome. */
  open: number
  /** How many attempts a temporary failure has cost it, including those that never started. */
  tries: number
  /** How many of them were rate-limited: those have a limit of their own. */
  rateLimitedTries: number
  /** When it first failed for another reason. */
  failingSince: number | undefined
  delivered: boolean
  readonly failed: Failure[]
}

/** Calls that are sent together: a batch or a part of one. */
interface Parcel {
  readonly batch: Batch
  /** The calls as JSON, separated by commas. */
  readonly calls: string
  readonly messageIds: readonly string[]
  readonly bytes: number
  /** An upper bound of the number of calls. */
  readonly count: number
  /** Whether it is sent without others, since Segment refused something in it. */
  readonly alone: boolean
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
    const { custom, flushAt } = this.#parts
    const body = splitBatchBody(request.body)
    if (!body) return (typeof custom === 'object' ? custom : new FetchHTTPClient(custom)).makeRequest(request)
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
      for (const parcel of parcelsOf(batch, body.calls, flushAt)) {
        this.#parts.calls.carried(parcel.messageIds)
        this.#queue.push(parcel)
      }
      this.#next()
    })
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
    this.recall()
  }

  #next(): void {
    const { gate } = this.#parts
    while (gate.isOpen && this.#aborts.size < gate.limit) {
      const load = this.#nextLoad()
      if (!load) return
      void this.#sendLoad(load)
    }
  }

  /** The next request: a parcel, and those behind it that still fit. */
  #nextLoad(): Parcel[] | undefined {
    const first = this.#queue.shift()
    if (!first) return undefined
    const load = [first]
    let { bytes, count } = first
    for (let next = this.#queue[0]; next && !first.alone && !next.alone; next = this.#queue[0]) {
      bytes += next.bytes + 1
      count += next.count
      if (bytes > MAX_BATCH_BYTES || count > MAX_BATCH_CALLS || !haveSameHead(first, next)) break
      load.push(next)
      this.#queue.shift()
    }
    return load
  }

  async #sendLoad(load: Parcel[]): Promise<void> {
    const { gate, custom } = this.#parts
    const [first] = load
    if (!first) return
    const calls = load.length === 1 ? first.calls : load.map((parcel) => parcel.calls).join(',')
    const abort = new AbortController()
    const pass = gate.pass()
    const started = performance.now()
    let result: Failure
    this.#aborts.add(abort)
    try {
      result = { answer: await exchange(custom, requestOf(first.batch, calls), abort) }
    } catch (error) {
      result = { error }
    }
    this.#aborts.delete(abort)
    this.#report(load, result, performance.now() - started)
    this.#handleResult(load, result, pass)
    this.#next()
  }

  #handleResult(load: Parcel[], result: Failure, pass: Pass): void {
    const { gate } = this.#parts
    const answer = 'answer' in result ? result.answer : undefined
    if (answer && answer.status >= 200 && answer.status < 300) {
      gate.succeeded(pass)
      this.#limitedSince = undefined
      for (const parcel of load) this.#settle(parcel)
    } else if (answer && isPayloadError(answer.status)) {
      gate.succeeded(pass)
      this.#divide(load, result)
    } else if (answer && isAuthError(answer.status)) {
      gate.refused(messageOf(errorOf(result)), pass)
      this.#giveUp([...load, ...this.#queue], result)
    } else if (this.#stopped) {
      this.#giveUp(load, result)
    } else {
      const isNews = gate.failed(messageOf(errorOf(result)), pass, answer?.retryAfterMs)
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
    const calls = splitCalls(first.calls)
    if (calls.length < 2) return this.#settle(first, failure)
    const middle = Math.ceil(calls.length / 2)
    const halves = [calls.slice(0, middle), calls.slice(middle)]
    first.batch.open++
    this.#queue.unshift(...halves.map((half) => parcelOf(first.batch, half, true)))
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
    if (batch.open > 0) return
    this.#batches--
    this.#parts.unsettled?.end()
    this.#finish(batch)
    if (this.#batches === 0) this.onIdle?.()
  }

  /** The SDK knows one outcome a batch. Where calls differ, it is told that they arrived: their own outcomes are known. */
  #finish({ failed, delivered, resolve, reject }: Batch): void {
    const [first] = failed
    if (!first) return resolve({ status: 200, statusText: 'OK' })
    const areAlike = failed.every((failure) => statusOf(failure) === statusOf(first))
    if (delivered || !areAlike) return resolve({ status: 200, statusText: 'OK' })
    const status = statusOf(first)
    // The SDK would take a redirect for success. Without headers it does not retry by itself.
    if (status !== undefined && status >= 400 && 'answer' in first) {
      return resolve({ status, statusText: first.answer.statusText })
    }
    reject(errorOf(first))
  }

  #report(load: readonly Parcel[], result: Failure, durationMs: number): void {
    const observe = this.#parts.observer()
    if (!observe) return
    const error = 'error' in result ? messageOf(errorOf(result)) : undefined
    const messageIds = load.flatMap((parcel) => parcel.messageIds)
    observe({ messageIds, status: statusOf(result), error, durationMs })
  }
}

function parcelsOf(batch: Batch, calls: string, flushAt: number): Parcel[] {
  const bytes = Buffer.byteLength(calls) + FRAME_BYTES
  if (bytes <= MAX_BATCH_BYTES && flushAt <= MAX_BATCH_CALLS) {
    batch.open = 1
    return [{ batch, calls, messageIds: messageIdsOf(calls), bytes, count: flushAt, alone: false }]
  }
  const parcels: Parcel[] = []
  let part: string[] = []
  let partBytes = FRAME_BYTES
  const close = () => {
    if (part.length > 0) parcels.push(parcelOf(batch, part, false))
    part = []
    partBytes = FRAME_BYTES
  }
  for (const call of splitCalls(calls)) {
    const callBytes = Buffer.byteLength(call) + 1
    if (partBytes + callBytes > MAX_BATCH_BYTES || part.length === MAX_BATCH_CALLS) close()
    part.push(call)
    partBytes += callBytes
  }
  close()
  batch.open = parcels.length
  return parcels
}

function parcelOf(batch: Batch, calls: readonly string[], alone: boolean): Parcel {
  const joined = calls.join(',')
  const bytes = Buffer.byteLength(joined) + FRAME_BYTES
  return { batch, calls: joined, messageIds: messageIdsOf(joined), bytes, count: calls.length, alone }
}

function requestOf({ request, writeKey, tries }: Batch, calls: string): HTTPClientRequest {
  const headers = tries > 0 ? { ...request.headers, 'X-Retry-Count': String(tries) } : request.headers
  return { ...request, headers, body: buildBatchBody(calls, writeKey) }
}

/** Orders batches by age; one that keeps failing lets the others pass. */
function sortKeyOf({ number, failures }: Batch): number {
  return failures < FAILURES_BEFORE_YIELDING ? number : number + Number.MAX_SAFE_INTEGER / 2
}

function haveSameHead({ batch: one }: Parcel, { batch: other }: Parcel): boolean {
  return (
    one.request.url === other.request.url &&
    one.request.headers.Authorization === other.request.headers.Authorization
  )
}

/** Whether the status blames the content of the request. */
function isPayloadError(status: number): boolean {
  return status === 400 || status === 413 || status === 422
}

function isAuthError(status: number): boolean {
  return status === 401 || status === 403
}

/** Whether Segment has said how long to wait. */
function isRateLimit(failure: Failure): boolean {
  return 'answer' in failure && failure.answer.status === 429 && failure.answer.retryAfterMs !== undefined
}

function statusOf(failure: Failure): number | undefined {
  return 'answer' in failure ? failure.answer.status : undefined
}

/** Words an error as the SDK does, so that one classification serves both. */
function errorOf(failure: Failure): Error {
  if ('answer' in failure) return new Error(`[${failure.answer.status}] ${failure.answer.statusText}`)
  return failure.error instanceof Error ? failure.error : new Error('the request failed')
}
