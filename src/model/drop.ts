import type { WalkerOS } from '@walkeros/core'
import type { PartialEvent } from './event.js'

/** Why an event was dropped instead of becoming calls. */
export type DropReason =
  /** Its name is missing, white space alone, longer than 255 characters, or a walkerOS command (`walker …`); or its key is none. */
  | 'invalid'
  /** A part of it is larger than the 32 KB that Segment takes, or its mapping gives over 64 KB. */
  | 'too-large'
  /** None of the consent keys that it needs is granted. */
  | 'consent'
  /** It has neither a userId nor an anonymousId. */
  | 'identity'
  /** A mapping rule ignores it, or is silent and resolves to no call. */
  | 'ignored'
  /** A mapping rule's `sample` leaves its visitor out. */
  | 'sampled'
  /** `beforeSend` withheld all of its calls. */
  | 'withheld'
  /** The `dispatch` option refuses the outcome of its request. */
  | 'outcome'
  /** A `request.skip` reader answered `true` for its request. */
  | 'skipped'
  /** The tracking plan has it dropped. */
  | 'plan'
  /** A browser sent it, and the endpoint that took it does not let browsers track such an event. */
  | 'refused'
  /** Tracking is turned off. */
  | 'disabled'
  /** The handler called `discard()`. */
  | 'discarded'
  /** The tracking had been shut down. */
  | 'closed'
  /** A function of the application failed on its way, such as `dispatch`. */
  | 'error'
  /** Open requests have collected more than the bounds of `delivery` allow. */
  | 'overflow'

/** An event that became no call, and why. */
export interface DroppedEvent {
  /** The event as it was tracked, or completed if it came that far. */
  readonly event: PartialEvent | WalkerOS.Event
  readonly reason: DropReason
  /** The consent keys of which none was granted, if that is the reason. */
  readonly required?: WalkerOS.Consent
}
