import type { WalkerOS } from '@walkeros/core'
import type { Pipeline } from '../destination/pipeline.js'
import type { Processed } from '../destination/processed.js'
import type { DropReason } from '../model/drop.js'
import { completeEvent } from '../model/event.js'
import type { Outcome } from '../model/outcome.js'
import type { Judgement } from '../model/plan.js'
import { setMember, TooLargeError } from '../model/values.js'
import type { Reporter } from '../observe/reporter.js'
import type { Who } from '../observe/step.js'
import type { GlobalsReader, ReadGlobals } from '../request/globals.js'
import { fillPerson, type ReadPerson, settlePerson } from '../request/person.js'
import type { ReadConsent } from '../request/sender.js'
import { nextTurn } from '../support/clock.js'
import { isInstance } from '../support/instance.js'
import { after, isPromise, type Maybe } from '../support/maybe.js'
import type { OpenEvent } from './event-list.js'
import type { HandOver } from './hand-over.js'
import { messageIdOf } from './message-id.js'
import { PassWaiters } from './pass-waiters.js'
import type { PlanGate } from './plan-gate.js'
import type { EventSender, ReadSender } from './read-sender.js'
import type { Scope } from './scope.js'
import { ToldSteps } from './told-steps.js'
import type { TrackedEvents } from './tracked-events.js'

/** How many events are dispatched before other work of the process gets its turn: about a millisecond. */
const EVENTS_A_TURN = 256

/** Which requests' and runs' events are dispatched. */
export type DispatchOption = 'always' | 'success' | ((outcome: Outcome) => boolean)

/** What a dispatcher works with. */
export interface DispatcherParts {
  readonly globals: GlobalsReader
  readonly pipeline: Pipeline
  readonly events: TrackedEvents
  readonly reporter: Reporter
  readonly dispatch: DispatchOption
  /** Holds events to the tracking plan, where there is one. */
  readonly plan: PlanGate | undefined
  /** Takes the calls of events. */
  readonly handOver: HandOver
  /** Of the source that events go to. */
  readonly writeKey: string
}

/** One look at a tracker's events. */
interface Pass {
  readonly tracker: Scope
  readonly events: readonly OpenEvent[]
  /** Whether the scope was open when the events were taken: those that cannot go yet are kept for the end. */
  readonly isEarly: boolean
  /** The tracker's discards at that moment. */
  readonly discards: number
  /** The globals of the scope: those that hold without a request, until its own have been read. */
  globals: ReadGlobals | undefined
}

/** Takes the events of finished scopes to the destination, outside of any response's own turn. */
export class Dispatcher {
  readonly #parts: DispatcherParts
  #queue: Scope[] = []
  #wake: () => void = () => {}
  /** Trackers whose events wait for asynchronous code of the application, and how many events these are. */
  readonly #busy = new Map<Scope, number>()
  readonly #passes = new PassWaiters()
  #idle: (() => void)[] = []

  constructor(parts: DispatcherParts) {
    this.#parts = parts
    void this.#run()
  }

  /** A tracker has events: its scope has ended, or those that can are to go early. */
  ready(tracker: Scope): void {
    this.#queue.push(tracker)
    this.#wake()
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
      globals: this.#parts.globals.given,
    }
    const sender = tracker.isEndless ? undefined : this.#senderOf(pass)
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
        : this.#dispatchOne(pass, open, own)
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
    await this.#dispatchOne(pass, open, await sender)
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

  #senderOf(pass: Pass): Maybe<ReadSender | undefined> {
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
    this.#fault(error, events[0]?.collected.name ?? '')
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
    const globals = this.#parts.globals.read(tracker.request)
    return isPromise(person) || isPromise(consent) || isPromise(skipped) || isPromise(globals)
      ? readInTime(person, consent, skipped, globals)
      : { person, consent, chosen: undefined, skipped, globals }
  }

  #dispatchOne(pass: Pass, open: OpenEvent, sender: EventSender | undefined): Maybe<void> {
    const { tracker, isEarly } = pass
    try {
      if (isEarly && (!sender || sender.skipped || this.#parts.dispatch !== 'always'))
        return tracker.keepEvent(open, pass.discards)
      if (!sender) return this.#drop(tracker, open, 'error')
      if (!this.#wanted(tracker.outcome)) return this.#drop(tracker, open, 'outcome')
      if (sender.skipped) return this.#drop(tracker, open, 'skipped')
      const person = settlePerson(open.person, tracker.endedMark)
      return isPromise(person)
        ? this.#sendWhenKnown(pass, open, sender, person)
        : this.#send(pass, open, sender, person)
    } catch (error) {
      return this.#failed(tracker, open, error)
    }
  }

  async #sendWhenKnown(
    pass: Pass,
    open: OpenEvent,
    sender: EventSender,
    person: Promise<ReadPerson>,
  ): Promise<void> {
    try {
      await this.#send(pass, open, sender, await person)
    } catch (error) {
      this.#failed(pass.tracker, open, error)
    }
  }

  #failed(tracker: Scope, open: OpenEvent, error: unknown): void {
    this.#fault(error, open.collected.name)
    this.#drop(tracker, open, isInstance(error, TooLargeError) ? 'too-large' : 'error')
  }

  #wanted(outcome: Outcome | undefined): boolean {
    const { dispatch } = this.#parts
    if (dispatch === 'always' || !outcome) return true
    // A run has no status.
    if (dispatch === 'success') return !outcome.aborted && (outcome.status ?? 0) < 400
    const wanted: unknown = dispatch(outcome)
    if (!isPromise(wanted)) return Boolean(wanted)
    wanted.then(undefined, () => {})
    throw new TypeError('the `dispatch` function answered with a promise: expected true or false at once')
  }

  #send(pass: Pass, open: OpenEvent, sender: EventSender, tracked: ReadPerson): Maybe<void> {
    const { plan, reporter } = this.#parts
    const { tracker } = pass
    const { collected } = open
    const person = fillPerson(tracked, sender.person)
    const consent = consentOf(sender, tracker)
    const event = completeEvent(collected, {
      person,
      consent,
      globals: pass.globals,
      trace: tracker.trace,
      startedAt: tracker.startedAt,
    })
    const { tell } = reporter.observation
    const told = tell && new ToldSteps(tell, tracker.number, collected.messageId)
    told?.add({
      type: 'dispatching',
      request: tracker.number,
      event: collected.messageId,
      walkeros: event,
      sources: sourcesOf(person, sender, tracker),
    })
    if (!pass.isEarly) told?.release()
    if (!plan) return this.#process(pass, open, event, told)
    const judgement = plan.judge(open, event)
    return isPromise(judgement)
      ? this.#processWhenJudged(pass, open, event, told, judgement)
      : this.#processAsJudged(pass, open, event, told, judgement)
  }

  async #processWhenJudged(
    pass: Pass,
    open: OpenEvent,
    event: WalkerOS.Event,
    told: ToldSteps | undefined,
    judgement: Promise<Judgement>,
  ): Promise<void> {
    try {
      await this.#processAsJudged(pass, open, event, told, await judgement)
    } catch (error) {
      this.#failed(pass.tracker, open, error)
    }
  }

  #processAsJudged(
    pass: Pass,
    open: OpenEvent,
    event: WalkerOS.Event,
    told: ToldSteps | undefined,
    judgement: Judgement,
  ): Maybe<void> {
    const { messageId } = open.collected
    const { number } = pass.tracker
    told?.add({ type: 'planned', request: number, event: messageId, judgement })
    if (judgement.outcome === 'dropped') {
      told?.release()
      this.#parts.events.dropped(number, event, messageId, 'plan')
      return
    }
    if (judgement.changed) Object.assign(event, judgement.changed)
    return this.#process(pass, open, event, told)
  }

  #process(pass: Pass, open: OpenEvent, event: WalkerOS.Event, told: ToldSteps | undefined): Maybe<void> {
    const { pipeline, writeKey } = this.#parts
    const { collected } = open
    const incoming = {
      event,
      direct: collected.direct,
      context: pass.tracker.segmentContext(event.consent, collected.sent?.page),
      globals: pass.globals,
      integrations: collected.integrations,
      messageId: messageIdOf(collected, writeKey),
    }
    const processed = pipeline.process(incoming, told?.ofDestination)
    return isPromise(processed)
      ? this.#handOverInTime(pass, open, event, processed, told)
      : this.#handOver(pass, open, event, processed, told)
  }

  async #handOverInTime(
    pass: Pass,
    open: OpenEvent,
    event: WalkerOS.Event,
    processed: Promise<Processed>,
    told: ToldSteps | undefined,
  ): Promise<void> {
    try {
      this.#handOver(pass, open, event, await processed, told)
    } catch (error) {
      this.#failed(pass.tracker, open, error)
    }
  }

  #handOver(
    { tracker, isEarly, discards }: Pass,
    open: OpenEvent,
    event: WalkerOS.Event,
    processed: Processed,
    told: ToldSteps | undefined,
  ): void {
    const parts = this.#parts
    const { messageId } = open.collected
    const { dropped, deduplicated = 0, withheld = 0 } = processed
    // The end may know more than now: somebody signs in, somebody agrees.
    if (isEarly && (dropped === 'consent' || dropped === 'identity')) return tracker.keepEvent(open, discards)
    told?.release()
    if (deduplicated + withheld > 0) parts.events.unmade(deduplicated, withheld)
    if (dropped !== undefined) {
      parts.events.dropped(tracker.number, event, messageId, dropped, processed.required)
      return
    }
    parts.events.dispatched()
    parts.handOver.handOver(tracker, open.collected, processed.calls)
  }

  #drop(tracker: Scope, { collected }: OpenEvent, reason: DropReason): void {
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
  globals: Maybe<ReadGlobals | undefined>,
): Promise<ReadSender> {
  const read = await Promise.all([person, consent, skipped, globals])
  return { person: read[0], consent: read[1], chosen: undefined, skipped: read[2], globals: read[3] }
}

/** @returns A new object. */
function consentOf({ consent, chosen }: EventSender, tracker: Scope): WalkerOS.Consent {
  return { ...consent.state, ...(chosen ?? tracker.chosenConsent) }
}

function sourcesOf(person: ReadPerson, sender: EventSender, tracker: Scope) {
  const consent: Record<string, string> = { ...sender.consent.readers }
  for (const key of Object.keys(sender.chosen ?? tracker.chosenConsent ?? {}))
    setMember(consent, key, 'tracker.consent()')
  return { userId: person.userIdReader, anonymousId: person.anonymousIdReader, consent }
}
