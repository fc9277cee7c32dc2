import type { WalkerOS } from '@walkeros/core'
import type { Pipeline } from '../destination/pipeline.js'
import type { Processed } from '../destination/processed.js'
import type { DropReason } from '../model/drop.js'
import { completeEvent } from '../model/event.js'
import type { Outcome } from '../model/outcome.js'
import type { Judgement } from '../model/plan.js'
import { TooLargeError } from '../model/values.js'
import type { Reporter } from '../observe/reporter.js'
import { fillPerson, type ReadPerson, settlePerson } from '../request/person.js'
import { isInstance } from '../support/instance.js'
import { isPromise, type Maybe } from '../support/maybe.js'
import type { OpenEvent } from './event-list.js'
import type { HandOver } from './hand-over.js'
import { messageIdOf } from './message-id.js'
import type { Pass } from './pass.js'
import type { PlanGate } from './plan-gate.js'
import type { EventSender } from './read-sender.js'
import type { Scope } from './scope.js'
import { consentOf, sourcesOf, undispatched } from './scope-senders.js'
import { ToldSteps } from './told-steps.js'
import type { TrackedEvents } from './tracked-events.js'

/** Which requests' and runs' events are dispatched. */
export type DispatchOption = 'always' | 'success' | ((outcome: Outcome) => boolean)

/** What events are dispatched with. */
export interface EventWayParts {
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

/** The way of one event: from who sent it, by plan and destination, to its calls. */
export class EventWay {
  readonly #parts: EventWayParts

  constructor(parts: EventWayParts) {
    this.#parts = parts
  }

  /**
   * Takes an event its whole way. What fails on it costs this event only.
   *
   * @param sender - Who sent it; `undefined` where that could not be read.
   */
  dispatch(pass: Pass, open: OpenEvent, sender: EventSender | undefined): Maybe<void> {
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
    undispatched(this.#parts.reporter, open.collected.name, error)
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
    if (parts.reporter.checks.event) this.#check(tracker, open, event, processed)
    if (deduplicated + withheld > 0) parts.events.unmade(deduplicated, withheld)
    if (dropped !== undefined) {
      parts.events.dropped(tracker.number, event, messageId, dropped, processed.required)
      return
    }
    parts.events.dispatched()
    parts.handOver.handOver(tracker, open.collected, processed.calls)
  }

  /** Shows the event to the self-check, which looks at the first ones. */
  #check(tracker: Scope, open: OpenEvent, event: WalkerOS.Event, processed: Processed): void {
    const { dropped, rule } = processed
    this.#parts.reporter.checks.event?.({
      name: event.name,
      scope: tracker.kind,
      isMapped: open.collected.direct === undefined,
      rule,
      dropped,
      required: dropped === undefined ? undefined : processed.required,
      consent: event.consent,
      hasIdentity: dropped === undefined || event.user?.id !== undefined || event.user?.session !== undefined,
    })
  }

  #drop(tracker: Scope, { collected }: OpenEvent, reason: DropReason): void {
    this.#parts.events.dropped(tracker.number, { name: collected.name }, collected.messageId, reason)
  }
}
