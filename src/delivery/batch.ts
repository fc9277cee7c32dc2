import type { HTTPClientRequest, HTTPResponse } from '@segment/analytics-node'
import { isInstance } from '../support/instance.js'
import { buildBatchBody, messageIdsOf, splitCalls } from './batch-body.js'
import type { Answer } from './exchange.js'

/** The most bytes of a request; Segment takes 500 KB. Source: Segment, HTTP Tracking API, "Max request size". */
const MAX_BATCH_BYTES = 450 * 1024
/** The most calls of a request. Source: Segment, HTTP Tracking API, "Batch". */
const MAX_BATCH_CALLS = 2_500
/** A batch that has failed this often lets the others pass. */
const FAILURES_BEFORE_YIELDING = 3
/** Bytes of a body around its calls. */
const FRAME_BYTES = 512

/** The result of a failed request. */
export type Failure = { readonly answer: Answer } | { readonly error: unknown }

/** A batch of the client. */
export interface Batch {
  readonly request: HTTPClientRequest
  /** The write key as JSON. */
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
export interface Parcel {
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
 * Cuts calls of a batch into parcels that Segment takes: one, unless they are very large.
 *
 * @param most - An upper bound of their number.
 * @param messageIds - Their ids, where these are known.
 */
export function parcelsOf(
  batch: Batch,
  calls: string,
  most: number,
  messageIds?: readonly string[],
): Parcel[] {
  const bytes = Buffer.byteLength(calls) + FRAME_BYTES
  if (bytes <= MAX_BATCH_BYTES && most <= MAX_BATCH_CALLS) {
    return [{ batch, calls, messageIds: messageIds ?? messageIdsOf(calls), bytes, count: most, alone: false }]
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
  return parcels
}

function parcelOf(batch: Batch, calls: readonly string[], alone: boolean): Parcel {
  const joined = calls.join(',')
  const bytes = Buffer.byteLength(joined) + FRAME_BYTES
  return { batch, calls: joined, messageIds: messageIdsOf(joined), bytes, count: calls.length, alone }
}

/**
 * The request that carries calls of a batch.
 *
 * @param authorization - The header of the access token, where there is one.
 */
export function requestOf(
  { request, writeKey, tries }: Batch,
  calls: string,
  authorization?: string,
): HTTPClientRequest {
  const retryCount = tries > 0 && { 'X-Retry-Count': String(tries) }
  const headers = {
    ...request.headers,
    ...retryCount,
    ...(authorization && { Authorization: authorization }),
  }
  return { ...request, headers, body: buildBatchBody(calls, { writeKey }) }
}

/** Orders batches by age; one that keeps failing lets the others pass. */
export function sortKeyOf({ number, failures }: Batch): number {
  return failures < FAILURES_BEFORE_YIELDING ? number : number + Number.MAX_SAFE_INTEGER / 2
}

/** The next request, taken out of the queue: a parcel, and those behind it that still fit. */
export function nextLoad(queue: Parcel[]): Parcel[] {
  const first = queue.shift()
  if (!first) return []
  const load = [first]
  let { bytes, count } = first
  for (let next = queue[0]; next && !first.alone && !next.alone; next = queue[0]) {
    bytes += next.bytes + 1
    count += next.count
    if (bytes > MAX_BATCH_BYTES || count > MAX_BATCH_CALLS || !haveSameHead(first, next)) break
    load.push(next)
    queue.shift()
  }
  return load
}

/** The halves of a parcel; of a single call itself. */
export function halvesOf({ batch, calls }: Parcel): Parcel[] {
  const each = splitCalls(calls)
  const middle = Math.ceil(each.length / 2)
  return [each.slice(0, middle), each.slice(middle)]
    .filter((half) => half.length > 0)
    .map((half) => parcelOf(batch, half, true))
}

function haveSameHead({ batch: one }: Parcel, { batch: other }: Parcel): boolean {
  return (
    one.request.url === other.request.url &&
    one.request.headers.Authorization === other.request.headers.Authorization
  )
}

/**
 * Answers the client. The SDK knows one outcome a batch: where calls differ, it is told that they arrived, since the calls'
 * own outcomes are known.
 */
export function finish({ failed, delivered, resolve, reject }: Batch): void {
  const [first] = failed
  const areAlike = failed.every((failure) => first && statusOf(failure) === statusOf(first))
  if (!first || delivered || !areAlike) return resolve({ status: 200, statusText: 'OK' })
  const status = statusOf(first)
  // The SDK would take a redirect for success. Without headers it does not retry by itself.
  if (status !== undefined && status >= 400 && 'answer' in first) {
    return resolve({ status, statusText: first.answer.statusText })
  }
  reject(errorOf(first))
}

/** The status of a failure that Segment has answered. */
export function statusOf(failure: Failure): number | undefined {
  return 'answer' in failure ? failure.answer.status : undefined
}

/** Words an error as the SDK does, so that one classification serves both. */
export function errorOf(failure: Failure): Error {
  if ('answer' in failure) return new Error(`[${failure.answer.status}] ${failure.answer.statusText}`)
  return isInstance(failure.error, Error) ? failure.error : new Error('the request failed')
}
