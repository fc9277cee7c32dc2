/**
 * A type as plain JSON, which data is once it has been tracked: a `Date` is a string, a `Set` a list, a `Map` an object;
 * functions and symbols are left out.
 */
export type PlainJson<T> = unknown extends T
  ? T
  : T extends string | number | boolean | null | undefined
    ? T
    : T extends bigint
      ? string
      : T extends symbol | ((...args: never[]) => unknown)
        ? undefined
        : T extends { toJSON(...args: never[]): infer J }
          ? PlainJson<J>
          : T extends ReadonlyMap<unknown, infer V>
            ? Record<string, PlainJson<V>>
            : T extends ReadonlySet<infer V>
              ? PlainJson<V>[]
              : { [K in keyof T]: PlainJson<T[K]> }
