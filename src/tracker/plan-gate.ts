import type { WalkerOS } from '@walkeros/core'
import type { Judgement, PlanJudge } from '../model/plan.js'
import type { Reporter } from '../observe/reporter.js'
import { isPromise, type Maybe } from '../support/maybe.js'
import { callsTo, type Place } from '../support/place.js'
import type { OpenEvent } from './event-list.js'
import type { TrackedEvents } from './tracked-events.js'

/** Holds events to the tracking plan before they go to the destination. */
export class PlanGate {
  readonly #judge: PlanJudge
  readonly #events: TrackedEvents
  readonly #reporter: Reporter
  readonly #fault = (problem: string): void => this.#reporter.wrongPlan(problem)

  constructor(judge: PlanJudge, events: TrackedEvents, reporter: Reporter) {
    this.#judge = judge
    this.#events = events
    this.#reporter = reporter
  }

  /** Judges an event, and tells what is against the plan: once, however often the event comes. Never rejects. */
  judge(open: OpenEvent, event: WalkerOS.Event): Maybe<Judgement> {
    if (open.judgement) return open.judgement
    const judgement = this.#judge.judge(event, open.collected.direct, this.#fault)
    return isPromise(judgement) ? this.#keepInTime(open, judgement) : this.#keep(open, judgement)
  }

  async #keepInTime(open: OpenEvent, judgement: Promise<Judgement>): Promise<Judgement> {
    return this.#keep(open, await judgement)
  }

  #keep(open: OpenEvent, judged: Judgement): Judgement {
    const judgement = open.place && judged.violations.length > 0 ? withStack(judged, open.place) : judged
    open.judgement = judgement
    for (const violation of judgement.violations) this.#events.violated(violation)
    return judgement
  }
}

function withStack(judgement: Judgement, place: Place): Judgement {
  const stack = callsTo(place)
  return { ...judgement, violations: judgement.violations.map((violation) => ({ ...violation, stack })) }
}
