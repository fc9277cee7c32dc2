import { shapeOf } from '../plan/shape.js'
import { isJsonSchema } from '../plan/standard-schema.js'
import type { EventRecord } from './journal.js'
import type { PlanView } from './view.js'

/** What an event has otherwise than the tracking plan says, beside what the plan wants. */
export function planViewOf({ judgement }: EventRecord): PlanView | undefined {
  if (!judgement || judgement.violations.length === 0) return undefined
  const { violations, given, expected } = judgement
  return {
    violations: violations.map(({ path, problem, expected: wanted, outcome }) => ({
      path,
      problem,
      expected: wanted,
      outcome,
    })),
    expected: isJsonSchema(expected) ? JSON.stringify(shapeOf(expected), null, 2) : undefined,
    given: given === undefined ? undefined : JSON.stringify(given, null, 2),
    stack: violations[0]?.stack,
  }
}

/** What the step of the plan came to, in a word or two. */
export function planNote({ judgement }: EventRecord): string {
  if (!judgement) return ''
  const { outcome, violations } = judgement
  const count = violations.length
  switch (outcome) {
    case 'kept':
      return 'as planned'
    case 'unchecked':
      return 'not checked'
    default:
      return `${count} ${count === 1 ? 'violation' : 'violations'}, ${outcome}`
  }
}
