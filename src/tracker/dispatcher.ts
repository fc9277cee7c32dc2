import { nextTurn } from '../support/clock.js'
import { isPromise, type Maybe } from '../support/maybe.js'
import type { OpenEvent } from './event-list.js'
import type { EventWay } from './event-way.js'
import type { Pass } from './pass.js'
import { PassWaiters } from './pass-waiters.js'
import type { EventSender, ReadSender } from './read-sender.js'
import type { Scope } from './scope.js'
import type { ScopeSenders } from './scope-senders.js'

/** How many events are dispatched before other work of the process gets its turn: about a millisecond. */
const EVENTS_A_TURN = 256

/** Takes the events of finished scopes to the destination, outside of any response's own turn. */
export class Dispatcher {
  readonly #senders: ScopeSenders
  readonly #way: EventWay
  #queue: Scope[] = []
  #wake: () => void = () => {}
  /** Trackers whose events wait for asynchronous code of the application, and how many events these are. */
  readonly #busy = new Map<Scope, number>()
  readonly #passes = new PassWaiters()
  #idle: (() => void)[] = []

  constructor(senders: ScopeSenders, way: EventWay) {
    this.#senders = senders
    this.#way = way
    void this.#run()
  }

  /** A tracker has events: its scope has ended, or those that can are to go early. */
  ready(tracker: Scope): void {
    this.#queue.push(tracker)
    this.#wake()
  }

  /** The trackers whose events are to be dispatched or are on their way. */
  trackers(): Iterable<Scope> {
    return [...this.#queue, ...this.#busy.keys()]
  }

  /** Whether everything that is ready has been dispatched or dropped. */
  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#busy.size === 0
  }

  /** Resolves when every event that is ready now has been dispatched, dropped or kept for the end. Later ones may be ready. */
  async dispatched(): Promise<void> {
    const trackers = new Set(this.trackers())
    await Promise.all(
      [...trackers].map((tracker) =>
        this.#passes.wait(tracker, tracker.readyCount + (this.#busy.get(tracker) ?? 0)),
      ),
    )
  }

  /** Resolves when everything that is ready has been dispatched or dropped. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /**
   * Runs from the creation of the tracking on, in no request's asynchronous context. A timer that a request sets would
   * carry its context on to the deliveries and callbacks of all others.
   */
  async #run(): Promise<never> {
    for (;;) {
      if (this.#queue.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
      await nextTurn()
      this.#drain()
    }
  }

  #drain(): void {
    let room = EVENTS_A_TURN
    let done = 0
    for (let tracker = this.#queue[done]; tracker && room > 0; tracker = this.#queue[done]) {
      room -= this.#dispatch(tracker, room)
      // A tracker with events left goes on in the next turn. A busy one comes back by itself.
      if (tracker.busy || !tracker.hasEvents) done++
    }
    this.#queue.splice(0, done)
    this.#checkIdle()
  }

  #checkIdle(): void {
    if (this.isIdle) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /**
   * Dispatches a tracker's events. While its scope is open only those go that may go early.
   *
   * @param most - The most events to take.
   * @returns How many were taken.
   */
  #dispatch(tracker: Scope, most: number): number {
    // A busy tracker's events are on their way, and that way ends with a look at what has come since.
    if (tracker.busy) return 0
    if (!tracker.hasEvents) {
      this.#passes.ended(tracker)
      return 0
    }
    tracker.busy = true
    const pass: Pass = {
      tracker,
      events: tracker.takeEvents(most),
      isEarly: !tracker.outcome,
      discards: tracker.discards,
      globals: this.#senders.givenGlobals,
    }
    const sender = tracker.isEndless ? undefined : this.#senders.of(pass)
    const done = isPromise(sender) ? this.#dispatchInTime(pass, sender) : this.#dispatchAll(pass, sender)
    if (isPromise(done)) this.#wait(pass, done)
    else this.#passed(pass)
    return pass.events.length
  }

  // Kept separate: a function that contains a closure or awaits allocates for it on every call.

  async #dispatchInTime(pass: Pass, sender: Promise<ReadSender | undefined>): Promise<void> {
    await this.#dispatchAll(pass, await sender)
  }

  /**
   * Dispatches one event after the other: the next when the one before is done.
   *
   * @param sender - Who sent those events that have no sender of their own.
   */
  #dispatchAll(pass: Pass, sender: ReadSender | undefined, from = 0): Maybe<void> {
    if (sender) pass.globals = sender.globals
    const { events } = pass
    for (let index = from; index < events.length; index++) {
      const open = events[index]
      if (!open) continue
      const own = open.sender ?? sender
      const done = isPromise(own)
        ? this.#dispatchWhenKnown(pass, open, own)
        : this.#way.dispatch(pass, open, own)
      if (isPromise(done)) return this.#dispatchRest(pass, sender, index + 1, done)
    }
  }

  async #dispatchRest(
    pass: Pass,
    sender: ReadSender | undefined,
    from: number,
    done: Promise<void>,
  ): Promise<void> {
    await done
    await this.#dispatchAll(pass, sender, from)
  }

  /** @param sender - Never rejects: what a sender is asked for is contained. */
  async #dispatchWhenKnown(pass: Pass, open: OpenEvent, sender: Promise<EventSender>): Promise<void> {
    await this.#way.dispatch(pass, open, await sender)
  }

  /** @param done - Never rejects: each event's way is contained. */
  #wait(pass: Pass, done: Promise<void>): void {
    const { tracker, events } = pass
    this.#busy.set(tracker, events.length)
    done.then(() => {
      this.#busy.delete(tracker)
      this.#passed(pass)
      if (tracker.hasEvents) this.ready(tracker)
      this.#checkIdle()
    })
  }

  #passed({ tracker, events }: Pass): void {
    tracker.busy = false
    if (tracker.hasEvents) this.#passes.passed(tracker, events.length)
    else this.#passes.ended(tracker)
  }
}
