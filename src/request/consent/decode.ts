import type { TrackedRequest } from '../../model/tracked-request.js'
import { isRecord } from '../../model/values.js'
import { parseJson } from '../json.js'

/**
 * The longest cookie value or header that is looked into, in characters.
 *
 * Browsers refuse longer cookies (RFC 6265, section 6.1), so a longer one was not written by a consent manager.
 */
export const MAX_LENGTH = 4096

/** A cookie's raw value, or `undefined` where it is absent, empty or too long to be a consent manager's. */
export function readCookie(request: TrackedRequest, name: string): string | undefined {
  return bounded(request.cookies.get(name))
}

/** A text as it is, or `undefined` where it is absent, empty or longer than {@link MAX_LENGTH}. */
export function bounded(text: string | undefined): string | undefined {
  return text !== undefined && text.length > 0 && text.length <= MAX_LENGTH ? text : undefined
}

/** Undoes percent-encoding once; `undefined` where it is malformed. */
export function percentDecoded(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** The text in a base64 or base64url value, itself percent-encoded or not; `undefined` where it is malformed. */
export function base64Decoded(text: string): string | undefined {
  const encoded = percentDecoded(text)
  if (encoded === undefined || !/^[\w+/-]+={0,2}$/.test(encoded)) return undefined
  return Buffer.from(encoded, 'base64').toString('utf8')
}

/** The object that JSON text holds, or `undefined` where it holds anything else. */
export function parsedObject(text: string | undefined): Record<string, unknown> | undefined {
  const value = parseJson(text)
  return isRecord(value) ? value : undefined
}

/** The object in a cookie that holds JSON, percent-encoded in whole, in part or not at all. */
export function readJsonCookie(request: TrackedRequest, name: string): Record<string, unknown> | undefined {
  const value = readCookie(request, name)
  if (value === undefined) return undefined
  if (!value.includes('%')) return parsedObject(value)
  // A `%` inside of unencoded JSON is no encoding, so the raw value is tried where the decoded one fails.
  return parsedObject(percentDecoded(value)) ?? parsedObject(value)
}

/** The object in a cookie that holds base64 of JSON. */
export function readBase64Cookie(request: TrackedRequest, name: string): Record<string, unknown> | undefined {
  const value = readCookie(request, name)
  return value === undefined ? undefined : parsedObject(base64Decoded(value))
}

/** An object's own member; never one that it inherits. */
export function own(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

/** An object's own member where it is an object, too. */
export function ownObject(record: Record<string, unknown>, key: string): Record<string, unknown> | undefined {
  const value = own(record, key)
  return isRecord(value) ? value : undefined
}

/** An object's own members that are `true` or `false`. */
export function booleansOf(record: Record<string, unknown>): Map<string, boolean> {
  const booleans = new Map<string, boolean>()
  for (const [key, value] of Object.entries(record)) {
    if (typeof value === 'boolean') booleans.set(key, value)
  }
  return booleans
}

/** A list of strings, or `undefined` for anything else. */
export function stringsOf(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined
}

/**
 * The names and values in a text such as `a:yes,b:no`.
 *
 * @param text - The text.
 * @param separator - What stands between the pairs.
 * @param assignment - What stands between a name and its value; a part without it is left out.
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
