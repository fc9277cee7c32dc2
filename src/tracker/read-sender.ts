import type { WalkerOS } from '@walkeros/core'
import type { ReadGlobals } from '../request/globals.js'
import type { ReadPerson } from '../request/person.js'
import type { ReadConsent } from '../request/sender.js'

/** The sender of an event. */
export interface EventSender {
  readonly person: ReadPerson
  readonly consent: ReadConsent
  /** What had been said with `tracker.consent()` by then; `undefined` where the latest that was said counts. */
  readonly chosen: WalkerOS.Consent | undefined
  readonly skipped: boolean
}

/** The sender of a scope's events, read once at its end, and the globals that were read with it. */
export interface ReadSender extends EventSender {
  readonly globals: ReadGlobals | undefined
}
