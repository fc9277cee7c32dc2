import type { WalkerOS } from '@walkeros/core'
import type { DropReason } from '../model/drop.js'
import type { FailureReason } from '../model/failure.js'
import type { Identity } from '../model/identity.js'
import type { Outcome } from '../model/outcome.js'
import type { Judgement } from '../model/plan.js'
import type { DirectCall, SegmentCall } from '../model/segment-call.js'
import type { TrackedRequest } from '../model/tracked-request.js'
import type { Maybe } from '../support/maybe.js'

/** The readers that gave a request's ids and each of its consent keys. */
export interface Sources {
  readonly userId?: string
  readonly anonymousId?: string
  readonly consent: Readonly<Record<string, string>>
}

/** The sender of a request, their choices, and the readers that gave them. */
export interface Who {
  readonly userId: string | undefined
  readonly anonymousId: string | undefined
  readonly consent: WalkerOS.Consent
  readonly sources: Sources
}

/** Why the destination made no call of an event. */
export type DestinationDropReason = 'consent' | 'identity' | 'ignored' | 'sampled' | 'withheld'

/** A step of an event through the destination. */
export interface DestinationStep {
  readonly step: 'consent' | 'mapping' | 'identity' | 'deduplication'
  readonly outcome: 'passed' | 'dropped'
  readonly reason?: DestinationDropReason
  /** The key of the mapping rule that matched, such as `order complete`. */
  readonly rule?: string
  /** The consent keys of which one has to be granted. */
  readonly required?: WalkerOS.Consent
  readonly identity?: Identity
  /** How many calls were not made, because Segment knows the same. */
  readonly deduplicated?: number
}

/** Receives each step of an event. Without an observer a step costs one check. */
export type ObserveStep = (step: DestinationStep) => void

/** One request to Segment. */
export interface RequestReport {
  readonly messageIds: readonly string[]
  /** The status of the answer; `undefined` where no whole answer came. */
  readonly status: number | undefined
  /** Why no whole answer came. */
  readonly error: string | undefined
  /** Milliseconds from the request to the end of its answer. */
  readonly durationMs: number
  /** Whether a request with some of these calls has failed before. */
  readonly isRetry: boolean
}

/** A step of an event, a call or a request, in the order in which the steps happen. */
export type Step =
  | {
      readonly type: 'tracked'
      /** The request's number in this process. */
      readonly request: number
      readonly event: string
      readonly name: string
      readonly timestamp: number
      /** The tracker's method, if it asks for one call: mapping rules do not apply to it. */
      readonly method: DirectCall['type'] | undefined
    }
  | {
      readonly type: 'ended'
      /** A sender without an end tells it with each of its events. */
      readonly scope: 'request' | 'run' | 'sender'
      readonly request: number
      readonly outcome: Outcome
      /** The request, where the scope is one. */
      readonly tracked: TrackedRequest | undefined
      /** The name that a run or a sender was given. */
      readonly name: string | undefined
      /** Reads the sender once and caches it for the request's events. It can throw or reject. */
      readonly who: () => Maybe<Who>
    }
  | {
      readonly type: 'dispatching'
      readonly request: number
      readonly event: string
      /** The complete event, as it goes to the destination. */
      readonly walkeros: WalkerOS.Event
      readonly sources: Sources
    }
  /** The tracking plan has judged an event; told only where there is a plan. */
  | {
      readonly type: 'planned'
      readonly request: number
      readonly event: string
      readonly judgement: Judgement
    }
  | ({ readonly type: 'destination'; readonly request: number; readonly event: string } & DestinationStep)
  | {
      readonly type: 'dropped'
      readonly request: number
      /** Empty where the event was refused when it was tracked. */
      readonly event: string
      readonly name: string | undefined
      readonly reason: DropReason
    }
  | { readonly type: 'called'; readonly request: number; readonly event: string; readonly call: SegmentCall }
  /** A call was not made: one with the same key is on its way. */
  | {
      readonly type: 'repeated'
      readonly request: number
      readonly event: string
      readonly call: SegmentCall
    }
  /** A request to Segment has ended. */
  | ({ readonly type: 'request' } & RequestReport)
  | { readonly type: 'delivered'; readonly call: SegmentCall }
  | {
      readonly type: 'failed'
      readonly call: SegmentCall
      readonly reason: FailureReason
      readonly detail: string | undefined
    }
  /** The process or the tracking is about to end: open connections should be closed. It comes at least once. */
  | { readonly type: 'closing' }

/** Receives every step. An exception in it is contained. */
export type Observer = (step: Step) => void
