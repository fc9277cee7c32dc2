import type { WalkerOS } from '@walkeros/core'
import type { Reporter } from '../observe/reporter.js'
import { performance } from '../support/clock.js'
import { isPromise } from '../support/maybe.js'
import type { ConsentUpdates } from './consent-updates.js'
import type { Dispatcher } from './dispatcher.js'
import { EarlyDispatch } from './early-dispatch.js'
import type { OpenEvent } from './event-list.js'
import { OpenScopes } from './open-scopes.js'
import { PlatformWait, type WaitUntil } from './platform-wait.js'
import type { Scope, ScopeHost } from './scope.js'
import type { ScopeSenders } from './scope-senders.js'
import type { TrackedEvents } from './tracked-events.js'

/** What scopes are tracked with. */
export interface ScopesParts {
  readonly events: TrackedEvents
  readonly reporter: Reporter
  readonly dispatcher: Dispatcher
  readonly senders: ScopeSenders
  readonly consentUpdates: ConsentUpdates
  /** Whether there is a tracking plan, to which events are held. */
  readonly hasPlan: boolean
  /** Whether the events of responses that stay open go early. */
  readonly early: boolean
  /** Tells the platform what to wait for before it freezes the process. */
  readonly waitUntil: WaitUntil | undefined
  /** Waits until everything that is under way has its outcome, or the time is over. */
  flush(timeoutMs: number | undefined): Promise<void>
}

/** How a scope has ended. */
export interface ScopeEnd {
  /** The status of a request's response, where it was sent. */
  readonly status: number | undefined
  readonly aborted: boolean
}

const ABORTED: ScopeEnd = { status: undefined, aborted: true }

/** Holds what a request and a run have in common: events are collected, and dispatched when the scope ends. */
export class Scopes implements ScopeHost {
  readonly events: TrackedEvents
  readonly reporter: Reporter
  readonly keepsPlaces: boolean
  /** The scopes and the background work that a shutdown waits for. */
  readonly open = new OpenScopes()
  readonly #parts: ScopesParts
  readonly #early: EarlyDispatch | undefined
  readonly #platform: PlatformWait

  constructor(parts: ScopesParts) {
    this.#parts = parts
    this.events = parts.events
    this.reporter = parts.reporter
    this.keepsPlaces = parts.hasPlan && parts.reporter.isDevelopment
    this.#platform = new PlatformWait(parts.waitUntil, parts.flush, parts.reporter)
    this.#early = parts.early ? new EarlyDispatch(this.open, parts.dispatcher) : undefined
  }

  collected(tracker: Scope, event: OpenEvent): void {
    if (!tracker.outcome) {
      this.open.collected(tracker)
      this.#early?.begin()
    }
    this.#platform.collected(tracker)
    this.events.collected(tracker.number, event.collected)
    if (tracker.isEndless) this.#tellSender(tracker, event)
  }

  ready(tracker: Scope): void {
    this.#parts.dispatcher.ready(tracker)
  }

  flush(tracker: Scope, timeoutMs: number | undefined): Promise<void> {
    this.#parts.dispatcher.ready(tracker)
    return this.#parts.flush(timeoutMs)
  }

  chosen(tracker: Scope, chosen: WalkerOS.Consent, before: WalkerOS.Consent | undefined): void {
    const update = this.#parts.consentUpdates.chosen(tracker, chosen, before)
    if (isPromise(update)) {
      this.open.working(update, (error) =>
        this.reporter.fault('a change of consent could not be sent', error),
      )
    }
  }

  working(work: PromiseLike<unknown>): void {
    this.open.working(work, (error) =>
      this.reporter.fault('work that was given to waitUntil() failed', error),
    )
  }

  /** A scope has ended: its events go, unless an earlier call has sent them. */
  settle(tracker: Scope, { status, aborted }: ScopeEnd): void {
    if (tracker.outcome) return
    const { dispatcher, senders } = this.#parts
    const durationMs = performance.now() - tracker.startedMark
    const outcome = { status, aborted, route: tracker.readRoute(), durationMs }
    tracker.end(outcome)
    this.reporter.observation.tell?.({
      type: 'ended',
      scope: tracker.kind,
      request: tracker.number,
      outcome,
      tracked: tracker.request,
      name: tracker.name,
      who: () => senders.who(tracker),
    })
    if (tracker.chosenConsent) this.chosen(tracker, tracker.chosenConsent, undefined)
    if (tracker.hasEvents) dispatcher.ready(tracker)
    this.#platform.ended(tracker)
  }

  /** Its end never comes: who watches is told with each event. */
  #tellSender(tracker: Scope, event: OpenEvent): void {
    const { outcome, kind, number, name } = tracker
    if (!outcome) return
    this.reporter.observation.tell?.({
      type: 'ended',
      scope: kind,
      request: number,
      outcome,
      tracked: undefined,
      name,
      who: () => this.#parts.senders.who(tracker, event),
    })
  }

  /** Settles every open scope that has collected something, as if it were aborted now. */
  abortCollecting(): void {
    for (const tracker of this.open.collecting()) this.settle(tracker, ABORTED)
  }

  /**
   * Counts the events that are open where they really are: in the lists of trackers, and on the way between lists. The
   * ledger computes the same number from its sums.
   */
  countOpen(): number {
    const trackers = new Set([...this.open.collecting(), ...this.#parts.dispatcher.trackers()])
    let count = this.events.inHand
    for (const tracker of trackers) count += tracker.held
    return count
  }
}
