import type { WalkerOS } from '@walkeros/core'
import type { FailureReason, RequestReport } from '../delivery/index.js'
import type { DestinationStep } from '../destination/pipeline.js'
import type { DropReason } from '../model/event.js'
import type { DirectCall, SegmentCall } from '../model/segment-call.js'
import type { Outcome } from '../request/end.js'
import type { TrackedRequest } from '../request/tracked-request.js'
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
      readonly tracked: TrackedRequest
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

/** Hands steps to whoever watches. Unwatched, `tell` is undefined, and a step costs that check and no more. */
export class Observation {
  /** Tells a step to all observers; `undefined` while there is none. */
  tell: Observer | undefined
  readonly #observers = new Set<Observer>()

  /**
   * Begins to watch.
   *
   * @returns What ends it.
   */
  watch(observer: Observer): () => void {
    this.#observers.add(observer)
    this.tell = (step) => this.#tell(step)
    return () => {
      this.#observers.delete(observer)
      if (this.#observers.size === 0) this.tell = undefined
    }
  }

  #tell(step: Step): void {
    for (const observer of this.#observers) {
      try {
        observer(step)
      } catch {
        // Who watches may not disturb what is watched, and has been told nothing that could be told again.
      }
    }
  }
}
