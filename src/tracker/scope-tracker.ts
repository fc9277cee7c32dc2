import { AsyncResource } from 'node:async_hooks'
import type { WalkerOS } from '@walkeros/core'
import type { Carried, CarryOptions } from '../model/carried.js'
import { readChoices } from '../model/consent.js'
import type { DropReason } from '../model/drop.js'
import { type CollectedEvent, collectEvent, type GivenEvent, type PartialEvent } from '../model/event.js'
import { type Identity, identityOf, unfitId } from '../model/identity.js'
import type { Outcome } from '../model/outcome.js'
import type { DirectCall, SegmentContext } from '../model/segment-call.js'
import type { TimeoutOptions } from '../model/timeout-options.js'
import type { TrackedRequest } from '../model/tracked-request.js'
import type { Track, Tracker } from '../model/tracker.js'
import { isRecord, plain } from '../model/values.js'
import type { Reporter } from '../observe/reporter.js'
import {
  type KnownConsent,
  knownIdentity,
  overridePerson,
  type PersonOverride,
  type PersonReading,
  type ReadConsent,
  type ReadPerson,
  settlePerson,
} from '../request/sender.js'
import { makeDetachable, self } from '../support/detachable.js'
import type { Maybe } from '../support/maybe.js'
import { randomId } from '../support/random-id.js'
import { carriedOf } from './carrying.js'
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
  readonly events: TrackedEvents
  readonly reporter: Reporter
  /** A tracker has collected an event. */
  collected(tracker: ScopeTracker, event: OpenEvent): void
  /** A tracker has events to dispatch. */
  ready(tracker: ScopeTracker): void
  /**
   * Sends the events of an open scope that may go already.
   *
   * @returns When they have their outcome, or the time is over. It never rejects.
   */
  flush(tracker: ScopeTracker, timeoutMs: number | undefined): Promise<void>
  /**
   * The visitor's choice changed: at the end of the scope for everything that was said in it, after it each time.
   *
   * @param before - What had been said before.
   */
  chosen(tracker: ScopeTracker, chosen: WalkerOS.Consent, before: WalkerOS.Consent | undefined): void
  /** Background work has begun that may still track. */
  working(work: Promise<unknown>): void
}

let scopes = 0

/**
 * The tracker of one scope: a request, a run, a sender. It collects events until the scope ends, and hands on at once what
 * is tracked after the end.
 */
export abstract class ScopeTracker implements Tracker {
  readonly [self] = this
  /** Counts the scopes of this process, for observers. */
  readonly number = ++scopes
  readonly startedAt = Date.now()
  readonly startedMark = performance.now()
  /** How the scope ended; `undefined` while it is open. */
  outcome: Outcome | undefined
  /** The sender as read at the end; the dispatcher keeps it for events that are tracked after the end. */
  sent: Maybe<Sender> | undefined
  /** Whether the dispatcher is at work on this tracker's events: they go one after the other. */
  busy = false
  /** 32 hex digits that the scope's events share; made by the dispatcher. */
  trace: string | undefined
  protected readonly host: TrackerHost
  /** The asynchronous context of the scope's code, as it was when it last tracked something. */
  #scope = new AsyncResource('reqtrack')
  #events: OpenEvent[] = []
  /** Events that could not go early; they wait for the end. */
  #kept: OpenEvent[] = []
  /** How often events were discarded. */
  #discards = 0
  #override: PersonOverride | undefined
  #consent: WalkerOS.Consent | undefined
  #track: Track | undefined

  constructor(host: TrackerHost) {
    this.host = host
  }

  /** The request, where the scope is one. */
  abstract readonly request: TrackedRequest | undefined

  /** Who the scope's readers say it is from, now. */
  protected abstract readOwnPerson(): PersonReading

  /** The consent that the scope's readers know, now. */
  abstract readConsent(): Maybe<ReadConsent>

  /** The consent that the scope's readers know without waiting. */
  abstract knownConsent(): KnownConsent

  /** When the choices of the scope's readers were known, in milliseconds since 1970; `undefined` for now. */
  get consentKnownAt(): number | undefined {
    return undefined
  }

  /** Whether no event of the scope is wanted. */
  abstract readSkipped(): Maybe<boolean>

  /** Segment's `context` for one event: an object of its own. */
  abstract segmentContext(consent: WalkerOS.Consent): SegmentContext | undefined

  /** The name of a run, for observers. */
  get name(): string | undefined {
    return undefined
  }

  /** The pattern of a request's route, where the framework knows it. */
  readRoute(): string | undefined {
    return undefined
  }

  /** Whether the sender that was read at the end holds for what is tracked after it. */
  get keepsSender(): boolean {
    return true
  }

  /** The trace that the scope came with, if it has one. */
  abstract readTrace(): string | undefined

  /** Keeps what is gone at the end of the scope, such as the address of a closed connection. */
  protected abstract keepNetwork(): void

  /** Gives a visitor who has no id one, where that is configured and still possible. */
  protected abstract createAnonymousId(override: PersonOverride | undefined): void

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
      return this.host.reporter.misused(`tracker.user() was given ${problem}`, methods.user)
    const copied = plain(user)
    if (isRecord(copied)) this.#override = { ...this.#override, ...copied }
    this.#retry()
  }

  consent(state: WalkerOS.Consent): void {
    if (!isRecord(state)) {
      this.host.reporter.misused(
        `tracker.consent() was given ${kindOf(state)}: expected an object such as { marketing: true }`,
        methods.consent,
      )
      return
    }
    const before = this.#consent
    const { choices: chosen, problem } = readChoices(state)
    if (problem !== undefined) this.host.reporter.misused(`tracker.consent(): ${problem}`, methods.consent)
    this.#consent = { ...before, ...chosen }
    this.#retry()
    if (this.outcome) this.host.chosen(this, chosen, before)
    else this.createAnonymousId(this.#override)
  }

  waitUntil(work: Promise<unknown>): void {
    if (typeof work === 'object' && work !== null) this.host.working(work)
    else
      this.host.reporter.misused(
        `tracker.waitUntil() was given ${kindOf(work)}: expected a promise, such as what an async function returns`,
        methods.waitUntil,
      )
  }

  discard(): void {
    this.#discards++
    this.#retry()
    for (const open of this.takeEvents()) this.#drop(open, 'discarded')
  }

  carry(options?: CarryOptions & { wait?: false }): Carried
  carry(options: CarryOptions & { wait: true }): Promise<Carried>
  carry(options: CarryOptions & { wait?: boolean } = {}): Carried | Promise<Carried> {
    const isWaiting = options.wait === true
    return this.inScope((tracker) => (isWaiting ? tracker.#carryAll(options) : tracker.#carryKnown(options)))
  }

  flush(options?: TimeoutOptions): Promise<void> {
    this.#retry()
    return this.host.flush(this, options?.timeout)
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
    return overridePerson(this.readOwnPerson(), this.#override)
  }

  /** What the handler said of the visitor's choice. */
  get chosenConsent(): WalkerOS.Consent | undefined {
    return this.#consent
  }

  /** Tells Segment that the visitor's choice has changed. */
  consentUpdated(): void {
    this.collect({ name: 'consent update' }, { type: 'consent' }, methods.consent)
  }

  /**
   * Runs what asks readers after the handler is gone. Readers may look into a context of the application's own, and an
   * event's listener or another request's turn would show them somebody else's.
   */
  inScope<T>(ask: (tracker: ScopeTracker) => T): T {
    return this.#scope.runInAsyncScope(ask, undefined, this)
  }

  /** Hands out collected events and forgets them; they count as open until they are dispatched, dropped or kept. */
  takeEvents(most = Number.POSITIVE_INFINITY): OpenEvent[] {
    const events = this.#events
    const taken = events.length > most ? events.splice(0, most) : events
    if (taken === events) this.#events = []
    this.host.events.taken(taken)
    return taken
  }

  /** Whether there is something to dispatch. */
  get hasEvents(): boolean {
    return this.#events.length > 0
  }

  /** How many events the tracker holds. */
  get held(): number {
    return this.#events.length + this.#kept.length
  }

  /** Tells one pass over a tracker's events from the discards that came after it began. */
  get discards(): number {
    return this.#discards
  }

  /**
   * Takes back an event that cannot go before the end.
   *
   * @param discards - The tracker's {@link discards} when the event was taken.
   */
  keep(open: OpenEvent, discards: number): void {
    if (discards !== this.#discards) return this.#drop(open, 'discarded')
    this.host.events.kept(open)
    // The scope may have ended in the meantime: the dispatcher then comes back.
    if (this.outcome) this.#events.push(open)
    else this.#kept.push(open)
  }

  /** The scope has ended: what was kept goes now, before what came later. */
  end(outcome: Outcome): void {
    this.outcome = outcome
    this.#retry()
  }

  /** Kept events are worth another look. */
  #retry(): void {
    if (this.#kept.length === 0) return
    this.#events = [...this.#kept, ...this.#events]
    this.#kept = []
  }

  #carryKnown(options: CarryOptions): Carried {
    const reading = this.readPerson()
    const { state, isWhole } = this.knownConsent()
    const notAsked = [
      ...(typeof reading.userId === 'function' ? ['userId'] : []),
      ...(typeof reading.anonymousId === 'function' ? ['anonymousId'] : []),
      ...(isWhole ? [] : ['consent']),
    ]
    if (notAsked.length > 0) {
      this.host.reporter.mistake(
        `carry() did not wait for the asynchronous reader of ${notAsked.join(' and ')}: use await tracker.carry({ wait: true })`,
      )
    }
    return this.#carried(knownIdentity(reading), state, options)
  }

  async #carryAll(options: CarryOptions): Promise<Carried> {
    const { userId, anonymousId } = await settlePerson(this.readPerson(), performance.now())
    const { state } = await this.readConsent()
    return this.#carried(identityOf(userId, anonymousId), state, options)
  }

  #carried(identity: Identity, read: WalkerOS.Consent, { context = true }: CarryOptions): Carried {
    const consent = { ...read, ...this.#consent }
    return carriedOf({
      identity,
      consent,
      trace: this.makeTrace(),
      at: this.consentKnownAt ?? Date.now(),
      context: context ? this.segmentContext(consent) : undefined,
    })
  }

  /** The trace that the scope's events share, made when it is first needed. */
  makeTrace(): string {
    this.trace ??= this.readTrace() ?? randomId()
    return this.trace
  }

  #drop({ collected }: OpenEvent, reason: DropReason): void {
    this.host.events.refused(this.number, { name: collected.name }, reason, collected.messageId)
  }

  #trackGiven(given: unknown, data?: object, event?: PartialEvent): void {
    let whole: GivenEvent
    try {
      whole = trackedEvent(given, data, event)
    } catch (error) {
      return this.#unreadable(error)
    }
    this.collect(whole, undefined, this.#trackGiven)
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
    else this.collect(asked.event, asked.direct, caller)
  }

  /** What was tracked throws when it is looked into. */
  #unreadable(error: unknown): void {
    this.host.events.tracked()
    this.host.events.unreadable(this.number, {}, error)
  }

  #misused(problem: string, caller: Caller): void {
    const { events, reporter } = this.host
    events.tracked()
    reporter.misused(problem, caller)
    events.refused(this.number, {}, 'invalid')
  }

  /** @param position - Whether the event goes before or behind what was tracked already. */
  protected collect(
    given: GivenEvent,
    direct: DirectCall | undefined,
    caller: Caller,
    position: Position = 'last',
  ): void {
    const host = this.host
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
    const host = this.host
    const collected = collectEvent(given, direct, host.reporter)
    if ('refused' in collected) {
      if (collected.refused === 'invalid') host.reporter.misused(collected.problem, caller)
      else host.reporter.incomplete(collected.name ?? '', collected.problem)
      host.events.refused(this.number, given, collected.refused)
      return undefined
    }
    // The address is kept from here on: after the end the connection no longer knows it.
    this.keepNetwork()
    return collected
  }

  /** Who tracks now; who has no id yet is given one. */
  #whoTracks(): PersonReading {
    this.createAnonymousId(this.#override)
    return this.readPerson()
  }
}

type Caller = (...args: never[]) => unknown
type Position = 'first' | 'last'

const methods = ScopeTracker.prototype
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
  'carry',
  'flush',
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
