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

/** A type as plain JSON has it: dates and bigints are strings, sets are lists. */
export type PlainJson<T> =
  IsAny<T> extends true
    ? T
    : T extends bigint | Date
      ? string
      : T extends string | number | boolean | null | undefined
        ? T
        : T extends symbol | ((...args: never[]) => unknown)
          ? undefined
          : T extends { toJSON(): infer Json }
            ? PlainJson<Json>
            : T extends ReadonlySet<infer Member>
              ? PlainJson<Member>[]
              : T extends ReadonlyMap<infer Key, infer Value>
                ? Record<Key & string, PlainJson<Value>>
                : T extends object
                  ? { [Key in keyof T]: PlainJson<T[Key]> }
                  : T

type IsAny<T> = 0 extends 1 & T ? true : false
