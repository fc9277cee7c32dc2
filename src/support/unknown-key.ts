/** An object's keys, for the message about an unknown one. */
export interface KnownKeys {
  readonly known: readonly string[]
  /** Known keys that are refused, and why. */
  readonly refused: Readonly<Record<string, string>>
  /** Keys that belong elsewhere, and their places: `{ writeKey: ['settings.writeKey'] }`. */
  readonly elsewhere: Readonly<Record<string, readonly string[]>>
}

/** Share of the longer word that may differ in a typing error. */
const MOST_DIFFERENT = 1 / 3

/** Makes the message about a key that an object may not have. */
export function explainKey(key: string, { known, refused, elsewhere }: KnownKeys): string {
  if (Object.hasOwn(refused, key)) return refused[key] ?? ''
  const places = Object.hasOwn(elsewhere, key) ? elsewhere[key] : undefined
  if (places) return `unknown key here, did you mean ${places.join(' or ')}?`
  const near = nearest(key, known)
  return near === undefined
    ? `unknown key, known are ${known.join(', ')}`
    : `unknown key, did you mean ${near}?`
}

/** Finds the word that was probably meant, by edit distance; `undefined` if none is close enough. */
export function nearest(given: string, words: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const word of words) {
    const most = Math.floor(MOST_DIFFERENT * Math.max(given.length, word.length))
    if (Math.abs(given.length - word.length) > most) continue
    const distance = editDistance(given.toLowerCase(), word.toLowerCase())
    if (distance > most || distance >= bestDistance) continue
    best = word
    bestDistance = distance
  }
  return best
}

/** Counts the characters to add, remove, replace or swap with their neighbour to get from one word to the other. */
function editDistance(from: string, to: string): number {
  let before: number[] = []
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const removed = at(row, j) + 1
      const added = at(next, j - 1) + 1
      const replaced = at(row, j - 1) + (from[i - 1] === to[j - 1] ? 0 : 1)
      const swaps = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const swapped = swaps ? at(before, j - 2) + 1 : replaced
      next.push(Math.min(removed, added, replaced, swapped))
    }
    before = row
    row = next
  }
  return at(row, to.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}

/**
 * @param name - What the options belong to, such as a function's name.
 * @throws TypeError for an option that is not known, with the one that was probably meant.
 */
export function assertKnownKeys(name: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown === undefined) return
  const near = nearest(unknown, known)
  const hint = near === undefined ? `; known are ${known.join(', ')}` : `, did you mean ${near}?`
  throw new TypeError(`${name}: unknown option ${unknown}${hint}`)
}
