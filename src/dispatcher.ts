import { setImmediate as nextTurn } from 'node:timers/promises'
import type { WalkerOS } from '@walkeros/core'
import type { SegmentCall } from './destination/calls.js'
import type { ObserveStep, Pipeline, Processed } from './destination/pipeline.js'
import { completeEvent, type DropReason, type PartialEvent } from './event.js'
import { after, eachInOrder, isPromise, type Maybe } from './maybe.js'
import type { Observation, Who } from './observation.js'
import { randomId } from './random-id.js'
import type { Outcome } from './request/end.js'
import { fillPerson, type ReadPerson, type SenderReader, settlePerson } from './request/sender.js'
import { parseTraceparent } from './request/trace.js'
import type { OpenEvent, RequestTracker, Sender } from './tracker.js'

/** How many finished requests are dispatched before other work of the process has its turn. */
const REQUESTS_A_TURN = 64

/** When the events of a request are dispatched. */
export type DispatchOption = 'always' | 'success' | ((outcome: Outcome) => boolean)

type DroppedArguments = [
  event: PartialEvent | WalkerOS.Event,
  messageId: string,
  reason: DropReason,
  required?: WalkerOS.Consent,
]

/** What a dispatcher hands on to, and tells. */
export interface DispatcherParts {
  readonly sender: SenderReader
  readonly pipeline: Pipeline
  readonly observation: Observation
  readonly dispatch: DispatchOption
  /** Takes a call to its delivery. */
  deliver(call: SegmentCall): void
  /** An event has become calls, or was found to be known already. */
  dispatched(deduplicated: number): void
  /** An event was dropped. */
  dropped(tracker: RequestTracker, ...dropped: DroppedArguments): void
  /** Something of the application's failed on an event's way. */
  failed(error: unknown, event: string): void
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
    const turn = this.#queue.splice(0, REQUESTS_A_TURN)
    for (const tracker of turn) this.#dispatch(tracker)
    this.#checkIdle()
  }

  #checkIdle(): void {
    if (this.isIdle) for (const resolve of this.#idle.splice(0)) resolve()
  }

  #dispatch(tracker: RequestTracker): void {
    // Its events are already on their way; that way ends with a look at what has come since.
    if (tracker.busy) return
    tracker.busy = true
    const done = this.#dispatchAll(tracker)
    if (!isPromise(done)) {
      tracker.busy = false
      return
    }
    this.#waiting++
    // Never rejects: each event's way is contained.
    done.then(() => {
      this.#waiting--
      tracker.busy = false
      this.#checkIdle()
    })
  }

  #dispatchAll(tracker: RequestTracker): Maybe<void> {
    const events = tracker.takeEvents()
    if (events.length === 0) return
    return after(this.#senderOf(tracker, events), (sender) => {
      const visited = eachInOrder(events, (event) => this.#dispatchOne(tracker, event, sender))
      return after(visited, () => this.#dispatchAll(tracker))
    })
  }

  /** What the request comes to; read once, at its end, and kept for what is tracked later. */
  #senderOf(tracker: RequestTracker, events: readonly OpenEvent[]): Maybe<Sender | undefined> {
    const failed = (error: unknown) => {
      this.#parts.failed(error, events[0]?.collected.name ?? '')
      return undefined
    }
    try {
      const sent = this.#sent(tracker)
      return isPromise(sent) ? sent.catch(failed) : sent
    } catch (error) {
      return failed(error)
    }
  }

  #sent(tracker: RequestTracker): Maybe<Sender> {
    tracker.sent ??= tracker.inScope(() => this.#readSender(tracker))
    return tracker.sent
  }

  #readSender(tracker: RequestTracker): Maybe<Sender> {
    const { sender } = this.#parts
    const { request } = tracker
    return after(settlePerson(tracker.readPerson()), (person) =>
      after(sender.consent(request), (consent) =>
        after(sender.skips(request), (skipped) => ({ person, consent, skipped })),
      ),
    )
  }

  #dispatchOne(tracker: RequestTracker, open: OpenEvent, sender: Sender | undefined): Maybe<void> {
    const failed = (error: unknown) => {
      this.#parts.failed(error, open.collected.name)
      this.#drop(tracker, open, 'error')
    }
    try {
      if (!sender) return this.#drop(tracker, open, 'error')
      if (!this.#wanted(tracker.outcome)) return this.#drop(tracker, open, 'outcome')
      if (sender.skipped) return this.#drop(tracker, open, 'skipped')
      const way = after(settlePerson(open.person), (person) => this.#send(tracker, open, sender, person))
      return isPromise(way) ? way.catch(failed) : way
    } catch (error) {
      return failed(error)
    }
  }

  #wanted(outcome: Outcome | undefined): boolean {
    const { dispatch } = this.#parts
    if (dispatch === 'always' || !outcome) return true
    if (dispatch === 'success')
      return !outcome.aborted && outcome.status !== undefined && outcome.status < 400
    return dispatch(outcome)
  }

  #send(tracker: RequestTracker, open: OpenEvent, sender: Sender, tracked: ReadPerson): Maybe<void> {
    const { pipeline, observation } = this.#parts
    const { collected } = open
    const { request, number } = tracker
    const person = fillPerson(tracked, sender.person)
    const consent = { ...sender.consent.state, ...tracker.chosenConsent }
    tracker.trace ??= parseTraceparent(request.headers.traceparent)?.trace ?? randomId()
    const event = completeEvent(collected, {
      person,
      consent,
      trace: tracker.trace,
      startedAt: tracker.startedAt,
    })
    const { tell } = observation
    tell?.({
      type: 'dispatching',
      request: number,
      event: collected.messageId,
      walkeros: event,
      sources: sourcesOf(person, sender, tracker),
    })
    const observe: ObserveStep | undefined =
      tell && ((step) => tell({ type: 'destination', request: number, event: collected.messageId, ...step }))
    const incoming = {
      event,
      direct: collected.direct,
      context: this.#parts.sender.context(request, event.consent),
      messageId: collected.messageId,
    }
    return after(pipeline.process(incoming, observe), (processed) =>
      this.#handOver(tracker, open, event, processed),
    )
  }

  #handOver(tracker: RequestTracker, open: OpenEvent, event: WalkerOS.Event, processed: Processed): void {
    const parts = this.#parts
    if (processed.dropped !== undefined) {
      parts.dropped(tracker, event, open.collected.messageId, processed.dropped, processed.required)
      return
    }
    parts.dispatched(processed.deduplicated)
    for (const call of processed.calls) {
      parts.observation.tell?.({
        type: 'called',
        request: tracker.number,
        event: open.collected.messageId,
        call,
      })
      parts.deliver(call)
    }
  }

  #drop(tracker: RequestTracker, { collected }: OpenEvent, reason: DropReason): void {
    this.#parts.dropped(tracker, { name: collected.name }, collected.messageId, reason)
  }
}

function sourcesOf(person: ReadPerson, sender: Sender, tracker: RequestTracker) {
  const consent: Record<string, string> = { ...sender.consent.readers }
  for (const key of Object.keys(tracker.chosenConsent ?? {})) consent[key] = 'tracker.consent()'
  return { userId: person.userIdReader, anonymousId: person.anonymousIdReader, consent }
}
