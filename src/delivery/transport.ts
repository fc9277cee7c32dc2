import {
  FetchHTTPClient,
  type HTTPClient,
  type HTTPClientRequest,
  type HTTPFetchFn,
  type HTTPResponse,
} from '@segment/analytics-node'
import type { RequestReport } from '../observe/step.js'
import { messageIdsOf, putTogether, separate, takeApart } from './batch-body.js'
import { type Answer, exchange } from './exchange.js'
import { wordsOf } from './failure.js'
import type { Gate, Pass } from './gate.js'
import type { Unsettled } from './process-end.js'

/** The most bytes of a request; Segment takes 500 KB. Source: Segment, HTTP Tracking API, "Max request size". */
const MAX_BATCH_BYTES = 450 * 1024
/** The most calls of a request. Source: Segment, HTTP Tracking API, "Batch". */
const MAX_BATCH_CALLS = 2_500
/** A batch that has failed so often by itself lets the others pass. */
const STUBBORN = 3
/** Room for what stands around the calls. */
const FRAME_BYTES = 512

/** What a transport is made with. */
export interface TransportParts {
  /** The application's own HTTP client or `fetch`. Defaults to Node's `fetch`. */
  readonly custom: HTTPClient | HTTPFetchFn | undefined
  /** When requests may go, and how many at a time. */
  readonly gate: Gate
  /** How often a batch is tried again before it is handed back. */
  readonly maxRetries: number
  /** Milliseconds after its first failure at which a batch is handed back at the latest. */
  readonly maxBackoffMs: number
  /** Milliseconds for which Segment may ask to wait before what it puts off is handed back. */
  readonly maxRateLimitMs: number
  /** The most calls that the client puts into a batch. */
  readonly flushAt: number
  /** Counts the batches that have no outcome, where that matters. */
  readonly unsettled?: Unsettled
  /** Ends the requests of `custom`, where it can. */
  readonly abort?: (reason: Error) => void
  /** Who is told of each request, if anybody wants to know. */
  observer(): ((report: RequestReport) => void) | undefined
}

/** Why a call comes back that was called back. */
export class Recalled extends Error {
  override readonly message = 'it was called back before it could be sent'
}

/** How an attempt to send something ended, unless it arrived. */
type Failure = { readonly answer: Answer } | { readonly error: unknown }

/** A batch of the client's. */
interface Batch {
  readonly request: HTTPClientRequest
  readonly writeKey: string
  readonly done: (response: HTTPResponse) => void
  readonly broken: (error: unknown) => void
  /** Counts the batches. */
  readonly number: number
  /** How often a request with it has failed. */
  failures: number
  /** Parcels without an outcome. */
  open: number
  /** How often it has failed, or would have, for a reason that may pass. */
  tries: number
  /** How often that was because Segment asked to wait, which counts towards no limit but its own. */
  putOff: number
  /** When it failed first for any other reason. */
  failingSince: number | undefined
  delivered: boolean
  readonly failed: { readonly parcel: Parcel; readonly failure: Failure }[]
}

/** Calls that travel together: a batch, or a part of one. */
interface Parcel {
  readonly batch: Batch
  /** The calls as JSON, with commas between them. */
  readonly calls: string
  readonly bytes: number
  /** At most so many calls. */
  readonly count: number
  /** Whether it is not to travel with others: something in it was refused. */
  readonly alone: boolean
}

/**
 * The client's way to Segment. It sends the client's batches, a few requests at a time and none while Segment is away,
 * cuts what is too large, finds the one call that Segment refuses among its neighbours, and tells the client what became
 * of each batch once that is settled.
 */
export class Transport implements HTTPClient {
  readonly #parts: TransportParts
  readonly #queue: Parcel[] = []
  readonly #aborts = new Set<AbortController>()
  /** The calls whose outcome is not that of their batch. */
  readonly #exceptions = new Map<string, Error>()
  #made = 0
  /** Since when Segment has taken nothing and asked to wait. */
  #limitedSince: number | undefined
  /** Batches without an outcome. */
  #batches = 0
  #stopped = false
  /** Called when the last batch has its outcome. */
  onIdle: (() => void) | undefined

  constructor(parts: TransportParts) {
    this.#parts = parts
    parts.gate.onOpen(() => this.#next())
  }

  /** Whether no batch is under way or waits to be. */
  get isIdle(): boolean {
    return this.#batches === 0
  }

  /** Why a call failed whose batch counts as delivered; asked once for each call. */
  exceptionOf(messageId: string): Error | undefined {
    if (this.#exceptions.size === 0) return undefined
    const error = this.#exceptions.get(messageId)
    if (error) this.#exceptions.delete(messageId)
    return error
  }

  /** Sends one batch; what the client calls. */
  makeRequest(request: HTTPClientRequest): Promise<HTTPResponse> {
    const { custom, flushAt } = this.#parts
    const body = takeApart(request.body)
    if (!body) return (typeof custom === 'object' ? custom : new FetchHTTPClient(custom)).makeRequest(request)
    if (this.#stopped) return Promise.reject(new Error('the client is closed'))
    return new Promise((done, broken) => {
      const batch: Batch = {
        request,
        writeKey: body.writeKey,
        number: ++this.#made,
        failures: 0,
        done,
        broken,
        open: 0,
        tries: 0,
        putOff: 0,
        failingSince: undefined,
        delivered: false,
        failed: [],
      }
      this.#batches++
      this.#parts.unsettled?.begin()
      for (const parcel of parcelsOf(batch, body.calls, flushAt)) this.#queue.push(parcel)
      this.#next()
    })
  }

  /** Hands everything back that waits for its turn. */
  recall(): void {
    this.#giveUp([...this.#queue], { error: new Recalled() })
  }

  /** Ends every request, and takes no more. */
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
      const load = this.#load()
      if (!load) return
      void this.#carry(load)
    }
  }

  /** What goes next: a parcel, and those behind it that still fit. */
  #load(): Parcel[] | undefined {
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

  async #carry(load: Parcel[]): Promise<void> {
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
    this.#report(calls, result, performance.now() - started)
    this.#judge(load, result, pass)
    this.#next()
  }

  #judge(load: Parcel[], result: Failure, pass: Pass): void {
    const { gate } = this.#parts
    const answer = 'answer' in result ? result.answer : undefined
    if (answer && answer.status >= 200 && answer.status < 300) {
      gate.succeeded(pass)
      this.#limitedSince = undefined
      for (const parcel of load) this.#settle(parcel)
    } else if (answer && isAboutCalls(answer.status)) {
      gate.succeeded(pass)
      this.#divide(load, result)
    } else if (answer && isAboutKey(answer.status)) {
      gate.refused(wordsOf(errorOf(result)), pass)
      this.#giveUp([...load, ...this.#queue], result)
    } else if (this.#stopped) {
      this.#giveUp(load, result)
    } else {
      const isNews = gate.failed(wordsOf(errorOf(result)), pass, answer?.retryAfterMs)
      // What waits would have failed as well: an outage costs every batch a try, so that none waits for ever.
      this.#retry(load, isNews ? this.#queue.splice(0) : [], result)
    }
  }

  #retry(load: Parcel[], waiting: Parcel[], failure: Failure): void {
    const { maxRetries, maxBackoffMs, maxRateLimitMs } = this.#parts
    const parcels = [...waiting, ...load]
    const isPutOff = asksToWait(failure)
    const now = performance.now()
    if (isPutOff) this.#limitedSince ??= now
    const limitedSince = this.#limitedSince ?? now
    for (const batch of new Set(parcels.map((parcel) => parcel.batch))) {
      batch.tries++
      if (isPutOff) batch.putOff++
      else batch.failingSince ??= now
    }
    for (const { batch } of load) batch.failures++
    const isUsedUp = ({ batch: { tries, putOff, failingSince = now } }: Parcel) =>
      isPutOff
        ? now - limitedSince >= maxRateLimitMs
        : tries - putOff > maxRetries || now - failingSince >= maxBackoffMs
    this.#queue.push(...parcels.filter((parcel) => !isUsedUp(parcel)))
    this.#queue.sort((one, other) => turnOf(one.batch) - turnOf(other.batch))
    this.#giveUp(parcels.filter(isUsedUp), failure)
  }

  /** Segment refuses a batch as a whole: its halves are sent apart until what it refuses stands alone. */
  #divide(load: Parcel[], failure: Failure): void {
    const [first] = load
    if (!first) return
    if (load.length > 1) {
      this.#queue.unshift(...load.map((parcel) => ({ ...parcel, alone: true })))
      return
    }
    const calls = separate(first.calls)
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
    if (failure) batch.failed.push({ parcel, failure })
    else batch.delivered = true
    batch.open--
    if (batch.open > 0) return
    this.#batches--
    this.#parts.unsettled?.end()
    this.#finish(batch)
    if (this.#batches === 0) this.onIdle?.()
  }

  /** The client knows one outcome a batch: where its calls fared differently, it is asked for each of them. */
  #finish(batch: Batch): void {
    const [first] = batch.failed
    if (!first) return batch.done({ status: 200, statusText: 'OK' })
    const alike = batch.failed.every(({ failure }) => statusOf(failure) === statusOf(first.failure))
    if (batch.delivered || !alike) {
      for (const { parcel, failure } of batch.failed) {
        for (const id of messageIdsOf(parcel.calls)) this.#exceptions.set(id, errorOf(failure))
      }
      return batch.done({ status: 200, statusText: 'OK' })
    }
    const status = statusOf(first.failure)
    // The client would call a redirect delivered; and without the headers it tries nothing again by itself.
    if (status !== undefined && status >= 400 && 'answer' in first.failure) {
      return batch.done({ status, statusText: first.failure.answer.statusText })
    }
    batch.broken(errorOf(first.failure))
  }

  #report(calls: string, result: Failure, durationMs: number): void {
    const observe = this.#parts.observer()
    if (!observe) return
    const error = 'error' in result ? wordsOf(errorOf(result)) : undefined
    observe({ messageIds: messageIdsOf(calls), status: statusOf(result), error, durationMs })
  }
}

function parcelsOf(batch: Batch, calls: string, flushAt: number): Parcel[] {
  const bytes = Buffer.byteLength(calls) + FRAME_BYTES
  if (bytes <= MAX_BATCH_BYTES && flushAt <= MAX_BATCH_CALLS) {
    batch.open = 1
    return [{ batch, calls, bytes, count: flushAt, alone: false }]
  }
  const parcels: Parcel[] = []
  let part: string[] = []
  let partBytes = FRAME_BYTES
  const close = () => {
    if (part.length > 0) parcels.push(parcelOf(batch, part, false))
    part = []
    partBytes = FRAME_BYTES
  }
  for (const call of separate(calls)) {
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
  return { batch, calls: joined, bytes: Buffer.byteLength(joined) + FRAME_BYTES, count: calls.length, alone }
}

function requestOf({ request, writeKey, tries }: Batch, calls: string): HTTPClientRequest {
  const headers = tries > 0 ? { ...request.headers, 'X-Retry-Count': String(tries) } : request.headers
  return { ...request, headers, body: putTogether(calls, writeKey) }
}

/** In the order of the calls; but one that fails again and again lets the others pass. */
function turnOf({ number, failures }: Batch): number {
  return failures < STUBBORN ? number : number + Number.MAX_SAFE_INTEGER / 2
}

function haveSameHead({ batch: one }: Parcel, { batch: other }: Parcel): boolean {
  return (
    one.request.url === other.request.url &&
    one.request.headers.Authorization === other.request.headers.Authorization
  )
}

/** Whether Segment says that something is wrong with what it was sent. */
function isAboutCalls(status: number): boolean {
  return status === 400 || status === 413 || status === 422
}

function isAboutKey(status: number): boolean {
  return status === 401 || status === 403
}

/** Whether Segment has said that it takes no more for now, and for how long. */
function asksToWait(failure: Failure): boolean {
  return 'answer' in failure && failure.answer.status === 429 && failure.answer.retryAfterMs !== undefined
}

function statusOf(failure: Failure): number | undefined {
  return 'answer' in failure ? failure.answer.status : undefined
}

/** In the SDK's own words, so that one reading serves both. */
function errorOf(failure: Failure): Error {
  if ('answer' in failure) return new Error(`[${failure.answer.status}] ${failure.answer.statusText}`)
  return failure.error instanceof Error ? failure.error : new Error('the request failed')
}
