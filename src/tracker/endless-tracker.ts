import type { WalkerOS } from '@walkeros/core'
import type { Outcome } from '../model/outcome.js'
import { type PersonReading, settlePerson } from '../request/person.js'
import { after, type Maybe } from '../support/maybe.js'
import type { GivenSender } from './given-sender.js'
import type { EventSender } from './read-sender.js'
import type { ScopeHost } from './scope.js'
import { SenderTracker } from './sender-tracker.js'

const ALWAYS_ENDED: Outcome = { status: undefined, aborted: false, route: undefined, durationMs: 0 }

const NOTHING_CHOSEN: WalkerOS.Consent = {}

/** The tracker of what lives long: it holds nothing but its sender, and each event goes as things are when it is tracked. */
export class EndlessTracker extends SenderTracker {
  readonly kind = 'sender'

  constructor(host: ScopeHost, sender: GivenSender) {
    super(host, sender)
    this.end(ALWAYS_ENDED)
  }

  override get isEndless(): boolean {
    return true
  }

  protected override readEventSender(reading: PersonReading): Maybe<EventSender> {
    const chosen = this.chosenConsent ?? NOTHING_CHOSEN
    // A sender's ids are known: nothing is waited for but its consent.
    return after(settlePerson(reading, 0), (person) =>
      after(this.readConsent(), (consent) => ({ person, consent, chosen, skipped: false })),
    )
  }
}
