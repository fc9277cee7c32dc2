import type { TrackedRequest } from '../../model/tracked-request.js'
import { isRecord } from '../../model/values.js'
import { parseJson } from '../json.js'
import { cookieValues, MAX_VALUES } from './cookie-values.js'

/**
 * The longest cookie value or header that readers decode, in characters.
 *
 * Browsers refuse longer cookies (RFC 6265, section 6.1), so no consent manager wrote a longer one.
 */
export const MAX_LENGTH = 4096

/**
 * Returns the values of a cookie, without quotes around them. Empty and too long ones are left out. It returns none if
 * there are more than a browser sends.
 */
export function readCookies(request: TrackedRequest, name: string): readonly string[] {
  const values = cookieValues(request, name)
  return values.length > MAX_VALUES ? [] : values.filter(isBounded).map(unquoted)
}

/** Removes a pair of quotes and their escapes, which some servers put around a value (RFC 6265, section 4.1.1). */
export function unquoted(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text
  return text
    .slice(1, -1)
    .replace(/\\([0-3][0-7]{2}|.)/gs, (_, escaped: string) =>
      escaped.length === 3 ? String.fromCharCode(Number.parseInt(escaped, 8)) : escaped,
    )
}

/** Returns the text, or `undefined` if it is absent, empty or longer than {@link MAX_LENGTH}. */
export function bounded(text: string | undefined): string | undefined {
  return text !== undefined && isBounded(text) ? text : undefined
}

function isBounded(text: string): boolean {
  return text.length > 0 && text.length <= MAX_LENGTH
}

/** Undoes percent-encoding once. Returns `undefined` if it is malformed. */
export function percentDecoded(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Decodes base64 or base64url, percent-encoded or not. Returns `undefined` if it is malformed. */
export function base64Decoded(text: string): string | undefined {
  const encoded = percentDecoded(text)
  if (encoded === undefined || !/^[\w+/-]+={0,2}$/.test(encoded)) return undefined
  return Buffer.from(encoded, 'base64').toString('utf8')
}

/** Parses JSON text. Returns `undefined` unless it holds an object. */
export function parsedObject(text: string | undefined): Record<string, unknown> | undefined {
  const value = parseJson(text)
  return isRecord(value) ? value : undefined
}

/** Parses the values of a cookie that holds a JSON object, percent-encoded in whole, in part or not at all. */
export function readJsonCookies(request: TrackedRequest, name: string): Record<string, unknown>[] {
  return readCookies(request, name)
    .map(jsonObject)
    .filter((record) => record !== undefined)
}

/** Parses the values of a cookie that holds a JSON object in base64. */
export function readBase64Cookies(request: TrackedRequest, name: string): Record<string, unknown>[] {
  return readCookies(request, name)
    .map((value) => parsedObject(base64Decoded(value)))
    .filter((record) => record !== undefined)
}

function jsonObject(value: string): Record<string, unknown> | undefined {
  if (!value.includes('%')) return parsedObject(value)
  // Unencoded JSON may contain a `%`, so the raw value is tried if the decoded one fails.
  return parsedObject(percentDecoded(value)) ?? parsedObject(value)
}

/** Returns an object's own member, never an inherited one. */
export function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

/** Returns an object's own member if that is an object, too. */
export function ownObject(record: Record<string, unknown>, key: string): Record<string, unknown> | undefined {
  const value = own(record, key)
  return isRecord(value) ? value : undefined
}

/** Whether a record names the version that the site has now. Without such a version every record does. */
export function hasVersion(
  record: Record<string, unknown>,
  key: string,
  version: string | number | undefined,
): boolean {
  if (version === undefined) return true
  const recorded = own(record, key)
  return (
    (typeof recorded === 'string' || typeof recorded === 'number') && String(recorded) === String(version)
  )
}

/** Collects an object's own members that are `true` or `false`. */
export function booleansOf(record: Record<string, unknown>): Map<string, boolean> {
  const booleans = new Map<string, boolean>()
  for (const [key, value] of Object.entries(record)) {
    if (typeof value === 'boolean') booleans.set(key, value)
  }
  return booleans
}

/** Returns a list of strings, or `undefined` for anything else. */
export function stringsOf(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined
}

/**
 * Splits a text such as `a:yes,b:no` into names and values.
 *
 * @param separator - Separates the pairs.
 * @param assignment - Separates a name from its value. A part without it is left out.
 */
export function pairsOf(
  text: string,
  separator: string,
  assignment: string,
): [name: string, value: string][] {
  const pairs: [string, string][] = []
  for (const part of text.split(separator)) {
    const at = part.indexOf(assignment)
    if (at > 0) pairs.push([part.slice(0, at), part.slice(at + assignment.length)])
  }
  return pairs
}
