import type { KnownKeys } from '../unknown-key.js'
import { hasMethod } from './judge.js'
import type { KeyRule, Member, Members, ObjectSchema, Schema } from './schema.js'

/** A string that matches a pattern; any string without one. */
export function text(expected: string, pattern?: RegExp): Schema<string> {
  return { kind: 'text', expected, ...(pattern && { pattern }) }
}

/** A string that is not blank. */
export function filledText(expected: string): Schema<string> {
  return text(expected, /\S/)
}

/** A finite number, in what the words say. */
export function number(
  expected: string,
  bounds: { least?: number; above?: number; most?: number },
): Schema<number> {
  return { kind: 'number', expected, ...bounds }
}

/** An integer with a minimum. */
export function integerFrom(least: number): Schema<number> {
  return { kind: 'number', expected: `an integer of at least ${least}`, isInteger: true, least }
}

/** A number above zero, in a unit. */
export function positive(unit: string): Schema<number> {
  return number(`a number of ${unit} that is more than 0`, { above: 0 })
}

/** One of some values. */
export function oneOf<const V extends readonly (string | number | boolean)[]>(
  expected: string,
  ...values: V
): Schema<V[number]> {
  return { kind: 'constant', expected, values }
}

/** `true` or `false`. */
export const yesOrNo: Schema<boolean> = { kind: 'boolean', expected: 'true or false' }

/** A value that a function of its own judges. */
export function opaque<T>(expected: string, accepts: (value: unknown) => boolean): Schema<T> {
  return { kind: 'opaque', expected, accepts }
}

/** A function. Its parameters and result are left to TypeScript. */
export function functionOf<F extends (...args: never[]) => unknown>(): Schema<F> {
  return opaque('a function', (value) => typeof value === 'function')
}

/** An object or a function with certain methods. */
export function objectWith<T extends object>(
  expected: string,
  ...methods: readonly (keyof T & string)[]
): Schema<T> {
  return opaque(expected, (value) => methods.every((name) => hasMethod(value, name)))
}

/** A list of any length. */
export function listOf<T>(expected: string, of: Schema<T>): Schema<T[]> {
  return { kind: 'list', expected, of }
}

/** A list of two. */
export function pairOf<A, B>(expected: string, first: Schema<A>, second: Schema<B>): Schema<[A, B]> {
  return { kind: 'pair', expected, of: [first, second] }
}

/** An object with keys of its user's. */
export function recordOf<T>(expected: string, of: Schema<T>, keys?: KeyRule): Schema<Record<string, T>> {
  return { kind: 'record', expected, of, ...(keys && { keys }) }
}

/**
 * An object with known members and no others.
 *
 * @param keys - What to say about keys that others have.
 */
export function exactObject<M extends Members>(
  expected: string,
  members: M,
  keys: Partial<Omit<KnownKeys, 'known'>> = {},
): ObjectSchema<M> {
  return {
    kind: 'object',
    expected,
    members,
    isOpen: false,
    keys: { known: Object.keys(members), refused: {}, elsewhere: {}, ...keys },
  }
}

/** An object with known members, and any others. */
export function openObject<M extends Members>(expected: string, members: M): ObjectSchema<M> {
  return { ...exactObject(expected, members), isOpen: true }
}

/** Any of several. */
export function anyOf<S extends readonly Schema[]>(
  expected: string,
  ...of: S
): Schema<S[number] extends Schema<infer T> ? T : never> {
  return { kind: 'union', expected, of }
}

/** A schema that refers to itself. */
export function lazy<T>(expected: string, make: () => Schema<T>): Schema<T> {
  let made: Schema<T> | undefined
  const of = () => {
    made ??= make()
    return made
  }
  return { kind: 'lazy', expected, of }
}

/**
 * A schema and a further condition.
 *
 * @param expects - Says what is expected of a value that the schema takes; `undefined` if nothing is wrong.
 * @param member - The member that is wrong then, where it is not the value as a whole.
 */
export function refined<T>(
  of: Schema<T>,
  expects: (value: T) => string | undefined,
  member?: keyof T & string,
): Schema<T> {
  return { kind: 'refined', expected: of.expected, of, expects, ...(member && { member }) }
}

/** A member that has to be there. */
export function required<T>(schema: Schema<T>, description: string): Member<T> {
  return { schema, isOptional: false, description }
}

/**
 * A member that may be left out.
 *
 * @param description - What it is for, for the configuration reference.
 * @param fallback - Its default.
 */
export function optional<T>(
  schema: Schema<T>,
  description: string,
  fallback?: unknown,
): Member<T | undefined> {
  return { schema, isOptional: true, description, fallback }
}
