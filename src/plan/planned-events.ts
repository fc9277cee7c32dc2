import type { PlainJson } from '../model/plain-json.js'
import type { PlanEntries } from './definition.js'
import type { Plan } from './plan.js'
import type { InputOf, StandardSchema } from './standard-schema.js'

/**
 * The events of a plan, to be merged into `TrackEvents`: what handlers track is then checked against it when the
 * application is compiled. It is what the schemas take, as plain JSON: a date is a string.
 *
 * @example
 * declare module 'reqtrack' {
 *   interface TrackEvents extends PlannedEvents<typeof plan> {}
 * }
 */
export type PlannedEvents<P extends Plan> =
  P extends Plan<infer Entries extends PlanEntries>
    ? { [Name in keyof Entries]: DataOf<Entries[Name]> }
    : never

type DataOf<Entry> = Entry extends StandardSchema
  ? PlainJson<InputOf<Entry>>
  : Entry extends { readonly schema: infer Schema }
    ? PlainJson<InputOf<Schema>>
    : object
