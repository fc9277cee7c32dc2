import type { EventNames } from '../model/plan.js'
import type { Invalid, Unplanned } from './definition.js'
import { inputJsonSchema, type JsonSchema, type StandardSchema } from './standard-schema.js'
import type { Subject } from './subject.js'

/** What a plan has of an event, made ready. */
export interface Planned {
  readonly schema: StandardSchema
  readonly invalid: Invalid
  readonly subject: Subject
  /** Whether what the schema gives goes on instead of what it was given. */
  readonly transform: boolean
  /** The schema's JSON Schema, made when it is first asked for. */
  readonly expected: () => JsonSchema | undefined
}

/** What a plan is made of, made ready. */
export interface PlanParts {
  /** What the plan has of a tracked event: a schema, or what becomes of it without one. */
  readonly find: (event: EventNames) => Planned | Unplanned
  /** What it has of the tracker's own methods: by the method, or of one page or screen by both names: `page Home`. */
  readonly methods: ReadonlyMap<string, Planned>
  /** What holds for events that are not planned, too. */
  readonly common: Planned | undefined
}

/** Makes a schema ready to judge events. */
export function prepare(given: Omit<Planned, 'expected'>): Planned {
  let known: { readonly schema: JsonSchema | undefined } | undefined
  return {
    ...given,
    expected: () => {
      known ??= { schema: inputJsonSchema(given.schema) }
      return known.schema
    },
  }
}

/** What a plan has of one event, as plain JSON. */
export interface EntryJson {
  readonly schema?: JsonSchema
  /** Where it is not the plan's own. */
  readonly invalid?: Invalid
  readonly unplanned?: Unplanned
}

/** @param byDefault - The plan's own policy. */
export function toJson(planned: Planned | Unplanned, byDefault: Invalid): EntryJson {
  if (typeof planned === 'string') return { unplanned: planned }
  const schema = planned.expected()
  return { ...(schema && { schema }), ...(planned.invalid !== byDefault && { invalid: planned.invalid }) }
}
