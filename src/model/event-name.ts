/** The longest name of an event, in characters. */
const MAX_LENGTH = 255

const WHITE_SPACE = /\s/

/** A name in walkerOS's terms. */
export interface EventWords {
  /** The first word of the name. */
  readonly entity: string
  /** All further words; empty where the name is a single word. */
  readonly action: string
}

/**
 * Splits a name into its first word and the rest: `Checkout Step Viewed` is the entity `Checkout` and the action
 * `Step Viewed`.
 */
export function wordsOf(name: string): EventWords {
  const trimmed = name.trim()
  const end = trimmed.search(WHITE_SPACE)
  if (end < 0) return { entity: trimmed, action: '' }
  return { entity: trimmed.slice(0, end), action: trimmed.slice(end).trimStart() }
}

/**
 * Says why a value cannot be the name of an event. Every string of 1 to 255 characters can, unless it is white space alone
 * or a walkerOS command (`walker …`).
 *
 * @returns A sentence, or `undefined` for a valid name.
 */
export function problemOfName(name: unknown): string | undefined {
  const expected = `expected up to ${MAX_LENGTH} characters, such as 'order complete'`
  if (typeof name !== 'string')
    return `the event's name is ${name === undefined ? 'missing' : `a ${typeof name}`}: ${expected}`
  if (isTooLong(name))
    return `the event's name ${quotedName(name)} is too long, at most ${MAX_LENGTH} characters are allowed: ${expected}`
  const { entity, action } = wordsOf(name)
  if (entity === '') return `the event's name is ${name === '' ? 'empty' : 'white space alone'}: ${expected}`
  if (entity === 'walker' && action !== '')
    return `the event's name ${quotedName(name)} is a walkerOS command, which a tracker does not run: ${expected}`
  return undefined
}

/** Counts characters as people do: an emoji is one, although its string is longer. */
function isTooLong(name: string): boolean {
  if (name.length <= MAX_LENGTH) return false
  return name.length > 2 * MAX_LENGTH || [...name].length > MAX_LENGTH
}

/** The name as messages quote it: its beginning. */
export function quotedName(name: string): string {
  return JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name)
}
