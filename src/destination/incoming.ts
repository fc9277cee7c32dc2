import type { WalkerOS } from '@walkeros/core'
import type { DirectCall, Integrations, SegmentContext } from '../model/segment-call.js'

/** An event and its companions on the way through the destination. */
export interface Incoming {
  readonly event: WalkerOS.Event
  /** The call of a tracker's own method; mapping rules do not apply to it. */
  readonly direct?: DirectCall
  /** Segment's `context` from elsewhere, such as the request. It belongs to this event alone: its calls take it over. */
  readonly context?: SegmentContext
  /** The globals of the config: what the event has of them lies under the properties of track, page and screen. */
  readonly globals?: Readonly<Record<string, unknown>> | undefined
  /** The event's own, over those of the settings. */
  readonly integrations?: Integrations | undefined
  /** Unique for the event, at most 90 characters; prefix of each call's messageId. */
  readonly messageId?: string
}

/** Copies only where the policy changed the event, which is rare. */
export function withEvent(incoming: Incoming, event: WalkerOS.Event): Incoming {
  return event === incoming.event ? incoming : { ...incoming, event }
}
