/**
 * A type as plain JSON, which data is once it has been tracked: dates and bigints are strings, sets are lists, maps are
 * objects; functions and symbols are left out.
 */
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
