import type { WalkerOS } from '@walkeros/core'
import { onlyChoices } from '../model/consent.js'
import { type Id, toId } from '../model/identity.js'
import { MAX_CALL_BYTES } from '../model/json-size.js'
import type { SentPage } from '../model/sent-facts.js'
import type { Reader, TrackedRequest } from '../model/tracked-request.js'
import { isRecord, setMember, TooLargeError, toPlain } from '../model/values.js'
import type { ReaderPlace } from '../observe/self-check/index.js'
import { after, isPromise, type Maybe } from '../support/maybe.js'
import { type Answer, allAnswers, firstAnswer, knownAnswers, type ReaderFault } from './chain.js'
import { globalPrivacyControl, isOptOut, optOutsIn } from './consent/index.js'
import { type CookieCreation, createsAnonymousId, segmentCookie, signedInUser } from './identity/index.js'
import { locateSent, readPage, type SegmentPage, toSegmentPage } from './page.js'
import type { PersonReading } from './person.js'
import type { OutgoingResponse } from './response-head.js'
import {
  allowedIn,
  locatedAt,
  type RequestContext,
  type RequestContextOptions,
  readRequestContext,
} from './segment-context.js'

/** The options for reading requests: `config.request`. */
export interface RequestOptions {
  /**
   * Reads the userId; of several readers the first that answers wins. Defaults to {@link signedInUser}.
   * Use only sources that a visitor cannot set: a session, a verified token.
   */
  userId?: Reader<Id> | Reader<Id>[]
  /** Reads the anonymousId; of several readers the first that answers wins. Defaults to {@link segmentCookie}. */
  anonymousId?: Reader<Id> | Reader<Id>[]
  /**
   * Reads the consent; the answers of several readers are merged in order, a later grant over an earlier refusal (see
   * `strictest()`). Defaults to {@link globalPrivacyControl}.
   */
  consent?: Reader<WalkerOS.Consent> | Reader<WalkerOS.Consent>[]
  /** Reads more about the person, in walkerOS's terms (`email`, `country`, …). Nothing by default. */
  user?: Reader<WalkerOS.User>
  /** The parts of Segment's `context` that calls carry. All of them by default; `false` for none. */
  context?: false | RequestContextOptions
  /**
   * Tracks a Segment `page` for every GET request that loads a page and is answered with HTML and a status below 400; not for
   * redirects, bots, prefetches and what scripts load, such as fragments of htmx and Turbo. Defaults to `false`.
   */
  pageViews?: boolean
  /**
   * Sends Segment's `Segment Consent Preference Updated` when `tracker.consent()` changes a choice that `settings.consent`
   * maps. Defaults to `false`.
   */
  consentUpdates?: boolean
  /** Drops all events of a request if one of these readers answers `true`. None by default. */
  skip?: Reader<boolean> | Reader<boolean>[]
}

const NO_QUERY = { query: [] }

/** A consent state, and the name of the reader that decided each of its keys. */
export interface ReadConsent {
  readonly state: WalkerOS.Consent
  readonly readers: Readonly<Record<string, string>>
}

/** The part of a consent state that is known without waiting. */
export interface KnownConsent {
  readonly state: WalkerOS.Consent
  /** Whether nothing had to be waited for. */
  readonly isWhole: boolean
}

/** Reads the sender of requests: identity, consent and context. */
export class SenderReader {
  readonly #userId: readonly Reader<Id>[]
  readonly #anonymousId: readonly Reader<Id>[]
  readonly #details: readonly Reader<WalkerOS.User>[]
  readonly #consent: readonly Reader<WalkerOS.Consent>[]
  readonly #skip: readonly Reader<boolean>[]
  readonly #context: false | RequestContextOptions
  readonly #creations: readonly CookieCreation[]
  readonly #fault: ReaderFault
  readonly #odd: OddAnswer | undefined

  /**
   * @param fault - Receives the error of a reader that fails or gives too much; it then counts as having no answer.
   * @param warn - Receives what is wrong with the options although they work, once each.
   * @param odd - Receives answers that cannot be used.
   */
  constructor(
    options: RequestOptions,
    fault: ReaderFault,
    warn?: (message: string) => void,
    odd?: OddAnswer,
  ) {
    this.#odd = odd
    this.#userId = listOf(options.userId ?? signedInUser())
    this.#anonymousId = listOf(options.anonymousId ?? segmentCookie())
    this.#creations = this.#anonymousId.flatMap((reader) => creationOf(reader) ?? [])
    this.#details = options.user ? [options.user] : []
    const consent = listOf(options.consent ?? globalPrivacyControl())
    // An opt-out only refuses, and wins over every consent manager, wherever it stands.
    this.#consent = [...consent.filter((reader) => !isOptOut(reader)), ...consent.flatMap(optOutsIn)]
    this.#skip = listOf(options.skip ?? [])
    this.#context = options.context ?? {}
    this.#fault = fault
    const warnings = new Set(this.#creations.flatMap(({ warning }) => warning ?? []))
    for (const warning of warnings) warn?.(warning)
  }

  /**
   * Whether the IP address has to be read while the connection is open. A closed one no longer knows it, and whether its
   * proxy's headers are trusted depends on it, too.
   */
  get readsIp(): boolean {
    return this.#context !== false
  }

  /** Whether visitors without an anonymousId get one. */
  get createsIds(): boolean {
    return this.#creations.length > 0
  }

  /**
   * Gives a visitor without an anonymousId a new one, if the consent that is known without waiting allows it. Withdraws it
   * if the handler has said since that the visitor refuses.
   *
   * @param chosen - The visitor's choice as the handler said it.
   */
  createAnonymousId(
    request: TrackedRequest,
    response: OutgoingResponse,
    chosen: WalkerOS.Consent | undefined,
  ): void {
    if (this.#creations.length === 0 || response.headersSent) return
    const known = () => {
      const read = this.consent(request)
      return { ...(isPromise(read) ? {} : read.state), ...chosen }
    }
    const afterChoice = chosen && known()
    if (afterChoice) for (const creation of this.#creations) creation.withdraw(request, response, afterChoice)
    if (firstAnswer(this.#anonymousId, request, this.#asAnonymousId, this.#fault) !== undefined) return
    const consent = afterChoice ?? known()
    for (const creation of this.#creations) {
      if (creation.create(request, response, consent) !== undefined) return
    }
  }

  /** Reads who sends the request, as of now. */
  person(request: TrackedRequest): PersonReading {
    return {
      userId: firstAnswer(this.#userId, request, this.#asUserId, this.#fault),
      anonymousId: firstAnswer(this.#anonymousId, request, this.#asAnonymousId, this.#fault),
      details:
        this.#details.length > 0
          ? firstAnswer(this.#details, request, this.#asDetails, this.#fault)
          : undefined,
    }
  }

  /** Reads the consent that the request carries; a key that no reader names is unknown and absent. */
  consent(request: TrackedRequest): Maybe<ReadConsent> {
    return after(allAnswers(this.#consent, request, this.#fault), this.#merged)
  }

  /**
   * The consent that is known without waiting. Where an asynchronous reader was not waited for, only refusals are: it might
   * have refused what another grants.
   */
  knownConsent(request: TrackedRequest): KnownConsent {
    const { answers, isWhole } = knownAnswers(this.#consent, request, this.#fault)
    const { state } = this.#merged(answers)
    return { state: isWhole ? state : refusalsOf(state), isWhole }
  }

  /** Whether a `skip` reader answers `true` for the request. */
  skips(request: TrackedRequest): Maybe<boolean> {
    if (this.#skip.length === 0) return false
    return after(allAnswers(this.#skip, request, this.#fault), this.#isSkipped)
  }

  /** The properties of a Segment `page` call for the request: as much as the context may carry. */
  pageProperties(request: TrackedRequest): object {
    const options = this.#pageOptions
    return (options && readPage(request, options)) ?? {}
  }

  /** The page that a browser names, as much of it as the context may carry. */
  sentPage(page: SentPage): SegmentPage | undefined {
    const options = this.#pageOptions
    const location = options && locateSent(page, options.query)
    return location && toSegmentPage(location, options.query)
  }

  // Functions of the reader, since a closure for each request would cost every request.

  readonly #asUserId = (value: unknown, reader: string): string | undefined => {
    const id = readerId(value)
    if (id === undefined) this.#odd?.('userId', reader, value)
    return id
  }

  readonly #asAnonymousId = (value: unknown, reader: string): string | undefined => {
    const id = readerId(value)
    if (id === undefined) this.#odd?.('anonymousId', reader, value)
    return id
  }

  readonly #asDetails = (value: unknown, reader: string): Readonly<Record<string, unknown>> | undefined => {
    const details = detailsOf(value)
    if (details === undefined) this.#odd?.('user', reader, value)
    return details
  }

  readonly #isSkipped = (answers: readonly Answer<unknown>[]): boolean => {
    if (answers.some(({ value }) => value === true)) return true
    for (const { value, reader } of answers) this.#odd?.('skip', reader, value)
    return false
  }

  readonly #merged = (answers: readonly Answer<WalkerOS.Consent>[]): ReadConsent => {
    const state: WalkerOS.Consent = {}
    const readers: Record<string, string> = {}
    for (const { value, reader } of answers) {
      const choices = onlyChoices(value)
      const keys = Object.keys(choices)
      if (keys.length === 0) this.#odd?.('consent', reader, value)
      for (const key of keys) {
        setMember(state, key, choices[key] === true)
        setMember(readers, key, reader)
      }
    }
    return { state, readers }
  }

  get #pageOptions(): { readonly query: readonly string[] } | undefined {
    const page = this.#context === false ? false : (this.#context.page ?? true)
    return page === false ? undefined : page === true ? NO_QUERY : page
  }

  /** The request's part of Segment's `context`; `undefined` if it is switched off. */
  context(request: TrackedRequest): RequestContext | undefined {
    return this.#context === false ? undefined : readRequestContext(request, this.#context)
  }

  /** The request's part of Segment's `context` at the page that a browser names; its own, where that is none. */
  contextAt(read: RequestContext, page: SentPage): RequestContext {
    if (this.#context === false) return read
    const location = locateSent(page, allowedIn(this.#context.page))
    return location ? locatedAt(read, location, this.#context) : read
  }
}

/** Receives what a reader answered that cannot be used; it may be nothing at all, in any form. */
type OddAnswer = (place: ReaderPlace, reader: string, answer: unknown) => void

/** No call can hold a longer id, and a part of an id is another one. */
function readerId(value: unknown): string | undefined {
  const id = toId(value)
  if (id !== undefined && id.length > MAX_CALL_BYTES) throw new TooLargeError('it gives an id of over 32 KB')
  return id
}

function detailsOf(user: unknown): Readonly<Record<string, unknown>> | undefined {
  const { value, tooLarge } = toPlain(user)
  if (tooLarge) throw new TooLargeError('it gives more than the 32 KB that Segment takes for a call')
  if (!isRecord(value)) return undefined
  // The ids have readers of their own, which an id in here would bypass.
  const { id: _, session: __, ...details } = value
  return details
}

function creationOf(
  reader: Reader<Id> & { [createsAnonymousId]?: CookieCreation },
): CookieCreation | undefined {
  return reader[createsAnonymousId]
}

function refusalsOf(state: WalkerOS.Consent): WalkerOS.Consent {
  return Object.fromEntries(Object.entries(state).filter(([, granted]) => !granted))
}

function listOf<T>(oneOrMore: T | T[]): T[] {
  return Array.isArray(oneOrMore) ? oneOrMore : [oneOrMore]
}
