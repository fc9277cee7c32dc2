import type { EventNames } from '../../model/plan.js'
import type { Unplanned } from '../definition.js'
import { type Plan, planOf } from '../plan.js'
import { type Planned, prepare } from '../planned.js'
import type { StandardSchema } from '../standard-schema.js'
import type { Subject } from '../subject.js'
import type { PlanOptions } from './options.js'

/** What was read from JSON, each with its schema made ready. */
export interface ReadPlan {
  readonly events: ReadonlyMap<string, StandardSchema>
  readonly methods: ReadonlyMap<string, StandardSchema>
  /** What holds for events that are not planned, too. */
  readonly common?: StandardSchema | undefined
  readonly subject: Subject
  /** Whether `*` in the place of a word stands for any. */
  readonly hasWildcards: boolean
}

/** Makes a plan of what was read from JSON. */
export function assemble(read: ReadPlan, options: PlanOptions): Plan<Record<never, never>> {
  const { unplanned = 'report', invalid = 'report', events: own = {} } = options
  const { subject, common } = read
  const ready = (schema: StandardSchema, name?: string) =>
    prepare({
      schema,
      invalid: (name !== undefined && Object.hasOwn(own, name) && own[name]?.invalid) || invalid,
      subject,
      transform: false,
    })
  const known = new Map<string, Planned | Unplanned>()
  for (const [name, schema] of read.events) known.set(name, ready(schema, name))
  for (const [name, policy] of Object.entries(own)) if (policy.unplanned) known.set(name, policy.unplanned)
  const methods = new Map([...read.methods].map(([method, schema]) => [method, ready(schema)]))
  return planOf({
    entries: {},
    known,
    find: read.hasWildcards ? findByWords(known, unplanned) : ({ name }) => known.get(name) ?? unplanned,
    methods,
    common: common && ready(common),
    unplanned,
    invalid,
  })
}

/** Finds an event as walkerOS finds the rule of a contract. */
function findByWords(known: ReadonlyMap<string, Planned | Unplanned>, unplanned: Unplanned) {
  return ({ name, entity, action }: EventNames) =>
    known.get(name) ?? known.get(`${entity} *`) ?? known.get(`* ${action}`) ?? known.get('* *') ?? unplanned
}
