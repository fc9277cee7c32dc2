import type { PersonFact } from './person-fact.js'

// The calls of the Segment spec. The destination makes them of events; the delivery knows nothing else.

/** The kinds of call of the Segment spec. */
export type CallType = (typeof CALL_TYPES)[number]

/** All of them. */
export const CALL_TYPES = ['track', 'identify', 'group', 'page', 'screen', 'alias'] as const

/** Segment's consent object: every category as an explicit `true` or `false`. */
export interface ConsentContext {
  categoryPreferences: Record<string, boolean>
}

/** Segment's `context`: standard members such as `ip`, `page` and `consent`, and whatever an application adds. */
export interface SegmentContext {
  consent?: ConsentContext
  [key: string]: unknown
}

/** Turns Segment's destinations on and off, or gives them options: `{ All: true, Mixpanel: false }`. */
export type Integrations = Record<string, boolean | Record<string, unknown>>

/** The parameters that all types of call share. */
export interface CommonParams {
  userId?: string
  anonymousId?: string
  /** The time of the event. */
  timestamp: Date
  /** Segment takes calls with the same id for the same message. */
  messageId?: string
  context?: SegmentContext
  integrations?: Integrations
}

/** The parameters of a call, by its type, as `@segment/analytics-node` takes them. */
export interface CallParams {
  track: CommonParams & { event: string; properties: Record<string, unknown> }
  identify: CommonParams & { traits?: Record<string, unknown> }
  group: CommonParams & { groupId: string; traits?: Record<string, unknown> }
  page: CommonParams & { category?: string; name?: string; properties?: Record<string, unknown> }
  screen: CommonParams & { category?: string; name?: string; properties?: Record<string, unknown> }
  alias: CommonParams & { previousId: string }
}

/** A handle for a remembered call, so that it can be forgotten if the call does not arrive. */
export interface Remembered {
  readonly key: string
  readonly entry: { readonly traits: string }
  /** What the memory of a fleet knows it by, where there is one. */
  fact?: PersonFact | undefined
}

/** One call to Segment: the client's method and its parameters. */
export type SegmentCall = {
  [T in CallType]: {
    readonly type: T
    readonly params: CallParams[T]
    /** The memory of de-duplication for this call, to be forgotten if the call fails for good. */
    readonly remembered?: Remembered
  }
}[CallType]

/** A call that a tracker's own method asks for, instead of the calls that mapping rules make of an event. */
export type DirectCall =
  | { readonly type: 'identify' }
  | { readonly type: 'group'; readonly groupId: string }
  | { readonly type: 'page' | 'screen'; readonly category?: string; readonly name?: string }
  /** A page that a request has shown, of which no handler said anything. */
  | { readonly type: 'page'; readonly automatic: true; readonly category?: string; readonly name?: string }
  | { readonly type: 'alias'; readonly previousId: string }
  /** Segment's reserved event: the person's choice has changed. */
  | { readonly type: 'consent' }
