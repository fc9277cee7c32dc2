import { AsyncResource } from 'node:async_hooks'
import type { ServerResponse } from 'node:http'
import type { WalkerOS } from '@walkeros/core'
import { readChoices } from '../model/consent.js'
import { type CollectedEvent, collectEvent, type GivenEvent, type PartialEvent } from '../model/event.js'
import { type Identity, toId, unfitId } from '../model/identity.js'
import type { Outcome } from '../model/outcome.js'
import type { DirectCall } from '../model/segment-call.js'
import type { TrackedRequest } from '../model/tracked-request.js'
import type { Track, Tracker } from '../model/tracker.js'
import { isRecord, plain } from '../model/values.js'
import type { Reporter } from '../observe/reporter.js'
import type { RequestContext } from '../request/segment-context.js'
import {
  knownIdentity,
  overridePerson,
  type PersonOverride,
  type PersonReading,
  type ReadConsent,
  type ReadPerson,
  type SenderReader,
} from '../request/sender.js'
import { makeDetachable, self } from '../support/detachable.js'
import type { Maybe } from '../support/maybe.js'
import { expectedId, kindOf } from './given-kinds.js'
import {
  type AskedCall,
  type Misuse,
  readAlias,
  readGroup,
  readIdentify,
  readView,
  trackedEvent,
} from './method-arguments.js'
import type { TrackedEvents } from './tracked-events.js'

/** An event in a tracker's hands: collected, with who did it as far as was known. */
export interface OpenEvent {
  readonly collected: CollectedEvent
  readonly person: PersonReading
}

/** What a request comes to at its end, read once. */
export interface Sender {
  readonly person: ReadPerson
  readonly consent: ReadConsent
  readonly skipped: boolean
}

/** What a tracker needs of the room that made it. */
export interface TrackerHost {
  readonly sender: SenderReader
  readonly events: TrackedEvents
  readonly reporter: Reporter
  /** A tracker has collected an event. */
  collected(tracker: RequestTracker, event: OpenEvent): void
  /** A tracker has events to dispatch. */
  ready(tracker: RequestTracker): void
  /**
   * The visitor's choice changed: at the request's end for everything that its handler said, after it each time.
   *
   * @param before - What the handler had said before.
   */
  chosen(tracker: RequestTracker, chosen: WalkerOS.Consent, before: WalkerOS.Consent | undefined): void
  /** Background work has begun that may still track. */
  working(work: Promise<unknown>): void
}

let requests = 0

/** The tracker of one request: collects its events until it ends, and hands on at once what is tracked after. */
export class RequestTracker implements Tracker {
  readonly [self] = this
  readonly request: TrackedRequest
  /** Counts the requests of this process, for who watches. */
  readonly number = ++requests
  readonly startedAt = Date.now()
  readonly startedMark = performance.now()
  /** How the request ended; `undefined` while it is open. */
  outcome: Outcome | undefined
  /** What the request came to, kept by the dispatcher for what is tracked after the end. */
  sent: Maybe<Sender> | undefined
  /** Whether the dispatcher is at work on this tracker's events: they go one after the other. */
  busy = false
  /** 32 hex digits that the request's events share; made by the dispatcher. */
  trace: string | undefined
  /** What the request tells for Segment's `context`; read by the dispatcher. */
  context: RequestContext | undefined
  /** Tells at the end, from the status, whether a page was shown; where that is tracked. */
  showedPage: ((status: number) => boolean) | undefined
  readonly #host: TrackerHost
  readonly #response: ServerResponse
  /** The asynchronous context of the handler, as it was when the request last tracked something. */
  #scope = new AsyncResource('reqtrack')
  #events: OpenEvent[] = []
  #override: PersonOverride | undefined
  #consent: WalkerOS.Consent | undefined
  #track: Track | undefined

  constructor(host: TrackerHost, request: TrackedRequest, response: ServerResponse) {
    this.#host = host
    this.request = request
    this.#response = response
  }

  get track(): Track {
    const tracker = this[self]
    // Bound, since a closure for every request makes a server measurably slower on Node 24.
    tracker.#track ??= tracker.#trackGiven.bind(tracker)
    return tracker.#track
  }

  identify(...given: readonly unknown[]): void {
    this.#ask(() => readIdentify(given), methods.identify)
  }

  group(...given: readonly unknown[]): void {
    this.#ask(() => readGroup(given), methods.group)
  }

  page(...given: readonly unknown[]): void {
    this.#ask(() => readView('page', given), methods.page)
  }

  screen(...given: readonly unknown[]): void {
    this.#ask(() => readView('screen', given), methods.screen)
  }

  alias(...given: readonly unknown[]): void {
    this.#ask(() => readAlias(given), methods.alias)
  }

  user(user: WalkerOS.User): void {
    const problem = problemOfUser(user)
    if (problem !== undefined)
      return this.#host.reporter.misused(`tracker.user() was given ${problem}`, methods.user)
    const copied = plain(user)
    if (isRecord(copied)) this.#override = { ...this.#override, ...copied }
  }

  consent(state: WalkerOS.Consent): void {
    if (!isRecord(state)) {
      this.#host.reporter.misused(
        `tracker.consent() was given ${kindOf(state)}: expected an object such as { marketing: true }`,
        methods.consent,
      )
      return
    }
    const before = this.#consent
    const { choices: chosen, problem } = readChoices(state)
    if (problem !== undefined) this.#host.reporter.misused(`tracker.consent(): ${problem}`, methods.consent)
    this.#consent = { ...before, ...chosen }
    if (this.outcome) this.#host.chosen(this, chosen, before)
    else this.#createAnonymousId()
  }

  waitUntil(work: Promise<unknown>): void {
    if (typeof work === 'object' && work !== null) this.#host.working(work)
    else
      this.#host.reporter.misused(
        `tracker.waitUntil() was given ${kindOf(work)}: expected a promise, such as what an async function returns`,
        methods.waitUntil,
      )
  }

  discard(): void {
    for (const { collected } of this.takeEvents())
      this.#host.events.refused(this.number, { name: collected.name }, 'discarded', collected.messageId)
  }

  get identity(): Identity {
    return knownIdentity(this[self].readPerson())
  }

  /** When the request ended, in milliseconds of `performance.now()`; now, while it is open. */
  get endedMark(): number {
    return this.outcome ? this.startedMark + this.outcome.durationMs : performance.now()
  }

  /** Who the request is from now. */
  readPerson(): PersonReading {
    return overridePerson(this.#host.sender.person(this.request), this.#override)
  }

  /** What the handler said of the visitor's choice. */
  get chosenConsent(): WalkerOS.Consent | undefined {
    return this.#consent
  }

  /** Takes what the view of a page needs while it is there: a closed connection has no address, a sent response no cookie. */
  pageShown(): void {
    if (this.#host.sender.readsIp) void this.request.ip
    this.inScope(() => this.#createAnonymousId())
  }

  /** Tracks the page that the request has shown, before what its handler tracked on it. */
  pageViewed(properties: object): void {
    const given = { name: 'page view', data: properties, timestamp: this.startedAt }
    this.#collect(given, { type: 'page' }, methods.page, 'first')
  }

  /** Tells Segment that the visitor's choice has changed. */
  consentUpdated(): void {
    this.#collect({ name: 'consent update' }, { type: 'consent' }, methods.consent)
  }

  /**
   * Runs what asks readers after the handler is gone. Readers may look into a context of the application's own, and an
   * event's listener or another request's turn would show them somebody else's.
   */
  inScope<T>(ask: (tracker: RequestTracker) => T): T {
    return this.#scope.runInAsyncScope(ask, undefined, this)
  }

  /** Hands out what was collected, at most so much of it; the tracker forgets it. */
  takeEvents(most = Number.POSITIVE_INFINITY): OpenEvent[] {
    if (this.#events.length > most) return this.#events.splice(0, most)
    const events = this.#events
    this.#events = []
    return events
  }

  /** Whether there is something to dispatch. */
  get hasEvents(): boolean {
    return this.#events.length > 0
  }

  #trackGiven(given: unknown, data?: object, event?: PartialEvent): void {
    let whole: GivenEvent
    try {
      whole = trackedEvent(given, data, event)
    } catch (error) {
      return this.#unreadable(error)
    }
    this.#collect(whole, undefined, this.#trackGiven)
  }

  /** Collects what a method other than `track` asks for. */
  #ask(read: () => AskedCall | Misuse, caller: Caller): void {
    let asked: AskedCall | Misuse
    try {
      asked = read()
    } catch (error) {
      return this.#unreadable(error)
    }
    if ('misuse' in asked) this.#misused(asked.misuse, caller)
    else this.#collect(asked.event, asked.direct, caller)
  }

  /** What was tracked throws when it is looked into. */
  #unreadable(error: unknown): void {
    this.#host.events.tracked()
    this.#host.events.unreadable(this.number, {}, error)
  }

  #misused(problem: string, caller: Caller): void {
    const { events, reporter } = this.#host
    events.tracked()
    reporter.misused(problem, caller)
    events.refused(this.number, {}, 'invalid')
  }

  #collect(
    given: GivenEvent,
    direct: DirectCall | undefined,
    caller: Caller,
    position: Position = 'last',
  ): void {
    const host = this.#host
    try {
      host.events.tracked()
      const { refusal } = host.events
      if (refusal) return host.events.refused(this.number, given, refusal)
      const collected = this.#prepare(given, direct, caller)
      if (!collected) return
      const hasEnded = this.outcome !== undefined
      if (!hasEnded) this.#scope = new AsyncResource('reqtrack')
      const open: OpenEvent = {
        collected,
        // After the end it may be a listener that tracks: under pipelining it runs in another request's context.
        person: hasEnded ? this.inScope((tracker) => tracker.#whoTracks()) : this.#whoTracks(),
      }
      if (position === 'first') this.#events.unshift(open)
      else this.#events.push(open)
      host.collected(this, open)
      if (hasEnded) host.ready(this)
    } catch (error) {
      host.events.unreadable(this.number, given, error)
    }
  }

  #prepare(given: GivenEvent, direct: DirectCall | undefined, caller: Caller): CollectedEvent | undefined {
    const host = this.#host
    const collected = collectEvent(given, direct, host.reporter)
    if ('refused' in collected) {
      if (collected.refused === 'invalid') host.reporter.misused(collected.problem, caller)
      else host.reporter.incomplete(collected.name ?? '', collected.problem)
      host.events.refused(this.number, given, collected.refused)
      return undefined
    }
    // The address is kept from here on: after the end the connection no longer knows it.
    if (host.sender.readsIp) void this.request.ip
    return collected
  }

  /** Who tracks now; who has no id yet is given one. */
  #whoTracks(): PersonReading {
    this.#createAnonymousId()
    return this.readPerson()
  }

  /** Sets the cookie of a visitor who has no id yet, while the headers are unsent. */
  #createAnonymousId(): void {
    const { sender } = this.#host
    if (!sender.createsIds || toId(this.#override?.session) !== undefined) return
    sender.createAnonymousId(this.request, this.#response, this.#consent)
  }
}

type Caller = (...args: never[]) => unknown
type Position = 'first' | 'last'

const methods = RequestTracker.prototype
makeDetachable(methods, [
  'identify',
  'group',
  'page',
  'screen',
  'alias',
  'user',
  'consent',
  'waitUntil',
  'discard',
])

/** A person without a usable id would be taken for the request's own. */
function problemOfUser(user: unknown): string | undefined {
  try {
    if (!isRecord(user)) return `${kindOf(user)}: expected an object such as { id: 'u-1' }`
    const key = unfitId(user)
    return key === undefined ? undefined : `user.${key} as ${expectedId(user[key])}, or no ${key} at all`
  } catch {
    return `an object that throws when it is read: expected an object such as { id: 'u-1' }`
  }
}
