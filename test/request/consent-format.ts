import type { ConsentOptions, ConsentReader } from '../../src/request/consent/index.js'

/** What a visitor decided, in a manager's own categories. */
export type Choices = ReadonlyMap<string, boolean>

/** A consent manager, as seen from the browser: how it writes a choice down. */
export interface Format {
  readonly name: string
  readonly reader: (options?: ConsentOptions) => ConsentReader
  /** The categories behind each walkerOS key by default. */
  readonly keys: Readonly<Record<string, readonly string[]>>
  /** The `Cookie` header after the choice; `null` stands for a visitor who has not chosen yet. */
  readonly write: (choices: Choices | null) => string
  /** Whether the record never says that what is necessary was refused. */
  readonly necessaryIsImplied?: boolean
}

export function json(value: unknown): string {
  return encodeURIComponent(JSON.stringify(value))
}

export function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64')
}

/** Writes bit fields as the IAB's strings have them: base64url, the last character filled up with zeroes. */
export function bitString(fields: readonly (readonly [value: number, bits: number])[]): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const bits = fields.map(([value, count]) => value.toString(2).padStart(count, '0')).join('')
  let text = ''
  for (let at = 0; at < bits.length; at += 6) {
    text += alphabet.charAt(Number.parseInt(bits.slice(at, at + 6).padEnd(6, '0'), 2))
  }
  return text
}

/** A TC string with the consented purposes, and what a test wants otherwise than usual. */
export function tcString(
  purposes: readonly number[],
  { version = 2, isServiceSpecific = 1, legitimateInterests = 0 } = {},
): string {
  const core = bitString([
    [version, 6],
    [17_356_032_000, 36],
    [17_356_032_000, 36],
    [31, 12],
    [7, 12],
    [1, 6],
    [4 * 64 + 13, 12],
    [117, 12],
    [5, 6],
    [isServiceSpecific, 1],
    [0, 1],
    [0, 12],
    ...Array.from({ length: 24 }, (_, index) => [purposes.includes(index + 1) ? 1 : 0, 1] as const),
    [legitimateInterests, 24],
    [0, 1],
    [3 * 64 + 4, 12],
    [0, 16],
    [0, 1],
    [0, 16],
    [0, 1],
    [0, 12],
  ])
  return `${core}.YAAAAAAAAAAA`
}

/** The granted ones. */
export function granted(choices: Choices): string[] {
  return [...choices].filter(([, isGranted]) => isGranted).map(([category]) => category)
}

/** The refused ones. */
export function refused(choices: Choices): string[] {
  return [...choices].filter(([, isGranted]) => !isGranted).map(([category]) => category)
}

/** The choices as text, such as `a:yes,b:no`. */
export function list(
  choices: Choices,
  assignment: string,
  yes: string,
  no: string,
  separator: string,
): string {
  return [...choices].map(([name, is]) => `${name}${assignment}${is ? yes : no}`).join(separator)
}
