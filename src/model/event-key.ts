/** The most characters of a key. */
const MAX_KEY_LENGTH = 255

const EXPECTED = `expected a text of 1 to ${MAX_KEY_LENGTH} characters that names what happened, such as the number of an order`

/** The idempotency key of an event, or what is wrong with it. */
export type ReadKey =
  | { readonly key: string | undefined; readonly problem?: undefined }
  | { readonly key?: undefined; readonly problem: string }

const NO_KEY: ReadKey = { key: undefined }

/** Reads the idempotency key of an event. The problem never quotes it: an application may make it of personal data. */
export function readKey(given: unknown): ReadKey {
  if (given === undefined) return NO_KEY
  const problem = problemOf(given)
  return typeof given === 'string' && problem === undefined
    ? { key: given }
    : { problem: `a key that is ${problem}: ${EXPECTED}` }
}

function problemOf(given: unknown): string | undefined {
  if (typeof given !== 'string') return given === null ? 'null' : `of the type ${typeof given}`
  if (given.length > MAX_KEY_LENGTH) return `${given.length} characters long`
  return given.trim() === '' ? 'empty' : undefined
}
