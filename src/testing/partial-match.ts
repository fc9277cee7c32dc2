import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '../model/values.js'

/** The most differences reported for one value. */
const MAX_DIFFERENCES = 5
const MAX_VALUE_LENGTH = 80

/** An asymmetric matcher of Vitest, Jest or Sinon, such as `expect.any(Number)`. */
interface Asymmetric {
  asymmetricMatch(actual: unknown): boolean
  toAsymmetricMatcher?(): string
}

/**
 * Compares a value with an expected one as `toMatchObject` does: objects may have further members, arrays must have the
 * expected length. An expected `Date` matches its ISO string, since that is on the wire.
 *
 * @param path - The value's place, for the messages.
 * @returns One line for each difference, at most five; empty for a match.
 */
export function differences(actual: unknown, expected: unknown, path = ''): string[] {
  return differencesOf(actual, expected, path).slice(0, MAX_DIFFERENCES)
}

function differencesOf(actual: unknown, expected: unknown, path: string): string[] {
  if (isAsymmetric(expected)) {
    return expected.asymmetricMatch(actual) ? [] : [difference(path, nameOf(expected), actual)]
  }
  if (expected instanceof Date) return differencesOf(actual, expected.toISOString(), path)
  if (isRecord(expected) && isRecord(actual)) {
    return Object.keys(expected).flatMap((key) =>
      differencesOf(ownMember(actual, key), expected[key], path === '' ? key : `${path}.${key}`),
    )
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (actual.length !== expected.length) {
      return [`${path}: expected ${expected.length} elements, got ${actual.length}`]
    }
    return expected.flatMap((element, index) => differencesOf(actual[index], element, `${path}[${index}]`))
  }
  return isDeepStrictEqual(actual, expected) ? [] : [difference(path, shown(expected), actual)]
}

function difference(path: string, expected: string, actual: unknown): string {
  return `${path}: expected ${expected}, got ${shown(actual)}`
}

/** Formats a value for a message: its JSON, shortened. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value, (_key, part) => {
    if (isAsymmetric(part)) return nameOf(part)
    return typeof part === 'bigint' ? `${part}n` : part
  })
  if (text === undefined || (text === 'null' && value !== null)) return String(value)
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH - 1)}…` : text
}

function nameOf(matcher: Asymmetric): string {
  return matcher.toAsymmetricMatcher?.() ?? 'a match'
}

function ownMember(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined
}

/** Whether a value is such a matcher. */
export function isAsymmetric(value: unknown): value is Asymmetric {
  return (
    typeof value === 'object' &&
    value !== null &&
    'asymmetricMatch' in value &&
    typeof value.asymmetricMatch === 'function'
  )
}
