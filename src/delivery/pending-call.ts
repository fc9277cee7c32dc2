import type { CallParams, CallType, Remembered, SegmentCall } from '../model/segment-call.js'
import type { Place } from './outbox/outbox.js'

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
  /** Bytes of the JSON in UTF-8; an upper bound unless `isExactSize`. */
  bytes: number
  /** Whether `bytes` was measured. */
  isExactSize: boolean
  /** When it was made, by the monotonic clock. */
  readonly madeAt: number
  readonly remembered: Remembered | undefined
  /** The call as an object. A call with a text has one only while the client holds it. */
  call: SegmentCall | undefined
  /** Whether the client holds it. */
  isSubmitted: boolean
  /** Whether Segment has refused its batch: it is then sent alone. */
  isSuspect: boolean
  /** Where it is stored, if it is. */
  place: Place | undefined
}

/** The call as an object, parsed from its text where it has none. */
export function callOf({
  type,
  text,
  remembered,
  call,
}: Pick<PendingCall, 'type' | 'text' | 'remembered' | 'call'>): SegmentCall {
  if (call) return call
  const params = JSON.parse(text ?? '{}') as CallParams[CallType] & { timestamp: string | Date }
  params.timestamp = new Date(params.timestamp)
  // This process or an earlier one made the text from a call of this type.
  return { type, params, ...(remembered && { remembered }) } as SegmentCall
}

/** The call's parameters as JSON. */
export function textOf({ text, call }: Pick<PendingCall, 'text' | 'call'>): string {
  return text ?? JSON.stringify(call?.params ?? {})
}
