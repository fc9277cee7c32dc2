import { setImmediate as nextTurn } from 'node:timers/promises'
import type { WalkerOS } from '@walkeros/core'
import type { Pipeline, Processed } from '../destination/pipeline.js'
import type { DropReason } from '../model/drop.js'
import { completeEvent } from '../model/event.js'
import type { Outcome } from '../model/outcome.js'
import type { SegmentCall } from '../model/segment-call.js'
import type { Reporter } from '../observe/reporter.js'
import type { Observer, ObserveStep, Who } from '../observe/step.js'
import { toSegmentContext } from '../request/segment-context.js'
import {
  fillPerson,
  type ReadConsent,
  type ReadPerson,
  type SenderReader,
  settlePerson,
} from '../request/sender.js'
import { parseTraceparent } from '../request/trace.js'
import { after, isPromise, type Maybe } from '../support/maybe.js'
import { randomId } from '../support/random-id.js'
import type { OpenEvent, RequestTracker, Sender } from './request-tracker.js'
import type { TrackedEvents } from './tracked-events.js'

/** How many events are dispatched before other work of the process has its turn: about a millisecond of them. */
const EVENTS_A_TURN = 256

/** When the events of a request are dispatched. */
export type DispatchOption = 'always' | 'success' | ((outcome: Outcome) => boolean)

/** What a dispatcher works with. */
export interface DispatcherParts {
  readonly sender: SenderReader
  readonly pipeline: Pipeline
  readonly events: TrackedEvents
  readonly reporter: Reporter
  readonly dispatch: DispatchOption
  /** Takes a call to its delivery. */
  deliver(call: SegmentCall): void
}

/** Takes the events of finished requests to the destination, outside of any response's own turn. */
export class Dispatcher {
  readonly #parts: DispatcherParts
  #queue: RequestTracker[] = []
  #wake: () => void = () => {}
  /** Trackers whose events wait for something asynchronous of the application's. */
  #waiting = 0
  #idle: (() => void)[] = []

  constructor(parts: DispatcherParts) {
    this.#parts = parts
    void this.#run()
  }

  /** A tracker has events, and its request has ended. */
  ready(tracker: RequestTracker): void {
    this.#queue.push(tracker)
    this.#wake()
  }

  /** Who sent a request that has ended: for who watches. */
  who(tracker: RequestTracker): Maybe<Who> {
    return after(this.#sent(tracker), (sender) => ({
      userId: sender.person.userId,
      anonymousId: sender.person.anonymousId,
      consent: { ...sender.consent.state, ...tracker.chosenConsent },
      sources: sourcesOf(sender.person, sender, tracker),
    }))
  }

  /** Whether everything that is ready has been dispatched or dropped. */
  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#waiting === 0
  }

  /** Resolves when everything that is ready has been dispatched or dropped. */
  idle(): Promise<void> {
    if (this.isIdle) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /**
   * Begins with the tracking, so that it runs in no request's asynchronous context: a timer that a request sets carries
   * that request's on to the deliveries and callbacks of all others.
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
      // What is left of it goes on with the next turn, unless its events wait for something: then it comes back by itself.
      if (tracker.busy || !tracker.hasEvents) done++
    }
    this.#queue.splice(0, done)
    this.#checkIdle()
  }

  #checkIdle(): void {
    if (this.isIdle) for (const resolve of this.#idle.splice(0)) resolve()
  }

  /**
   * Dispatches a tracker's events.
   *
   * @param most - So many of them.
   * @returns How many.
   */
  #dispatch(tracker: RequestTracker, most: number): number {
    // Its events are already on their way; that way ends with a look at what has come since.
    if (tracker.busy || !tracker.hasEvents) return 0
    tracker.busy = true
    const events = tracker.takeEvents(most)
    const sender = this.#senderOf(tracker, events)
    const done = isPromise(sender)
      ? this.#dispatchInTime(tracker, events, sender)
      : this.#dispatchAll(tracker, events, sender)
    if (isPromise(done)) this.#wait(tracker, done)
    else tracker.busy = false
    return events.length
  }

  // What is asynchronous is apart throughout, because what a function's closures need is made whenever it is called.

  async #dispatchInTime(
    tracker: RequestTracker,
    events: readonly OpenEvent[],
    sender: Promise<Sender | undefined>,
  ): Promise<void> {
    await this.#dispatchAll(tracker, events, await sender)
  }

  /** One after the other, from one of them on: the next when the one before is done. */
  #dispatchAll(
    tracker: RequestTracker,
    events: readonly OpenEvent[],
    sender: Sender | undefined,
    from = 0,
  ): Maybe<void> {
    for (let index = from; index < events.length; index++) {
      const open = events[index]
      if (!open) continue
      const done = this.#dispatchOne(tracker, open, sender)
      if (isPromise(done)) return this.#dispatchRest(tracker, events, sender, index + 1, done)
    }
  }

  async #dispatchRest(
    tracker: RequestTracker,
    events: readonly OpenEvent[],
    sender: Sender | undefined,
    from: number,
    done: Promise<void>,
  ): Promise<void> {
    await done
    await this.#dispatchAll(tracker, events, sender, from)
  }

  /** @param done - Never rejects: each event's way is contained. */
  #wait(tracker: RequestTracker, done: Promise<void>): void {
    this.#waiting++
    done.then(() => {
      this.#waiting--
      tracker.busy = false
      if (tracker.hasEvents) this.ready(tracker)
      this.#checkIdle()
    })
  }

  /** What the request comes to; read once, at its end, and kept for what is tracked later. */
  #senderOf(tracker: RequestTracker, events: readonly OpenEvent[]): Maybe<Sender | undefined> {
    try {
      const sent = this.#sent(tracker)
      return isPromise(sent) ? this.#senderInTime(sent, events) : sent
    } catch (error) {
      return this.#unreadable(error, events)
    }
  }

  async #senderInTime(sent: Promise<Sender>, events: readonly OpenEvent[]): Promise<Sender | undefined> {
    try {
      return await sent
    } catch (error) {
      return this.#unreadable(error, events)
    }
  }

  #unreadable(error: unknown, [first]: readonly OpenEvent[]): undefined {
    this.#fault(error, first?.collected.name ?? '')
  }

  #sent(tracker: RequestTracker): Maybe<Sender> {
    tracker.sent ??= tracker.inScope(this.#readSender)
    return tracker.sent
  }

  readonly #readSender = (tracker: RequestTracker): Maybe<Sender> => {
    const { sender } = this.#parts
    const { request } = tracker
    // All are asked before any is waited for.
    const person = settlePerson(tracker.readPerson(), tracker.endedMark)
    const consent = sender.consent(request)
    const skipped = sender.skips(request)
    return isPromise(person) || isPromise(consent) || isPromise(skipped)
      ? readInTime(person, consent, skipped)
      : { person, consent, skipped }
  }

  #dispatchOne(tracker: RequestTracker, open: OpenEvent, sender: Sender | undefined): Maybe<void> {
    try {
      if (!sender) return this.#drop(tracker, open, 'error')
      if (!this.#wanted(tracker.outcome)) return this.#drop(tracker, open, 'outcome')
      if (sender.skipped) return this.#drop(tracker, open, 'skipped')
      const person = settlePerson(open.person, tracker.endedMark)
      return isPromise(person)
        ? this.#sendWhenKnown(tracker, open, sender, person)
        : this.#send(tracker, open, sender, person)
    } catch (error) {
      return this.#failed(tracker, open, error)
    }
  }

  async #sendWhenKnown(
    tracker: RequestTracker,
    open: OpenEvent,
    sender: Sender,
    person: Promise<ReadPerson>,
  ): Promise<void> {
    try {
      await this.#send(tracker, open, sender, await person)
    } catch (error) {
      this.#failed(tracker, open, error)
    }
  }

  #failed(tracker: RequestTracker, open: OpenEvent, error: unknown): void {
    this.#fault(error, open.collected.name)
    this.#drop(tracker, open, 'error')
  }

  #wanted(outcome: Outcome | undefined): boolean {
    const { dispatch } = this.#parts
    if (dispatch === 'always' || !outcome) return true
    if (dispatch === 'success')
      return !outcome.aborted && outcome.status !== undefined && outcome.status < 400
    const wanted: unknown = dispatch(outcome)
    if (!isPromise(wanted)) return Boolean(wanted)
    wanted.then(undefined, () => {})
    throw new TypeError('the `dispatch` function answered with a promise: expected true or false at once')
  }

  #send(tracker: RequestTracker, open: OpenEvent, sender: Sender, tracked: ReadPerson): Maybe<void> {
    const { pipeline, reporter, sender: reader } = this.#parts
    const { collected } = open
    const { request, number } = tracker
    const person = fillPerson(tracked, sender.person)
    const consent = { ...sender.consent.state, ...tracker.chosenConsent }
    tracker.context ??= reader.context(request)
    tracker.trace ??= parseTraceparent(request.headers.traceparent)?.trace ?? randomId()
    const event = completeEvent(collected, {
      person,
      consent,
      trace: tracker.trace,
      startedAt: tracker.startedAt,
    })
    const { tell } = reporter.observation
    tell?.({
      type: 'dispatching',
      request: number,
      event: collected.messageId,
      walkeros: event,
      sources: sourcesOf(person, sender, tracker),
    })
    const incoming = {
      event,
      direct: collected.direct,
      context: tracker.context && toSegmentContext(tracker.context, event.consent),
      messageId: collected.messageId,
    }
    const processed = pipeline.process(incoming, tell && stepsOf(tell, number, collected.messageId))
    return isPromise(processed)
      ? this.#handOverInTime(tracker, open, event, processed)
      : this.#handOver(tracker, open, event, processed)
  }

  async #handOverInTime(
    tracker: RequestTracker,
    open: OpenEvent,
    event: WalkerOS.Event,
    processed: Promise<Processed>,
  ): Promise<void> {
    try {
      this.#handOver(tracker, open, event, await processed)
    } catch (error) {
      this.#failed(tracker, open, error)
    }
  }

  #handOver(tracker: RequestTracker, open: OpenEvent, event: WalkerOS.Event, processed: Processed): void {
    const parts = this.#parts
    if (processed.dropped !== undefined) {
      parts.events.dropped(
        tracker.number,
        event,
        open.collected.messageId,
        processed.dropped,
        processed.required,
      )
      return
    }
    parts.events.dispatched(processed.deduplicated)
    for (const call of processed.calls) {
      parts.reporter.observation.tell?.({
        type: 'called',
        request: tracker.number,
        event: open.collected.messageId,
        call,
      })
      parts.deliver(call)
    }
  }

  #drop(tracker: RequestTracker, { collected }: OpenEvent, reason: DropReason): void {
    this.#parts.events.dropped(tracker.number, { name: collected.name }, collected.messageId, reason)
  }

  #fault(error: unknown, event: string): void {
    this.#parts.reporter.fault(`the event ${JSON.stringify(event)} could not be dispatched`, error)
  }
}

async function readInTime(
  person: Maybe<ReadPerson>,
  consent: Maybe<ReadConsent>,
  skipped: Maybe<boolean>,
): Promise<Sender> {
  const read = await Promise.all([person, consent, skipped])
  return { person: read[0], consent: read[1], skipped: read[2] }
}

function stepsOf(tell: Observer, request: number, event: string): ObserveStep {
  return (step) => tell({ type: 'destination', request, event, ...step })
}

function sourcesOf(person: ReadPerson, sender: Sender, tracker: RequestTracker) {
  const consent: Record<string, string> = { ...sender.consent.readers }
  for (const key of Object.keys(tracker.chosenConsent ?? {})) consent[key] = 'tracker.consent()'
  return { userId: person.userIdReader, anonymousId: person.anonymousIdReader, consent }
}
