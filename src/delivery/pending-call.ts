import { parsedRecord } from '../model/parsed-json.js'
import {
  CALL_TYPES,
  type CallParams,
  type CallType,
  type Remembered,
  type SegmentCall,
} from '../model/segment-call.js'
import type { Place } from './outbox/stored-queue-listener.js'
import { callOfSdkText } from './sdk-format.js'

/**
 * A call without an outcome. The next ones stay objects; the others wait as text, about a kilobyte, which takes a third of
 * an object's memory.
 */
export interface PendingCall {
  /** The position in the order in which calls were made. */
  readonly number: number
  readonly type: CallType
  readonly messageId: string
  /** The parameters as JSON; absent while the call is kept as an object. */
  readonly text: string | undefined
  /** The call as the SDK writes it; absent where the SDK has to write it itself. */
  readonly sdkText: string | undefined
  /** Bytes of the JSON; an upper bound unless `isExactSize`. */
  bytes: number
  /** Whether `bytes` was measured. */
  isExactSize: boolean
  /** When it was made, by the monotonic clock. */
  readonly madeAt: number
  readonly remembered: Remembered | undefined
  /** The call as an object. A call with a text has one only while the client holds it. */
  call: SegmentCall | undefined
  /** Bytes of memory that it takes as an object while it waits; 0 while it waits as text. */
  objectBytes: number
  /** Bytes of memory that it takes while the client holds it. */
  clientBytes: number
  /** Whether the client holds it. */
  isSubmitted: boolean
  /** Whether another call may have its messageId. */
  isKeyed: boolean
  /** Whether Segment has refused its batch: it is then sent alone. */
  isSuspect: boolean
  /** Whether another process has written it: no `flush()` of this one waits for it. */
  isAdopted: boolean
  /** Where it is stored, if it is. */
  place: Place | undefined
}

/** The call as an object, parsed from its text where it has none. What is no JSON object gives a call without parameters. */
export function callOf({
  type,
  text,
  sdkText,
  remembered,
  call,
}: Pick<PendingCall, 'type' | 'text' | 'sdkText' | 'remembered' | 'call'>): SegmentCall {
  if (call) return call
  if (text === undefined && sdkText !== undefined) return callOfSdkText(sdkText, type, remembered)
  const parsed: unknown = parsedRecord(text ?? '') ?? {}
  const params = parsed as CallParams[CallType] & { timestamp: string | Date }
  params.timestamp = new Date(params.timestamp)
  // This process or an earlier one made the text from a call of this type.
  return { type, params, ...(remembered && { remembered }) } as SegmentCall
}

/**
 * Why a call is not to be sent: an outbox may hand out what is none, or a call under the name of another one. The books know a
 * call by its own messageId, and Segment by that of its parameters.
 */
export function faultOfCall({ type, messageId }: PendingCall, { params }: SegmentCall): string | undefined {
  if (!CALL_TYPES.includes(type)) return 'the outbox has handed out a call of a type that there is not'
  if (messageId === '' || params.messageId !== messageId)
    return 'the outbox has handed out a call whose params are no JSON object with its messageId'
  return undefined
}

/** The call's parameters as JSON. */
export function textOf(pending: PendingCall): string {
  return pending.text ?? JSON.stringify(callOf(pending).params)
}

/** Bytes that count for a text: those of its JSON, or of its string in memory where a character takes two bytes there. */
export function sizeOf(text: string): number {
  const bytes = Buffer.byteLength(text)
  return bytes > text.length && BEYOND_LATIN1.test(text) ? Math.max(bytes, text.length * 2) : bytes
}

/** V8 stores a string with one byte a character unless it has one of these. */
const BEYOND_LATIN1 = /[^\0-\xff]/
