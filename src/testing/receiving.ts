import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type CheckedBatch, checkBatch } from './batch-validation.js'
import type { Mutable, ReceivedBatch } from './journal.js'

/** The most kept of an oversized body: enough to report its messageIds. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024

/** Why a request is refused by Segment's rules. */
export interface Refusal {
  readonly status: number
  readonly reason: string
}

/**
 * Reads a whole body of any size and keeps its beginning. An aborted request is ignored.
 *
 * @param done - Called with the kept part of the body and the body's full size in bytes.
 */
export function readBody(request: IncomingMessage, done: (body: Buffer, bytes: number) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= MAX_KEPT_BYTES) chunks.push(chunk)
  })
  request.on('end', () => done(Buffer.concat(chunks), bytes))
}

/**
 * Reads a request and checks it by Segment's rules, before any fault.
 *
 * @param body - The kept part of the body.
 * @param bytes - The body's full size.
 * @param batchPath - The path of the batch endpoint.
 * @param writeKey - The only write key to accept. By default any non-empty key is accepted.
 */
export function receive(
  request: IncomingMessage,
  body: Buffer,
  bytes: number,
  batchPath: string,
  writeKey: string | undefined,
): { batch: Mutable<ReceivedBatch>; refusal: Refusal | undefined } {
  const { authorization, ...headers } = request.headers
  const { method = '', url = '' } = request
  const path = url.split('?', 1)[0] ?? ''
  const isBatch = method === 'POST' && path === batchPath
  const checked: CheckedBatch = isBatch ? checkBatch(body, bytes) : { calls: [], messageIds: [] }
  const refusal = isBatch
    ? refusalOf(checked, authorization, writeKey)
    : { status: 404, reason: `there is only POST ${batchPath} here` }
  const batch = {
    receivedAt: new Date(),
    sentAt: checked.sentAt,
    method,
    path,
    status: 'pending' as const,
    headers,
    bytes,
    calls: refusal ? [] : checked.calls,
    messageIds: checked.messageIds,
    taken: false,
    retryCount: retryCountOf(headers),
  }
  return { batch, refusal }
}

function refusalOf(
  checked: CheckedBatch,
  authorization: string | undefined,
  writeKey: string | undefined,
): Refusal | undefined {
  const given = writeKeyOf(authorization)
  if (given === undefined) {
    return { status: 401, reason: 'no write key; expected Basic authentication with the key as user name' }
  }
  if (writeKey !== undefined && given !== writeKey) {
    return { status: 401, reason: 'the write key is not the one that this endpoint was given' }
  }
  return checked.refusal === undefined ? undefined : { status: 400, reason: checked.refusal }
}

/** Reads the write key: the user name of Basic authentication. */
function writeKeyOf(authorization: string | undefined): string | undefined {
  const [scheme, credentials] = authorization?.split(' ') ?? []
  if (scheme?.toLowerCase() !== 'basic' || !credentials) return undefined
  const decoded = Buffer.from(credentials, 'base64').toString()
  const colon = decoded.indexOf(':')
  return colon > 0 ? decoded.slice(0, colon) : undefined
}

function retryCountOf(headers: IncomingHttpHeaders): number {
  const count = Number(headers['x-retry-count'] ?? 0)
  return Number.isSafeInteger(count) && count > 0 ? count : 0
}
