import { z } from 'zod'
import { explainKey, type KnownKeys } from '../../support/unknown-key.js'

/** The message of a schema's issues: what was expected. The report adds what was given. */
export function says(expected: string): { error: string } {
  return { error: `expected ${expected}` }
}

/**
 * An optional member.
 *
 * @param description - Its purpose, for the configuration reference.
 * @param fallback - Its default.
 */
export function field<S extends z.ZodType>(
  schema: S,
  description: string,
  fallback?: unknown,
): z.ZodOptional<S> {
  return schema.optional().meta({ description, ...(fallback !== undefined && { default: fallback }) })
}

/**
 * The schema of an object type. Exported schemas are annotated with it, since a declaration file cannot name their inferred
 * type.
 */
export type ObjectSchema<T> = z.ZodObject<{ [K in keyof T]-?: z.ZodType<T[K]> }, z.core.$strict>

/**
 * An object with known members and no others.
 *
 * Its issue of unknown keys has one line for each of the `keys`, in their order.
 *
 * @param expected - Describes the object, for the error about anything else.
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

/** A function. Its parameters and result are left to TypeScript. */
export function functionSchema<F extends (...args: never[]) => unknown>(): z.ZodType<F, F> {
  return z.custom<F>((value) => typeof value === 'function', says('a function'))
}

/** A plain object or an instance with certain methods. */
export function objectWith<T extends object>(
  expected: string,
  ...methods: (keyof T & string)[]
): z.ZodType<T, T> {
  return z.custom<T>((value) => methods.every((name) => hasMethod(value, name)), says(expected))
}

/** Whether a value has a method of that name. A getter that throws counts as none. */
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

/** An integer with a minimum. */
export function integerFrom(least: number): z.ZodInt {
  const expected = says(`an integer of at least ${least}`)
  return z.int(expected).min(least, expected)
}

/** A number above zero, in a unit. */
export function positive(unit: string): z.ZodNumber {
  const expected = says(`a number of ${unit} that is more than 0`)
  return z.number(expected).positive(expected)
}

/** Whether a value is JSON without conversion. */
export function isJson(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return false
  return Object.values(value).every(isJson)
}
