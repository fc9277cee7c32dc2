import { z } from 'zod'
import { explainKey, type KnownKeys } from './unknown-key.js'

/** What a schema's issues say: what was expected. What was given is added by who reports them. */
export function says(expected: string): { error: string } {
  return { error: `expected ${expected}` }
}

/**
 * A member that may be left out.
 *
 * @param description - What it is for; the configuration reference is made from it.
 * @param fallback - What holds where it is left out.
 */
export function field<S extends z.ZodType>(
  schema: S,
  description: string,
  fallback?: unknown,
): z.ZodOptional<S> {
  return schema.optional().meta({ description, ...(fallback !== undefined && { default: fallback }) })
}

/**
 * The schema of an object type. Exported schemas are annotated with it: what is inferred for them cannot be named in a
 * declaration file.
 */
export type ObjectSchema<T> = z.ZodObject<{ [K in keyof T]-?: z.ZodType<T[K]> }, z.core.$strict>

/**
 * An object with known members and no others.
 *
 * The issue of unknown keys has one line for each of its `keys`, in their order.
 *
 * @param expected - What the object is, for who gave something else.
 */
export function exactObject<S extends z.core.$ZodLooseShape>(
  expected: string,
  shape: S,
  keys: Partial<Omit<KnownKeys, 'known'>> = {},
): z.ZodObject<S, z.core.$strict> {
  const known: KnownKeys = { known: Object.keys(shape), refused: {}, elsewhere: {}, ...keys }
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => explainKey(key, known)).join('\n')
        : `expected ${expected}`,
  })
}

/** A function; what it takes and gives is for the types to check. */
export function functionSchema<F extends (...args: never[]) => unknown>(): z.ZodType<F, F> {
  return z.custom<F>((value) => typeof value === 'function', says('a function'))
}

/** An object that has certain methods, be it plain or of a class. */
export function objectWith<T extends object>(
  expected: string,
  ...methods: (keyof T & string)[]
): z.ZodType<T, T> {
  return z.custom<T>((value) => methods.every((name) => hasMethod(value, name)), says(expected))
}

/** Whether a value is an object with a method of that name; one that cannot be read has none. */
export function hasMethod(value: unknown, name: string): boolean {
  try {
    const hasMembers = (typeof value === 'object' && value !== null) || typeof value === 'function'
    return hasMembers && typeof Reflect.get(value, name) === 'function'
  } catch {
    return false
  }
}

/** `true` or `false`. */
export const booleanSchema = z.boolean(says('true or false'))

/** An integer from a least value on. */
export function integerFrom(least: number): z.ZodInt {
  const expected = says(`an integer of at least ${least}`)
  return z.int(expected).min(least, expected)
}

/** A number of some unit, more than zero. */
export function positive(unit: string): z.ZodNumber {
  const expected = says(`a number of ${unit} that is more than 0`)
  return z.number(expected).positive(expected)
}

/** Whether JSON can hold a value as it is. */
export function isJson(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return false
  return Object.values(value).every(isJson)
}
