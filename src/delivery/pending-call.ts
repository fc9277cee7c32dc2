import type { CallParams, CallType, Remembered, SegmentCall } from '../model/segment-call.js'
import type { Place } from './outbox/outbox.js'

/**
 * A call without an outcome. Those that go next are kept as they are; those that have to wait are kept as text, about a
 * kilobyte, which is a third of what the call takes.
 */
export interface PendingCall {
  /** Counts the calls of a delivery: the order in which they were made. */
  readonly number: number
  readonly type: CallType
  readonly messageId: string
  /** The parameters as JSON; not there where there is the call itself. */
  readonly text: string | undefined
  /** The size of the JSON in bytes of UTF-8; of a call that was not weighed it is at most so large. */
  bytes: number
  /** Whether that is its size. */
  isWeighed: boolean
  /** When it was made, by the process's own clock, which nobody sets back. */
  readonly madeAt: number
  readonly remembered: Remembered | undefined
  /** The call itself: of one that has a text, while the client has it, which keeps what it is given. */
  call: SegmentCall | undefined
  /** Whether the client has it. */
  isHandedIn: boolean
  /** Whether Segment has refused a batch that it was in: it is then sent by itself. */
  isSuspect: boolean
  /** Where it is on disk, if it is. */
  place: Place | undefined
}

/** The call itself, or the one that its text stands for, with objects of its own. */
export function callOf({
  type,
  text,
  remembered,
  call,
}: Pick<PendingCall, 'type' | 'text' | 'remembered' | 'call'>): SegmentCall {
  if (call) return call
  const params = JSON.parse(text ?? '{}') as CallParams[CallType] & { timestamp: string | Date }
  params.timestamp = new Date(params.timestamp)
  // The text was made from a call of this type, by this process or an earlier one.
  return { type, params, ...(remembered && { remembered }) } as SegmentCall
}

/** A call's parameters as JSON. */
export function textOf({ text, call }: Pick<PendingCall, 'text' | 'call'>): string {
  return text ?? JSON.stringify(call?.params ?? {})
}
