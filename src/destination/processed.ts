import type { WalkerOS } from '@walkeros/core'
import type { Identity } from '../model/identity.js'
import type { DestinationDropReason, ObserveStep } from '../observe/step.js'
import type { MadeCalls } from './calls.js'

/** The destination's result for an event: calls, or the reason why there are none. */
export type Processed =
  | (MadeCalls & {
      readonly dropped?: undefined
      readonly withheld?: number
      readonly rule: string | undefined
    })
  | {
      readonly dropped: DestinationDropReason
      /** Calls that were not made: see {@link MadeCalls}. */
      readonly deduplicated?: number
      /** Calls that `beforeSend` withheld. */
      readonly withheld?: number
      /** The required consent keys, where the reason is that none was granted. */
      readonly required?: WalkerOS.Consent
      readonly rule: string | undefined
    }

/** The gate, of the config or of a rule, denied an event. */
export function denied(
  required: WalkerOS.Consent | undefined,
  rule: string | undefined,
  observe: ObserveStep | undefined,
): Processed {
  observe?.({ step: 'consent', outcome: 'dropped', reason: 'consent', required, rule })
  return { dropped: 'consent', required, rule }
}

/** A rule ignores its events. */
export function ignored(rule: string, observe: ObserveStep | undefined): Processed {
  observe?.({ step: 'mapping', outcome: 'dropped', reason: 'ignored', rule })
  return { dropped: 'ignored', rule }
}

/** The visitor is not in the sample of a rule. */
export function sampledOut(rule: string, observe: ObserveStep | undefined): Processed {
  observe?.({ step: 'mapping', outcome: 'dropped', reason: 'sampled', rule })
  return { dropped: 'sampled', rule }
}

/**
 * The calls of an event were made.
 *
 * @param made - `undefined` where the event has no id that they could be about.
 */
export function finish(
  made: MadeCalls | undefined,
  identity: Identity,
  rule: string | undefined,
  observe: ObserveStep | undefined,
): Processed {
  if (!made) {
    observe?.({ step: 'identity', outcome: 'dropped', reason: 'identity', rule })
    return { dropped: 'identity', rule }
  }
  const { calls, deduplicated } = made
  observe?.({ step: 'identity', outcome: 'passed', identity })
  observe?.({ step: 'deduplication', outcome: 'passed', deduplicated })
  return calls.length > 0 || deduplicated > 0 ? { calls, deduplicated, rule } : { dropped: 'ignored', rule }
}
