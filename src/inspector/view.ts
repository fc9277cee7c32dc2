// What the inspector's page is told: plain JSON, and the one thing that server and page share.

/** Where an event is, or how it ended. */
export type EventState =
  /** Its request, or a reader, has not answered yet. */
  | 'open'
  | 'dropped'
  /** Calls are made and have no outcome. */
  | 'pending'
  /** Calls are being tried again. */
  | 'retrying'
  | 'failed'
  | 'delivered'
  /** Segment knows all that it says already. */
  | 'known'

/** A step of an event's way, in order. */
export type StageName =
  | 'tracked'
  | 'consent'
  | 'mapping'
  | 'identity'
  | 'deduplication'
  | 'calls'
  | 'delivery'

/** How a step went: passed, ended the way, is under way, or was not reached. */
export type StageState = 'passed' | 'stopped' | 'waiting' | 'retrying' | 'unreached'

export interface Stage {
  readonly name: StageName
  readonly state: StageState
  /** What it came to, in a word or two. */
  readonly note: string
}

/** An id or a choice, and the reader that gave it. */
export interface Sourced<T> {
  readonly value: T
  readonly reader: string | undefined
}

export interface WhoView {
  readonly userId: Sourced<string> | undefined
  readonly anonymousId: Sourced<string> | undefined
  readonly consent: readonly (Sourced<boolean> & { readonly key: string })[]
}

/** One HTTP request to Segment that carried a call. */
export interface BatchView {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly durationMs: number
  /** Segment's answer, or why there was none. */
  readonly answer: string
  readonly ok: boolean
  /** How many calls travelled in it. */
  readonly size: number
  /** What travelled with it, as far as it is kept. */
  readonly others: readonly { readonly request: number; readonly label: string }[]
}

export interface CallView {
  readonly messageId: string
  /** The method, and what it is about. */
  readonly label: string
  readonly state: 'pending' | 'retrying' | 'failed' | 'delivered'
  /** Why it failed. */
  readonly reason: string | undefined
  /** What the Segment client was given. */
  readonly json: string
  readonly batches: readonly BatchView[]
}

export interface EventView {
  readonly name: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly state: EventState
  /** Why it went no further, in words. */
  readonly reason: string | undefined
  readonly stages: readonly Stage[]
  readonly who: WhoView | undefined
  readonly calls: readonly CallView[]
  /** The complete walkerOS event, as JSON. */
  readonly json: string | undefined
}

/** A request as a line of the list. */
export interface RequestSummary {
  readonly number: number
  readonly method: string
  readonly path: string
  readonly route: string | undefined
  /** None where it was aborted. */
  readonly status: number | undefined
  readonly durationMs: number
  /** When it ended: milliseconds since 1970. */
  readonly at: number
  readonly userId: string | undefined
  readonly anonymousId: string | undefined
  readonly events: readonly { readonly name: string; readonly state: EventState }[]
  /** How many events more it has than are listed. */
  readonly more: number
}

/** A request with all that is known of it. */
export interface RequestView {
  readonly summary: RequestSummary
  readonly who: WhoView | undefined
  readonly events: readonly EventView[]
}

/** What happened in one minute. */
export interface Minute {
  /** When it began: milliseconds since 1970. */
  readonly at: number
  readonly tracked: number
  readonly dropped: number
  readonly delivered: number
  readonly failed: number
  /** Requests to Segment that did not succeed. */
  readonly retries: number
}

export interface Totals {
  readonly events: {
    readonly tracked: number
    readonly open: number
    readonly dispatched: number
    readonly dropped: Readonly<Record<string, number>>
  }
  readonly calls: {
    readonly made: number
    readonly delivered: number
    readonly pending: number
    readonly deduplicated: number
    readonly failed: Readonly<Record<string, number>>
  }
  /** Requests to Segment, and how many of them did not succeed, since the inspector was mounted. */
  readonly requests: { readonly sent: number; readonly unsuccessful: number }
  /** The delivery's state. */
  readonly health: string
  /** The last half hour, the current minute last. */
  readonly minutes: readonly Minute[]
}

/** What the stream tells: everything that is kept at first, and then what has changed. */
export interface Update {
  readonly requests: readonly RequestSummary[]
  readonly totals: Totals
  /** How many requests are kept. */
  readonly capacity: number
}
