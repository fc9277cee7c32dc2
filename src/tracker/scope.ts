import type { AsyncResource } from 'node:async_hooks'
import type { WalkerOS } from '@walkeros/core'
import type { Outcome } from '../model/outcome.js'
import type { SegmentContext } from '../model/segment-call.js'
import type { SentPage } from '../model/sent-facts.js'
import type { TrackedRequest } from '../model/tracked-request.js'
import type { Reporter } from '../observe/reporter.js'
import { overridePerson, type PersonOverride, type PersonReading } from '../request/person.js'
import type { KnownConsent, ReadConsent } from '../request/sender.js'
import { performance } from '../support/clock.js'
import type { Maybe } from '../support/maybe.js'
import { randomId } from '../support/random-id.js'
import { EventList, type OpenEvent } from './event-list.js'
import type { EventSender, ReadSender } from './read-sender.js'
import type { TrackedEvents } from './tracked-events.js'

/** What a scope needs of the room that made it. */
export interface ScopeHost {
  readonly events: TrackedEvents
  readonly reporter: Reporter
  /** Whether events keep where they were tracked: in development, where a plan may ask. */
  readonly keepsPlaces: boolean
  /** A scope has collected an event. */
  collected(scope: Scope, event: OpenEvent): void
  /** A scope has events to dispatch. */
  ready(scope: Scope): void
  /**
   * Sends the events of an open scope that may go already.
   *
   * @returns When they have their outcome, or the time is over. It never rejects.
   */
  flush(scope: Scope, timeoutMs: number | undefined): Promise<void>
  /**
   * The visitor's choice changed: at the end of the scope for everything that was said in it, after it each time.
   *
   * @param before - What had been said before.
   */
  chosen(scope: Scope, chosen: WalkerOS.Consent, before: WalkerOS.Consent | undefined): void
  /** Background work has begun that may still track. */
  working(work: Promise<unknown>): void
}

let scopes = 0

/** A request, a run or a sender, as the dispatcher sees it: its events, and who sent them. */
export abstract class Scope {
  /** Counts the scopes of this process, for observers. */
  readonly number = ++scopes
  readonly startedAt = Date.now()
  readonly startedMark = performance.now()
  /** How the scope ended; `undefined` while it is open. */
  outcome: Outcome | undefined
  /** The sender as read at the end; the dispatcher keeps it for events that are tracked after the end. */
  sent: Maybe<ReadSender> | undefined
  /** Whether the dispatcher is at work on the scope's events: they go one after the other. */
  busy = false
  protected readonly host: ScopeHost
  /** What the scope's code said of the person. */
  protected override: PersonOverride | undefined
  /** What the scope's code said of the visitor's choice. */
  protected chosen: WalkerOS.Consent | undefined
  /** The asynchronous context of the scope's code, as it was when it last tracked something. */
  protected context: AsyncResource | undefined
  #events: EventList | undefined
  #trace: string | undefined

  /** @param context - The asynchronous context in which the scope began; none where that knows nothing of it. */
  constructor(host: ScopeHost, context: AsyncResource | undefined) {
    this.host = host
    this.context = context
  }

  /** What the scope is, for observers. */
  abstract readonly kind: 'request' | 'run' | 'sender'

  /** The request, where the scope is one. */
  abstract readonly request: TrackedRequest | undefined

  /** The person as the scope's readers know them now. */
  protected abstract readOwnPerson(): PersonReading

  /** The consent that the scope's readers know now. */
  abstract readConsent(): Maybe<ReadConsent>

  /** The consent that the scope's readers know without waiting. */
  abstract knownConsent(): KnownConsent

  /** Whether no event of the scope is wanted. */
  abstract readSkipped(): Maybe<boolean>

  /**
   * Segment's `context` for one event: a new object.
   *
   * @param page - The page that a browser names, in place of the request's own.
   */
  abstract segmentContext(consent: WalkerOS.Consent, page?: SentPage): SegmentContext | undefined

  /** The trace that the scope came with, if it has one. */
  protected abstract readTrace(): string | undefined

  /** Keeps what is gone at the end of the scope, such as the address of a closed connection. */
  protected abstract keepNetwork(): void

  /** Gives a visitor who has no id one, where that is configured and still possible. */
  protected abstract createAnonymousId(): void

  /** Tells Segment that the visitor's choice has changed. */
  abstract consentUpdated(): void

  /** The name of a run or a sender, for observers. */
  get name(): string | undefined {
    return undefined
  }

  /** Whether the scope has no end: each of its events has a sender of its own. */
  get isEndless(): boolean {
    return false
  }

  /** Who sends an event that is tracked now, where no end of the scope will tell more. */
  protected readEventSender(_person: PersonReading): Maybe<EventSender> | undefined {
    return undefined
  }

  /**
   * When the grants of a consent state were known, in milliseconds since 1970.
   *
   * @param consent - The state, with what was said with `tracker.consent()`.
   */
  grantsKnownAt(_consent: WalkerOS.Consent): number {
    return Date.now()
  }

  /** Tells a request's own host what to wait for before it freezes the process. */
  get waitUntilOfHost(): ((work: Promise<unknown>) => void) | undefined {
    return undefined
  }

  /** Whether a room made this scope. */
  isOf(host: ScopeHost): boolean {
    return this.host === host
  }

  /** The pattern of a request's route, where the framework knows it. */
  readRoute(): string | undefined {
    return undefined
  }

  /** The person as known now: what the scope's code said, then its readers. */
  readPerson(): PersonReading {
    return overridePerson(this.readOwnPerson(), this.override)
  }

  /** Who tracks now; who has no id yet is given one. */
  whoTracks(): PersonReading {
    this.createAnonymousId()
    return this.readPerson()
  }

  /** What the scope's code said of the visitor's choice. */
  get chosenConsent(): WalkerOS.Consent | undefined {
    return this.chosen
  }

  /** The trace that the scope's events share, made when it is first needed: 32 hex digits. */
  get trace(): string {
    this.#trace ??= this.readTrace() ?? randomId()
    return this.#trace
  }

  /** When the scope ended, in milliseconds of `performance.now()`; now, while it is open. */
  get endedMark(): number {
    return this.outcome ? this.startedMark + this.outcome.durationMs : performance.now()
  }

  /**
   * Asks readers in the context of the scope's own code. They may look into an AsyncLocalStorage of the application, and an
   * event's listener or another request's turn would show them somebody else's.
   */
  inScope<T>(ask: (scope: this) => T): T {
    return this.context ? this.context.runInAsyncScope(ask, undefined, this) : ask(this)
  }

  /** The scope has ended: kept events go now, before those that came later. */
  end(outcome: Outcome): void {
    this.outcome = outcome
    this.retryKept()
  }

  /** Whether there is something to dispatch. */
  get hasEvents(): boolean {
    return this.readyCount > 0
  }

  /** How many events there are to dispatch. */
  get readyCount(): number {
    return this.#events?.readyCount ?? 0
  }

  /** How many events the scope holds. */
  get held(): number {
    return this.#events?.size ?? 0
  }

  /** How often events were discarded: a pass over the events compares it. */
  get discards(): number {
    return this.#events?.discards ?? 0
  }

  /** Hands out collected events and forgets them; they stay open until they are dispatched, dropped or kept. */
  takeEvents(most = Number.POSITIVE_INFINITY): readonly OpenEvent[] {
    const taken = this.#events?.take(most) ?? []
    this.host.events.taken(taken)
    return taken
  }

  /**
   * Takes back an event that cannot go before the end.
   *
   * @param discards - The scope's {@link discards} when the event was taken.
   */
  keepEvent(open: OpenEvent, discards: number): void {
    if (!this.#events || discards !== this.#events.discards) return this.#discardEvent(open)
    this.host.events.kept(open)
    // The scope may have ended in the meantime: the dispatcher then comes back.
    if (this.outcome) this.#events.add(open, 'last')
    else this.#events.keep(open)
  }

  /** @param position - Whether the event goes before or behind the others. */
  protected addEvent(open: OpenEvent, position: 'first' | 'last'): void {
    this.#events ??= new EventList()
    this.#events.add(open, position)
    this.host.collected(this, open)
  }

  /** Drops what was collected, and what comes back from an early pass. */
  protected discardEvents(): void {
    if (!this.#events) return
    this.#events.discards++
    this.#events.retry()
    for (const open of this.takeEvents()) this.#discardEvent(open)
  }

  /** The person or their choice is known better now: kept events get another look. */
  protected retryKept(): void {
    this.#events?.retry()
  }

  #discardEvent({ collected }: OpenEvent): void {
    this.host.events.refused(this.number, { name: collected.name }, 'discarded', collected.messageId)
  }
}
