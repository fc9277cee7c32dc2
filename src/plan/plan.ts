import { type PlanJudge, planJudge } from '../model/plan.js'
import type { Invalid, PlanEntries, Unplanned } from './definition.js'
import { Judge } from './judge.js'
import { type EntryJson, type Planned, type PlanParts, toJson } from './planned.js'
import type { JsonSchema } from './standard-schema.js'

/** A tracking plan: which events there are, and what their data have to be. */
export interface Plan<Entries extends PlanEntries = PlanEntries> {
  /** The events, by the names that handlers track. */
  readonly events: Entries
  /**
   * The plan as plain JSON, which is what `JSON.stringify(plan)` writes: events, policies, and the JSON Schema (draft-07)
   * of each, where its library gives one.
   */
  toJSON(): PlanJson
  /**
   * One JSON Schema (draft-07) for a tracked event `{ name, data }`: for documentation, and for tools in other languages.
   * Of an event whose library gives none, any data are right.
   */
  toJSONSchema(): JsonSchema
  /** What a tracking needs of it. */
  readonly [planJudge]: PlanJudge
}

/** A tracking plan as plain JSON. */
export interface PlanJson {
  readonly unplanned: Unplanned
  readonly invalid: Invalid
  readonly events: Readonly<Record<string, EntryJson>>
  /** What it has of the tracker's methods: `identify`, `group`, `page`, `screen`, or of one page `page Home`. */
  readonly methods: Readonly<Record<string, EntryJson>>
}

/** What a plan is made of, and what is told of it. */
export interface PlanSource<Entries extends PlanEntries> extends PlanParts {
  readonly entries: Entries
  /** What it has of each event, by its name. */
  readonly known: ReadonlyMap<string, Planned | Unplanned>
  readonly unplanned: Unplanned
  readonly invalid: Invalid
}

/** Puts a plan together. */
export function planOf<Entries extends PlanEntries>(source: PlanSource<Entries>): Plan<Entries> {
  const { entries, known, methods, unplanned, invalid } = source
  const told = (each: Iterable<[string, Planned | Unplanned]>) =>
    Object.fromEntries([...each].map(([name, planned]) => [name, toJson(planned, invalid)]))
  return Object.freeze({
    events: entries,
    toJSON: () => ({ unplanned, invalid, events: told(known), methods: told(methods) }),
    toJSONSchema: () => eventSchema(told(known)),
    [planJudge]: new Judge(source),
  })
}

function eventSchema(events: Readonly<Record<string, EntryJson>>): JsonSchema {
  const alternatives = Object.entries(events)
    .filter(([, { unplanned }]) => unplanned === undefined)
    .map(([name, { schema = {} }]) => {
      const { $schema, ...data } = schema
      return { type: 'object', properties: { name: { const: name }, data }, required: ['name', 'data'] }
    })
  return { $schema: 'http://json-schema.org/draft-07/schema#', oneOf: alternatives }
}
