/** Deeper than any record that a script keeps in a cookie. */
const MAX_DEPTH = 32

/**
 * What a text says in JSON, or `undefined` where it is none, or nested as deeply as only those nest it who want the
 * parser to take its time.
 */
export function parseJson(text: string | undefined): unknown {
  if (text === undefined || isDeep(text)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return undefined
  }
}

/** Counts brackets without looking for strings: a text has to be made for it to have so many in them. */
function isDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '[' || character === '{') {
      depth++
      if (depth > MAX_DEPTH) return true
    } else if (character === ']' || character === '}') {
      depth--
    }
  }
  return false
}
