import type { EventNames } from '../model/plan.js'
import { assertDefinition } from './check-definition.js'
import {
  type Invalid,
  METHODS,
  type PlanDefinition,
  type PlanEntries,
  type PlanEntry,
  type Unplanned,
} from './definition.js'
import { type Plan, planOf } from './plan.js'
import { type Planned, prepare } from './planned.js'
import type { StandardSchema } from './standard-schema.js'
import { dataSubject } from './subject.js'

/**
 * Makes a tracking plan of schemas of any library that speaks Standard Schema.
 *
 * Checked is what the handler gave, as the plain JSON that it has become: a date is a string by then, so that its schema
 * is one of strings.
 *
 * @throws PlanError that lists every problem: a plan without events, what is no schema, an unknown key.
 *
 * @example
 * const plan = definePlan({
 *   events: { 'order complete': z.object({ id: z.string(), total: z.number() }) },
 *   identify: z.object({ plan: z.enum(['free', 'team']) }).partial(),
 *   invalid: 'omit',
 * })
 * const tracking = createTracking({ settings, plan })
 */
export function definePlan<const Entries extends PlanEntries>(
  definition: PlanDefinition<Entries>,
): Plan<Entries> {
  assertDefinition(definition)
  const { events: entries, unplanned = 'report', invalid = 'report', transform = false } = definition
  const ofData = (schema: StandardSchema, own = invalid) =>
    prepare({ schema, invalid: own, subject: dataSubject, transform })
  const known = new Map<string, Planned | Unplanned>()
  for (const [name, entry] of Object.entries(entries)) known.set(name, preparedEntry(entry, ofData))
  const methods = new Map<string, Planned>()
  for (const method of METHODS) {
    const schema = definition[method]
    if (schema) methods.set(method, ofData(schema))
  }
  const find = ({ name }: EventNames) => known.get(name) ?? unplanned
  return planOf({ entries, known, find, methods, common: undefined, unplanned, invalid })
}

function preparedEntry(
  entry: PlanEntry,
  ofData: (schema: StandardSchema, invalid?: Invalid) => Planned,
): Planned | Unplanned {
  if ('~standard' in entry) return ofData(entry)
  return 'schema' in entry ? ofData(entry.schema, entry.invalid) : entry.unplanned
}
