import type { WalkerOS } from '@walkeros/core'
import type { ReadGlobals } from '../request/globals.js'
import type { ReadPerson } from '../request/person.js'
import type { ReadConsent } from '../request/sender.js'

/** The sender of a scope, read once at its end; or of one event, where the scope has no end. */
export interface ReadSender {
  readonly person: ReadPerson
  readonly consent: ReadConsent
  /** What had been said with `tracker.consent()` by then; `undefined` where the latest that was said counts. */
  readonly chosen: WalkerOS.Consent | undefined
  readonly skipped: boolean
  readonly globals: ReadGlobals | undefined
}
