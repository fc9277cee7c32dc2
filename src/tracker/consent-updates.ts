import type { WalkerOS } from '@walkeros/core'
import { after, type Maybe } from '../support/maybe.js'
import type { Scope } from './scope.js'

/** Tracks Segment's consent event when a handler changes a choice that Segment is told about. */
export class ConsentUpdates {
  readonly #keys: ReadonlySet<string>

  /** @param categories - Segment's categories by the consent keys whose changes it is told about. */
  constructor(categories: Readonly<Record<string, string>>) {
    this.#keys = new Set(Object.keys(categories))
  }

  /**
   * A handler has said a visitor's choice. Only a choice that neither the request nor the handler said before is an update.
   *
   * @param before - What the handler had said before.
   * @returns When the readers of consent have answered.
   */
  chosen(tracker: Scope, chosen: WalkerOS.Consent, before: WalkerOS.Consent | undefined): Maybe<void> {
    const keys = Object.keys(chosen).filter((key) => this.#keys.has(key))
    if (keys.length === 0) return
    return tracker.inScope(() =>
      after(tracker.readConsent(), ({ state }) => {
        const known = { ...state, ...before }
        if (keys.some((key) => chosen[key] !== known[key])) tracker.consentUpdated()
      }),
    )
  }
}
