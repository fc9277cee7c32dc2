import { isRecord } from '../../model/values.js'

/** A write key, and what its owner calls it. */
export interface NamedKey {
  /** Absent where the file only lists keys. */
  readonly name?: string
  readonly writeKey: string
}

/** More sources than one process can serve well, since each has a connection of its own. */
const MOST_KEYS = 500
const LONGEST_NAME = 100

/**
 * Reads the write keys of a file: an object of JSON, `{ "shop": "WRITE_KEY" }`, or one write key a line. Blank lines, and those
 * that begin with `#`, count for nothing.
 *
 * @throws With the place of what is wrong. No message quotes the text, since any of it may be a key.
 */
export function writeKeysIn(text: string): readonly NamedKey[] {
  const keys = /^\s*[{["]/.test(text) ? keysOfJson(text) : keysOfLines(text)
  if (keys.length === 0) throw new Error('it has no write key')
  if (keys.length > MOST_KEYS)
    throw new Error(`it has ${keys.length} write keys: at most ${MOST_KEYS} are served`)
  const seen = new Set<string>()
  for (const [index, { name, writeKey }] of keys.entries()) {
    if (seen.has(writeKey)) throw new Error(`${placeOf(index, name)} repeats a write key`)
    seen.add(writeKey)
  }
  return keys
}

function keysOfJson(text: string): NamedKey[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    // The message of the parser quotes the text.
    throw new Error('it is no JSON: expected { "name": "write key" }, or one write key a line')
  }
  if (!isRecord(parsed)) throw new Error('its JSON is no object: expected { "name": "write key" }')
  return Object.entries(parsed).map(([name, writeKey], index) => {
    if (name.trim() === '' || name.length > LONGEST_NAME)
      throw new Error(`the name of entry ${index + 1} is empty, or has more than ${LONGEST_NAME} characters`)
    if (typeof writeKey !== 'string' || !isKey(writeKey))
      throw new Error(`${placeOf(index, name)} is no write key: expected a text without spaces`)
    return { name, writeKey }
  })
}

function keysOfLines(text: string): NamedKey[] {
  return text.split('\n').flatMap((line, index) => {
    const writeKey = line.trim()
    if (writeKey === '' || writeKey.startsWith('#')) return []
    if (!isKey(writeKey)) throw new Error(`line ${index + 1} is no write key: expected a text without spaces`)
    return [{ writeKey }]
  })
}

function isKey(text: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(text)
}

function placeOf(index: number, name: string | undefined): string {
  return name === undefined ? `write key ${index + 1}` : `entry ${index + 1}`
}
