import type { JudgedEvent } from '../model/plan.js'
import type { DirectCall } from '../model/segment-call.js'
import type { Violation } from '../model/violation.js'
import { writtenPath } from '../support/written-path.js'
import { expectedAt, named } from './expectation.js'
import { isThere, type Offence, type Path } from './offence.js'
import type { JsonSchema } from './standard-schema.js'

/** A list of thousands can have each of its members wrong; so many places of one event are told. */
const MAX_TOLD = 100
const MAX_PATH_LENGTH = 200

/** What is told of the places where an event is not as planned. */
export function violationsOf(
  event: JudgedEvent,
  direct: DirectCall | undefined,
  offences: readonly Offence[],
  outcome: Violation['outcome'],
  schema: JsonSchema | undefined,
): Violation[] {
  return offences.slice(0, MAX_TOLD).map((offence) => {
    const { path, received } = offence
    const expected = expectedAt(schema, path)
    return {
      event: event.name,
      ...methodOf(direct),
      problem: problemOf(offence),
      path: writtenPath(path),
      received,
      ...(expected !== undefined && { expected }),
      outcome: outcome === 'omitted' && !isThere(offence) ? 'reported' : outcome,
    }
  })
}

/** What is told of an event that the plan does not know. */
export function unplannedOf({ name }: JudgedEvent, outcome: 'reported' | 'dropped'): Violation {
  return { event: name, problem: 'not planned', path: '', received: 'object', outcome }
}

/** A path without the places of lists: the same problem of another member is the same problem. */
export function kindOfPath(path: Path): string {
  return writtenPath(path).replace(/\[\d+\]/g, '[]')
}

function problemOf({ path, received }: Offence): string {
  if (path.length === 0) return 'not as planned as a whole'
  return `${shortened(kindOfPath(path))} is ${received === 'nothing' ? 'missing' : named(received)}`
}

/** A member's name can be anybody's, and problems are kept. */
function shortened(path: string): string {
  return path.length > MAX_PATH_LENGTH ? `${path.slice(0, MAX_PATH_LENGTH - 1)}…` : path
}

function methodOf(direct: DirectCall | undefined): Pick<Violation, 'method'> {
  if (!direct || direct.type === 'alias' || direct.type === 'consent') return {}
  return { method: direct.type }
}
