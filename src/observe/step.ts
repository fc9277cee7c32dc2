import type { WalkerOS } from '@walkeros/core'
import type { DropReason } from '../model/drop.js'
import type { FailureReason } from '../model/failure.js'
import type { Identity } from '../model/identity.js'
import type { Outcome } from '../model/outcome.js'
import type { DirectCall, SegmentCall } from '../model/segment-call.js'
import type { TrackedRequest } from '../model/tracked-request.js'
import type { Maybe } from '../support/maybe.js'

/** Which reader gave a request's ids, and which each consent key. */
export interface Sources {
  readonly userId?: string
  readonly anonymousId?: string
  readonly consent: Readonly<Record<string, string>>
}

/** Who sent a request, what they agreed to, and which reader said so. */
export interface Who {
  readonly userId: string | undefined
  readonly anonymousId: string | undefined
  readonly consent: WalkerOS.Consent
  readonly sources: Sources
}

/** Why the destination made no call of an event. */
export type DestinationDropReason = 'consent' | 'identity' | 'ignored'

/** A step on an event's way through the destination, for who watches it. */
export interface DestinationStep {
  readonly step: 'consent' | 'mapping' | 'identity' | 'deduplication'
  readonly outcome: 'passed' | 'dropped'
  readonly reason?: DestinationDropReason
  /** The key of the mapping rule that matched, such as `order complete`. */
  readonly rule?: string
  /** The consent keys of which one has to be granted. */
  readonly required?: WalkerOS.Consent
  readonly identity?: Identity
  /** How many calls were spared. */
  readonly deduplicated?: number
}

/** Is told each step of an event; without one a step costs a check. */
export type ObserveStep = (step: DestinationStep) => void

/** What is told of one request to Segment. */
export interface RequestReport {
  readonly messageIds: readonly string[]
  /** The answer's status; none where there was no whole answer. */
  readonly status: number | undefined
  /** Why there was none. */
  readonly error: string | undefined
  /** Milliseconds from the request to the end of its answer. */
  readonly durationMs: number
}

/** What is told about an event, a call or a request on its way, in the order in which it happens. */
export type Step =
  | {
      readonly type: 'tracked'
      /** The request's number in this process. */
      readonly request: number
      readonly event: string
      readonly name: string
      readonly timestamp: number
      /** The tracker's method, where it asks for one call and mapping rules do not apply. */
      readonly method: DirectCall['type'] | undefined
    }
  | {
      readonly type: 'ended'
      readonly request: number
      readonly outcome: Outcome
      /** The request; none where the scope is a run. */
      readonly tracked: TrackedRequest | undefined
      /** The name of a run. */
      readonly run: string | undefined
      /** Reads who sent the request, as its events do; what is read is kept for them. It can throw or reject. */
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
  | ({ readonly type: 'destination'; readonly request: number; readonly event: string } & DestinationStep)
  | {
      readonly type: 'dropped'
      readonly request: number
      /** Empty where it never was an event: it was refused when it was tracked. */
      readonly event: string
      readonly name: string | undefined
      readonly reason: DropReason
    }
  | { readonly type: 'called'; readonly request: number; readonly event: string; readonly call: SegmentCall }
  /** A request to Segment has ended. */
  | ({ readonly type: 'request' } & RequestReport)
  | { readonly type: 'delivered'; readonly call: SegmentCall }
  | {
      readonly type: 'failed'
      readonly call: SegmentCall
      readonly reason: FailureReason
      readonly detail: string | undefined
    }
  /** The process is about to end, or the tracking is: what holds a connection open should let it go. Told at least once. */
  | { readonly type: 'closing' }

/** Watches the way of every event; what it throws is contained. */
export type Observer = (step: Step) => void
