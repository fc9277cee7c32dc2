import type { WalkerOS } from '@walkeros/core'
import { readChoices } from '../model/consent.js'
import type { SegmentContext } from '../model/segment-call.js'
import { isRecord, plain, setMember } from '../model/values.js'
import type { PersonReading } from '../request/person.js'
import type { KnownConsent, ReadConsent } from '../request/sender.js'
import { inTime, isPromise, type Maybe } from '../support/maybe.js'
import type { GivenSender } from './given-sender.js'
import type { ScopeHost } from './scope.js'
import { ScopeTracker } from './scope-tracker.js'

/** Milliseconds within which a sender's consent function has to answer. */
const CONSENT_TIMEOUT_MS = 2_000

const UNKNOWN: ReadConsent = { state: {}, readers: {} }

/** Under which name a sender's ids and choices are shown. */
const SENDER = 'sender'

/** The tracker of a sender, which says who it is instead of leaving it to be read from a request. */
export abstract class SenderTracker extends ScopeTracker {
  readonly request = undefined
  readonly #sender: GivenSender

  constructor(host: ScopeHost, sender: GivenSender) {
    super(host, undefined)
    this.#sender = sender
  }

  override get name(): string | undefined {
    return this.#sender.name
  }

  readConsent(): Maybe<ReadConsent> {
    const { consent } = this.#sender
    if (typeof consent !== 'function') return readFrom(consent)
    try {
      const given: unknown = consent()
      return isPromise(given) ? this.#readInTime(given) : this.#choicesOf(given)
    } catch (error) {
      return this.#unknown(error)
    }
  }

  knownConsent(): KnownConsent {
    const read = this.readConsent()
    if (!isPromise(read)) return { state: read.state, isWhole: true }
    // It is contained: it never rejects.
    return { state: {}, isWhole: false }
  }

  override grantsKnownAt(consent: WalkerOS.Consent): number {
    const { carried } = this.#sender
    const said = this.chosenConsent
    const isOfCarried = (key: string) => consent[key] === true && said?.[key] === undefined
    return carried?.grants.some(isOfCarried) ? carried.at : Date.now()
  }

  readSkipped(): boolean {
    return false
  }

  segmentContext(consent: WalkerOS.Consent): SegmentContext | undefined {
    const { context } = this.#sender
    if (!context) return undefined
    const copied = plain(context)
    const own: SegmentContext = isRecord(copied) ? copied : {}
    if (consent.marketing !== true) delete own.referrer
    return own
  }

  protected readTrace(): string | undefined {
    return this.#sender.trace
  }

  protected readOwnPerson(): PersonReading {
    const { userId, anonymousId, details } = this.#sender
    return {
      userId: userId === undefined ? undefined : { value: userId, reader: SENDER },
      anonymousId: anonymousId === undefined ? undefined : { value: anonymousId, reader: SENDER },
      details: details && { value: details, reader: SENDER },
    }
  }

  protected keepNetwork(): void {
    // A sender has no connection.
  }

  protected createAnonymousId(): void {
    // A sender has no cookies.
  }

  async #readInTime(given: PromiseLike<unknown>): Promise<ReadConsent> {
    try {
      return this.#choicesOf(await inTime(given, CONSENT_TIMEOUT_MS))
    } catch (error) {
      return this.#unknown(error)
    }
  }

  #choicesOf(given: unknown): ReadConsent {
    if (given === undefined || given === null) return UNKNOWN
    if (!isRecord(given)) return this.#unknown(new TypeError('the consent of a sender is no object'))
    const { choices, problem } = readChoices(given)
    if (problem !== undefined) this.#fault(new TypeError(problem))
    return readFrom(choices)
  }

  #unknown(error: unknown): ReadConsent {
    this.#fault(error)
    return UNKNOWN
  }

  #fault(error: unknown): void {
    this.host.reporter.fault('the consent function of a sender failed: what it did not say is unknown', error)
  }
}

function readFrom(state: Readonly<Record<string, boolean>>): ReadConsent {
  const readers: Record<string, string> = {}
  for (const key of Object.keys(state)) setMember(readers, key, SENDER)
  return { state, readers }
}
