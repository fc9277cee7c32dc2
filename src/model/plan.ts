import type { Maybe } from '../support/maybe.js'
import type { DirectCall } from './segment-call.js'
import type { Violation } from './violation.js'

/** The key of what a tracking needs of a tracking plan; shared by the ESM and the CommonJS build. */
export const planJudge = Symbol.for('reqtrack.plan.1')

/** Whether a value is a tracking plan. */
export function isPlan(value: unknown): boolean {
  try {
    return typeof value === 'object' && value !== null && Reflect.has(value, planJudge)
  } catch {
    return false
  }
}

/** What a tracking plan looks at of a complete event. */
export interface JudgedEvent {
  readonly name: string
  readonly entity: string
  readonly action: string
  readonly data: unknown
  readonly context: unknown
  readonly nested: unknown
  readonly custom: unknown
}

/** What a tracking plan knows events by. */
export type EventNames = Pick<JudgedEvent, 'name' | 'entity' | 'action'>

/** The parts of an event that a handler gives. */
export type EventPart = 'data' | 'context' | 'nested' | 'custom'

/** What a tracking plan makes of an event. */
export interface Judgement {
  /** `unchecked` where the plan has no schema for it, and does not mind. */
  readonly outcome: 'kept' | 'unchecked' | Violation['outcome']
  readonly violations: readonly Violation[]
  /** The parts that the event goes on with instead of those that it has. */
  readonly changed?: Partial<Record<EventPart, unknown>>
  /** What the handler gave, and the JSON Schema of what was expected, for who watches. */
  readonly given?: unknown
  readonly expected?: object
}

/** Judges events by a tracking plan. */
export interface PlanJudge {
  /**
   * Whether the plan has a schema for an event.
   *
   * @param direct - The call that a tracker's own method asks for.
   */
  plans(event: EventNames, direct: DirectCall | undefined): boolean
  /**
   * Judges an event, at once unless its schema is asynchronous. Never throws or rejects.
   *
   * @param direct - The call that a tracker's own method asks for.
   * @param fault - Is told what is wrong with the plan itself; the event then counts as valid.
   */
  judge(
    event: JudgedEvent,
    direct: DirectCall | undefined,
    fault: (problem: string) => void,
  ): Maybe<Judgement>
}
