import type { WalkerOS } from '@walkeros/core'
import { setMember } from '../model/values.js'
import type { Reporter } from '../observe/reporter.js'
import type { Who } from '../observe/step.js'
import type { GlobalsReader, ReadGlobals } from '../request/globals.js'
import { type ReadPerson, settlePerson } from '../request/person.js'
import type { ReadConsent } from '../request/sender.js'
import { after, isPromise, type Maybe } from '../support/maybe.js'
import type { OpenEvent } from './event-list.js'
import type { Pass } from './pass.js'
import type { EventSender, ReadSender } from './read-sender.js'
import type { Scope } from './scope.js'

/** Reads who sent the events of scopes: the person, their consent, whether they are wanted, the globals. */
export class ScopeSenders {
  readonly #globals: GlobalsReader
  readonly #reporter: Reporter

  constructor(globals: GlobalsReader, reporter: Reporter) {
    this.#globals = globals
    this.#reporter = reporter
  }

  /** The globals that hold without a request. */
  get givenGlobals(): ReadGlobals | undefined {
    return this.#globals.given
  }

  /**
   * The sender of a scope that has ended, for observers.
   *
   * @param open - An event of it, where each has a sender of its own.
   */
  who(tracker: Scope, open?: OpenEvent): Maybe<Who> {
    return after(open?.sender ?? this.#sent(tracker), (sender) => ({
      userId: sender.person.userId,
      anonymousId: sender.person.anonymousId,
      consent: consentOf(sender, tracker),
      sources: sourcesOf(sender.person, sender, tracker),
    }))
  }

  /** The sender of a pass over a scope's events; `undefined` where they cannot be read, which is told. */
  of(pass: Pass): Maybe<ReadSender | undefined> {
    try {
      const sent = this.#sent(pass.tracker)
      return isPromise(sent) ? this.#senderInTime(pass, sent) : sent
    } catch (error) {
      return this.#unreadable(pass, error)
    }
  }

  async #senderInTime(pass: Pass, sent: Promise<ReadSender>): Promise<ReadSender | undefined> {
    try {
      return await sent
    } catch (error) {
      return this.#unreadable(pass, error)
    }
  }

  #unreadable({ events }: Pass, error: unknown): undefined {
    undispatched(this.#reporter, events[0]?.collected.name ?? '', error)
  }

  /** Reads the sender of a scope: once at its end, for all that is tracked later, too; before the end each time. */
  #sent(tracker: Scope): Maybe<ReadSender> {
    if (!tracker.outcome || tracker.isEndless) return tracker.inScope(this.#readSender)
    tracker.sent ??= tracker.inScope(this.#readSender)
    return tracker.sent
  }

  readonly #readSender = (tracker: Scope): Maybe<ReadSender> => {
    // All are asked before any is waited for.
    const person = settlePerson(tracker.readPerson(), tracker.endedMark)
    const consent = tracker.readConsent()
    const skipped = tracker.readSkipped()
    const globals = this.#globals.read(tracker.request)
    return isPromise(person) || isPromise(consent) || isPromise(skipped) || isPromise(globals)
      ? readInTime(person, consent, skipped, globals)
      : { person, consent, chosen: undefined, skipped, globals }
  }
}

/** Tells that an event could not be dispatched. */
export function undispatched(reporter: Reporter, event: string, error: unknown): void {
  reporter.fault(`the event ${JSON.stringify(event)} could not be dispatched`, error)
}

async function readInTime(
  person: Maybe<ReadPerson>,
  consent: Maybe<ReadConsent>,
  skipped: Maybe<boolean>,
  globals: Maybe<ReadGlobals | undefined>,
): Promise<ReadSender> {
  const read = await Promise.all([person, consent, skipped, globals])
  return { person: read[0], consent: read[1], chosen: undefined, skipped: read[2], globals: read[3] }
}

/** @returns A new object. */
export function consentOf({ consent, chosen }: EventSender, tracker: Scope): WalkerOS.Consent {
  return { ...consent.state, ...(chosen ?? tracker.chosenConsent) }
}

/** The names of the readers that told who sends and what they chose. */
export function sourcesOf(person: ReadPerson, sender: EventSender, tracker: Scope) {
  const consent: Record<string, string> = { ...sender.consent.readers }
  for (const key of Object.keys(sender.chosen ?? tracker.chosenConsent ?? {}))
    setMember(consent, key, 'tracker.consent()')
  return { userId: person.userIdReader, anonymousId: person.anonymousIdReader, consent }
}
