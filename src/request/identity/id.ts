import { decodeCookie } from '../cookies.js'
import { parseJson } from '../json.js'

/** Longer than the ids of any identity provider; Segment itself sets no bound. */
const MAX_ID_LENGTH = 256
const CONTROL_CHARACTER = /\p{Cc}/u
/** What scripts write into a cookie when they have no id. */
const NO_ID = new Set(['null', 'undefined'])

/**
 * An id as text: a string as it is, a number or bigint in digits. What is blank, longer than 256 characters or has control
 * characters is no id, and an object never is: it would become `[object Object]`.
 */
export function readId(value: unknown): string | undefined {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))) {
    return readId(String(value))
  }
  if (typeof value !== 'string' || value.length > MAX_ID_LENGTH || value.trim() === '') return undefined
  return CONTROL_CHARACTER.test(value) ? undefined : value
}

/**
 * An id from a cookie that holds nothing else, plain or as a JSON string (`%22…%22`), the two forms in which libraries write
 * it. Digits stay text: an id of 19 digits does not fit a number.
 *
 * No id are `null` and `undefined` as text, JSON objects and arrays, and the marked values of cookie-parser: `j:` holds
 * JSON, `s:` a signature that nobody has checked here.
 */
export function readCookieId(raw: string | undefined): string | undefined {
  const text = decodeCookie(raw)
  if (text === undefined || /^(?:[[{]|[js]:)/.test(text)) return undefined
  const id = readId(text.startsWith('"') ? parseJson(text) : text)
  return id === undefined || NO_ID.has(id.trim()) ? undefined : id
}

/**
 * Reads a member of what other middleware left, inherited ones and getters included. It may be anything, so nothing
 * that it does comes through: what throws is absent.
 */
export function member(owner: unknown, key: string): unknown {
  if ((typeof owner !== 'object' || owner === null) && typeof owner !== 'function') return undefined
  try {
    const value: unknown = Reflect.get(owner, key)
    return value
  } catch {
    return undefined
  }
}
