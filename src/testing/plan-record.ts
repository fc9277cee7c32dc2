import type { Violation } from '../model/violation.js'
import type { Step } from '../observe/step.js'
import type { ReceivedCall } from './received-calls.js'

/** The key of a recording's {@link PlanRecord}; the ESM and the CommonJS build share it. */
export const planRecord = Symbol.for('reqtrack.testing.plan.1')

/** Remembers which calls come of events that are against the tracking plan. */
export class PlanRecord {
  /** Whether there is a plan. */
  readonly hasPlan: boolean
  readonly #ofEvent = new Map<string, readonly Violation[]>()
  readonly #ofCall = new Map<string, readonly Violation[]>()

  constructor(hasPlan: boolean) {
    this.hasPlan = hasPlan
  }

  /** Takes in a step of some event's way. */
  take(step: Step): void {
    if (step.type === 'planned' && step.judgement.violations.length > 0) {
      this.#ofEvent.set(step.event, step.judgement.violations)
    }
    if (step.type !== 'called') return
    const { messageId } = step.call.params
    // Of the calls of events with the same key the first one is recorded.
    if (messageId === undefined || this.#ofCall.has(messageId)) return
    this.#ofCall.set(messageId, this.#ofEvent.get(step.event) ?? [])
  }

  /** What the event of a call has otherwise than the plan says. */
  violationsOf(call: ReceivedCall): readonly Violation[] {
    return this.#ofCall.get(call.messageId ?? '') ?? []
  }

  /** Forgets everything. */
  clear(): void {
    this.#ofEvent.clear()
    this.#ofCall.clear()
  }
}
