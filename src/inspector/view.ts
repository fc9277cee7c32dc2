// The JSON that the inspector sends to its page: the only types that server and page share.

/** How far an event has come, or how it ended. */
export type EventState =
  /** Its request or an asynchronous reader has not finished yet. */
  | 'open'
  | 'dropped'
  /** Its calls have no outcome yet. */
  | 'pending'
  /** Calls are being retried. */
  | 'retrying'
  | 'failed'
  | 'delivered'
  /** De-duplication spared all of its calls: Segment knows the same already. */
  | 'known'

/** The stages of an event, in order. */
export type StageName =
  | 'tracked'
  | 'plan'
  | 'consent'
  | 'mapping'
  | 'identity'
  | 'deduplication'
  | 'calls'
  | 'delivery'

/** The state of a stage; `stopped` is where the event ended. */
export type StageState = 'passed' | 'flagged' | 'stopped' | 'waiting' | 'retrying' | 'unreached'

export interface Stage {
  readonly name: StageName
  readonly state: StageState
  /** The stage's result in a word or two. */
  readonly note: string
}

/** An id or a consent choice, and the reader that gave it. */
export interface Sourced<T> {
  readonly value: T
  readonly reader: string | undefined
}

export interface WhoView {
  readonly userId: Sourced<string> | undefined
  readonly anonymousId: Sourced<string> | undefined
  readonly consent: readonly (Sourced<boolean> & { readonly key: string })[]
}

/** One HTTP request to Segment that carried the call. */
export interface BatchView {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly durationMs: number
  /** Segment's answer, or why there was none. */
  readonly answer: string
  readonly ok: boolean
  /** How many calls it carried. */
  readonly size: number
  /** The other calls of the batch that are still kept. */
  readonly others: readonly { readonly request: number; readonly label: string }[]
}

export interface CallView {
  readonly messageId: string
  /** The method and its object, such as `track Order Completed`. */
  readonly label: string
  readonly state: 'pending' | 'retrying' | 'failed' | 'delivered'
  /** Why it failed. */
  readonly reason: string | undefined
  /** The call as the Segment client got it. */
  readonly json: string
  readonly batches: readonly BatchView[]
}

/** What an event has otherwise than the tracking plan says. */
export interface PlanView {
  readonly violations: readonly {
    readonly path: string
    readonly problem: string
    readonly expected: string | undefined
    readonly outcome: string
  }[]
  /** What the plan wants, in the form of the data; none where the schema library does not tell. */
  readonly expected: string | undefined
  /** What the handler gave, as JSON; none where the event is not planned. */
  readonly given: string | undefined
  /** Where the handler tracked it. */
  readonly stack: string | undefined
}

export interface EventView {
  readonly name: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly state: EventState
  /** Why it ended where it did, in words. */
  readonly reason: string | undefined
  readonly stages: readonly Stage[]
  /** Only where the event is against the tracking plan. */
  readonly plan: PlanView | undefined
  readonly who: WhoView | undefined
  readonly calls: readonly CallView[]
  /** The complete walkerOS event, as JSON. */
  readonly json: string | undefined
}

/** A request as a line of the list, or a run. */
export interface RequestSummary {
  readonly number: number
  readonly scope: 'request' | 'run' | 'sender'
  /** `run` for a run of `tracking.run()`, `sender` for the tracker of `tracking.forSender()`. */
  readonly method: string
  /** The name of a run or a sender; empty where it has none. */
  readonly path: string
  readonly route: string | undefined
  readonly status: number | undefined
  /** How it ended where there is no status. */
  readonly end: 'done' | 'aborted' | 'failed'
  readonly durationMs: number
  /** When it ended: milliseconds since 1970. */
  readonly at: number
  readonly userId: string | undefined
  readonly anonymousId: string | undefined
  readonly events: readonly { readonly name: string; readonly state: EventState }[]
  /** How many further events the request has. */
  readonly more: number
}

/** A request with its events and calls. */
export interface RequestView {
  readonly summary: RequestSummary
  readonly who: WhoView | undefined
  readonly events: readonly EventView[]
}

/** The counts of one minute. */
export interface Minute {
  /** When it began: milliseconds since 1970. */
  readonly at: number
  readonly tracked: number
  readonly dropped: number
  readonly delivered: number
  readonly failed: number
  /** HTTP requests to Segment that failed. */
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
    readonly relayed: number
    readonly deduplicated: number
    readonly withheld: number
    readonly failed: Readonly<Record<string, number>>
  }
  /** HTTP requests to Segment, and how many of them failed, since the inspector was mounted. */
  readonly requests: { readonly sent: number; readonly unsuccessful: number }
  /** The delivery's state. */
  readonly health: string
  /** What waits in the outbox, of all processes; absent where there is none that can tell. */
  readonly outbox?: { readonly calls: number; readonly oldestAt?: number | undefined }
  /** The last half hour, the current minute last. */
  readonly minutes: readonly Minute[]
}

/** A message of the stream: first everything kept, then what has changed. */
export interface Update {
  readonly requests: readonly RequestSummary[]
  readonly totals: Totals
  /** How many requests are kept. */
  readonly capacity: number
}
