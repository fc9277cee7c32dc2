import { toId } from '../../model/identity.js'
import { decodeCookie } from '../cookies.js'
import { parseJson } from '../json.js'

/** Longer than the ids of any identity provider; Segment itself sets no bound. */
const MAX_ID_LENGTH = 256
const CONTROL_CHARACTER = /\p{Cc}/u
/** Texts that scripts write into a cookie when they have no id. */
const NO_ID = new Set(['null', 'undefined'])

/**
 * Returns an id as text: a string unchanged, a number or bigint in digits. Blank text, more than 256 characters and
 * control characters are not an id. An object never is: it would become `[object Object]`.
 */
export function readId(value: unknown): string | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return readId(toId(value))
  if (typeof value !== 'string' || value.length > MAX_ID_LENGTH || value.trim() === '') return undefined
  return CONTROL_CHARACTER.test(value) ? undefined : value
}

/**
 * Reads an id from a cookie that holds nothing else. Libraries write it plain or as a JSON string (`%22…%22`). Digits
 * stay text, because an id of 19 digits does not fit a number.
 *
 * The texts `null` and `undefined`, JSON objects and arrays are not ids. Neither are the prefixed values of
 * cookie-parser: `j:` marks JSON, `s:` a signature that this function cannot check.
 */
export function readCookieId(raw: string | undefined): string | undefined {
  const text = decodeCookie(raw)
  if (text === undefined || /^(?:[[{]|[js]:)/.test(text)) return undefined
  const id = readId(text.startsWith('"') ? parseJson(text) : text)
  return id === undefined || NO_ID.has(id.trim()) ? undefined : id
}

/**
 * Reads a member, inherited ones and getters included, of a value that other middleware left. A member that throws
 * counts as absent, so foreign code cannot fail the request.
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
