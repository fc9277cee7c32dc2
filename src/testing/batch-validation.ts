import { isLargerThan, MAX_CALL_BYTES } from '../model/json-size.js'
import { isRecord } from '../model/values.js'
import type { ReceivedCall } from './received-calls.js'

/** Source: Segment, HTTP API, "Errors": "a maximum of 500KB per batch API request". */
const MAX_BATCH_BYTES = 500 * 1024
/** Source: Segment, HTTP API, "Errors": "Each batch request can only have up to 2500 events". */
const MAX_BATCH_CALLS = 2500
/** Source: Segment, HTTP API, "Errors": the longest messageId. */
const MAX_MESSAGE_ID_LENGTH = 100

/** The result of checking the body of a request to `/v1/batch`. */
export interface CheckedBatch {
  /** The calls, in order. Empty for a refused batch: Segment accepts a batch whole or not at all. */
  readonly calls: readonly ReceivedCall[]
  /** The messageIds of the batch, even of a refused one. */
  readonly messageIds: readonly string[]
  /** When the batch was sent, by the sender's clock. */
  readonly sentAt?: string
  /** Why the batch is refused; absent if it is accepted. Names places and members, never values. */
  readonly refusal?: string
}

/**
 * Checks the body of a request to `/v1/batch` by Segment's rules.
 *
 * Segment answers 400 to malformed JSON and to oversized batches and calls. It often answers 200 to a call that it
 * cannot use (no id, no event) and then drops it. Here that is a 400 too, so that the loss shows.
 *
 * @param body - The kept part of the body.
 * @param bytes - The body's full size.
 */
export function checkBatch(body: Buffer, bytes: number): CheckedBatch {
  const parsed = parse(body)
  const entries = isRecord(parsed) && Array.isArray(parsed.batch) ? parsed.batch : undefined
  const messageIds = entries ? messageIdsOf(entries) : []
  const sentAt = isRecord(parsed) && typeof parsed.sentAt === 'string' ? parsed.sentAt : undefined
  try {
    if (bytes > MAX_BATCH_BYTES) {
      throw new Refusal(
        `the batch has ${bytes} bytes; Segment takes ${MAX_BATCH_BYTES} (500 KB): send less at once`,
      )
    }
    if (parsed === undefined) throw new Refusal('the body is not JSON')
    if (!entries) throw new Refusal('the body has no array "batch"')
    return { calls: checkCalls(entries, bytes), messageIds, sentAt }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { calls: [], messageIds, sentAt, refusal: error.message }
  }
}

class Refusal extends Error {}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}

function messageIdsOf(entries: readonly unknown[]): string[] {
  const messageIds: string[] = []
  for (const entry of entries) {
    if (isRecord(entry) && typeof entry.messageId === 'string') messageIds.push(entry.messageId)
  }
  return messageIds
}

function checkCalls(entries: readonly unknown[], bytes: number): readonly ReceivedCall[] {
  if (entries.length > MAX_BATCH_CALLS) {
    throw new Refusal(
      `the batch has ${entries.length} calls; Segment takes ${MAX_BATCH_CALLS}: send fewer at once`,
    )
  }
  // A call cannot be larger than its batch, so most batches need no check of each call's size.
  const mayBeTooLarge = bytes > MAX_CALL_BYTES
  const calls: ReceivedCall[] = []
  try {
    for (const entry of entries) {
      assertCall(entry)
      if (mayBeTooLarge) assertSize(entry)
      calls.push(entry)
    }
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`batch[${calls.length}] ${error.message}`) : error
  }
  return calls
}

function assertCall(call: unknown): asserts call is ReceivedCall {
  if (!isRecord(call)) throw new Refusal('is not an object')
  assertText(call, 'messageId')
  assertText(call, 'userId')
  assertText(call, 'anonymousId')
  assertText(call, 'timestamp')
  assertObject(call, 'context')
  assertObject(call, 'integrations')
  if (typeof call.messageId === 'string' && call.messageId.length > MAX_MESSAGE_ID_LENGTH) {
    throw new Refusal(`has a messageId of more than ${MAX_MESSAGE_ID_LENGTH} characters`)
  }
  switch (call.type) {
    case 'track':
      assertPerson(call)
      assertFilled(call, 'event')
      assertObject(call, 'properties')
      return
    case 'identify':
      assertPerson(call)
      assertObject(call, 'traits')
      return
    case 'group':
      assertPerson(call)
      assertFilled(call, 'groupId')
      assertObject(call, 'traits')
      return
    case 'page':
    case 'screen':
      assertPerson(call)
      assertText(call, 'name')
      assertText(call, 'category')
      assertObject(call, 'properties')
      return
    case 'alias':
      assertFilled(call, 'userId')
      assertFilled(call, 'previousId')
      return
    default:
      throw new Refusal(
        `has ${call.type === undefined ? 'no type' : 'an unknown type'}; ` +
          'expected track, identify, group, page, screen or alias',
      )
  }
}

function assertPerson(call: Record<string, unknown>): void {
  if (call.userId || call.anonymousId) return
  throw new Refusal('has neither userId nor anonymousId; Segment needs one of them')
}

function assertFilled(call: Record<string, unknown>, member: string): void {
  const value = call[member]
  if (typeof value === 'string' && value !== '') return
  throw new Refusal(`(${call.type}) has no ${member}; expected a string that is not empty`)
}

function assertText(call: Record<string, unknown>, member: string): void {
  const value = call[member]
  if (value === undefined || value === null || typeof value === 'string') return
  throw new Refusal(`has a ${member} of type ${typeof value}; expected a string`)
}

function assertObject(call: Record<string, unknown>, member: string): void {
  const value = call[member]
  if (value === undefined || value === null || isRecord(value)) return
  throw new Refusal(
    `has ${member} of type ${Array.isArray(value) ? 'array' : typeof value}; expected an object`,
  )
}

function assertSize(call: ReceivedCall): void {
  let tooLarge: boolean
  try {
    tooLarge = isLargerThan(call, MAX_CALL_BYTES)
  } catch (error) {
    // A call nested this deeply overflows the stack while it is measured.
    if (!(error instanceof RangeError)) throw error
    throw new Refusal('is nested too deeply')
  }
  if (tooLarge)
    throw new Refusal(`is larger than ${MAX_CALL_BYTES} bytes (32 KB), the most that Segment takes`)
}
