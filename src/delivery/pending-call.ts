import type { CallParams, CallType, SegmentCall } from '../destination/calls.js'
import type { Remembered } from '../destination/deduplication.js'
import type { Place } from './outbox/outbox.js'

/** A call without an outcome, in the form in which it waits: its text, about a kilobyte. */
export interface PendingCall {
  /** Counts the calls of a delivery: the order in which they were made. */
  readonly number: number
  readonly type: CallType
  readonly messageId: string
  /** The parameters as JSON. */
  readonly text: string
  /** The text's size in bytes of UTF-8. */
  readonly bytes: number
  /** When it was made, by the process's own clock, which nobody sets back. */
  readonly madeAt: number
  readonly remembered: Remembered | undefined
  /** The call itself, while the client has it: the client keeps what it is given, and writes into it. */
  call: SegmentCall | undefined
  /** Whether the client has it. */
  isHandedIn: boolean
  /** Whether Segment has refused a batch that it was in: it is then sent by itself. */
  isSuspect: boolean
  /** Where it is on disk, if it is. */
  place: Place | undefined
}

/** The call that a text stands for, with objects of its own. */
export function callOf({
  type,
  text,
  remembered,
}: Pick<PendingCall, 'type' | 'text' | 'remembered'>): SegmentCall {
  const params = JSON.parse(text) as CallParams[CallType] & { timestamp: string | Date }
  params.timestamp = new Date(params.timestamp)
  // The text was made from a call of this type, by this process or an earlier one.
  return { type, params, ...(remembered && { remembered }) } as SegmentCall
}
