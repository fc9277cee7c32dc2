import type { EventNames, JudgedEvent, Judgement, PlanJudge } from '../model/plan.js'
import type { DirectCall } from '../model/segment-call.js'
import { isRecord, toPlain } from '../model/values.js'
import { after, isPromise, type Maybe } from '../support/maybe.js'
import { ask, type Fault, quoted } from './ask.js'
import type { Unplanned } from './definition.js'
import { isThere, type Offence, offencesOf } from './offence.js'
import { omitOffences } from './omit.js'
import type { Planned, PlanParts } from './planned.js'
import type { StandardIssue, StandardResult } from './standard-schema.js'
import { unplannedOf, violationsOf } from './violations.js'

const KEPT: Judgement = { outcome: 'kept', violations: [] }
const UNCHECKED: Judgement = { outcome: 'unchecked', violations: [] }

/** Judges events by a plan. */
export class Judge implements PlanJudge {
  readonly #parts: PlanParts

  constructor(parts: PlanParts) {
    this.#parts = parts
  }

  plans(event: EventNames, direct: DirectCall | undefined): boolean {
    const planned = direct ? this.#ofMethod(direct) : this.#parts.find(event)
    return planned !== undefined && typeof planned !== 'string'
  }

  judge(event: JudgedEvent, direct: DirectCall | undefined, fault: Fault): Maybe<Judgement> {
    try {
      const judged = this.#judge(event, direct, fault)
      return isPromise(judged) ? settled(judged, event, fault) : judged
    } catch {
      return unjudged(event, fault)
    }
  }

  #judge(event: JudgedEvent, direct: DirectCall | undefined, fault: Fault): Maybe<Judgement> {
    const planned = direct ? this.#ofMethod(direct) : this.#parts.find(event)
    if (typeof planned === 'string') return this.#unplanned(event, planned, fault)
    return planned === undefined ? UNCHECKED : judgeBy(planned, event, direct, fault)
  }

  #ofMethod(direct: DirectCall): Planned | undefined {
    // What the tracking makes itself is not what a handler gave.
    if ('automatic' in direct) return undefined
    const { methods } = this.#parts
    if (!('name' in direct) || direct.name === undefined) return methods.get(direct.type)
    return methods.get(`${direct.type} ${direct.name}`) ?? methods.get(direct.type)
  }

  #unplanned(event: JudgedEvent, policy: Unplanned, fault: Fault): Maybe<Judgement> {
    const { common } = this.#parts
    if (policy === 'drop') return { outcome: 'dropped', violations: [unplannedOf(event, 'dropped')] }
    const judged = common ? judgeBy(common, event, undefined, fault) : UNCHECKED
    return policy === 'allow' ? judged : after(judged, (judgement) => withUnplanned(event, judgement))
  }
}

/** A judgement of an event, and that it is not planned. */
function withUnplanned(event: JudgedEvent, judgement: Judgement): Judgement {
  const { outcome, violations } = judgement
  return {
    ...judgement,
    outcome: outcome === 'kept' || outcome === 'unchecked' ? 'reported' : outcome,
    violations: [unplannedOf(event, 'reported'), ...violations],
  }
}

function judgeBy(
  planned: Planned,
  event: JudgedEvent,
  direct: DirectCall | undefined,
  fault: Fault,
): Maybe<Judgement> {
  const value = planned.subject.of(event)
  const result = ask(planned.schema, value, event.name, fault)
  if (isPromise(result)) return judgeInTime({ planned, event, direct, value, fault }, result)
  if (result === undefined) return UNCHECKED
  if (!result.issues && !planned.transform) return KEPT
  return conclude({ planned, event, direct, value, fault }, result)
}

/** An event before its judge. */
interface Case {
  readonly planned: Planned
  readonly event: JudgedEvent
  readonly direct: DirectCall | undefined
  /** What the handler gave. */
  readonly value: unknown
  readonly fault: Fault
}

async function judgeInTime(
  held: Case,
  result: Promise<StandardResult<unknown> | undefined>,
): Promise<Judgement> {
  const known = await result
  return known ? conclude(held, known) : UNCHECKED
}

async function settled(judged: Promise<Judgement>, event: JudgedEvent, fault: Fault): Promise<Judgement> {
  try {
    return await judged
  } catch {
    return unjudged(event, fault)
  }
}

/** What a schema answered could not be read: that is no fault of the event's. */
function unjudged({ name }: JudgedEvent, fault: Fault): Judgement {
  fault(`the plan could not be held against ${quoted(name)}: the event counts as valid`)
  return UNCHECKED
}

function conclude(held: Case, result: StandardResult<unknown>): Maybe<Judgement> {
  const { planned } = held
  if (result.issues)
    return planned.invalid === 'omit' ? omitted(held, result.issues) : told(held, result.issues)
  return planned.transform ? transformed(held, result.value) : KEPT
}

function told(held: Case, issues: readonly StandardIssue[]): Judgement {
  const outcome = held.planned.invalid === 'drop' ? 'dropped' : 'reported'
  return judgementOf(held, offencesOf(issues, held.value), outcome)
}

function omitted(held: Case, issues: readonly StandardIssue[]): Maybe<Judgement> {
  const { planned, event, value, fault } = held
  const left = omitOffences(planned, value, issues, (rest) => ask(planned.schema, rest, event.name, fault))
  return after(left, ({ offences, rest, result }) => {
    if (rest === undefined) return judgementOf(held, offences, 'dropped')
    const judgement = judgementOf(held, offences, 'omitted')
    const changed = planned.transform && result && !result.issues ? outputOf(held, result.value) : rest.value
    return changed === value ? judgement : { ...judgement, changed: planned.subject.parts(changed) }
  })
}

function transformed(held: Case, output: unknown): Judgement {
  const changed = outputOf(held, output)
  return changed === held.value ? KEPT : { ...KEPT, changed: held.planned.subject.parts(changed) }
}

/** What a schema gives, as plain JSON; what the handler gave where that is no data. */
function outputOf({ value, event, fault }: Case, output: unknown): unknown {
  const copied = toPlain(output)
  if (isRecord(copied.value) && !copied.tooLarge) return copied.value
  fault(
    `what the plan's schema of ${quoted(event.name)} makes of the data is ` +
      `${copied.tooLarge ? 'larger than 32 KB' : 'no object'}: they are sent as they came`,
  )
  return value
}

function judgementOf(
  { planned, event, direct, value }: Case,
  offences: readonly Offence[],
  outcome: 'reported' | 'omitted' | 'dropped',
): Judgement {
  const expected = planned.expected()
  return {
    // Of what is missing there is nothing to omit.
    outcome: outcome === 'omitted' && !offences.some(isThere) ? 'reported' : outcome,
    violations: violationsOf(event, direct, offences, outcome, expected),
    given: value,
    ...(expected && { expected }),
  }
}
