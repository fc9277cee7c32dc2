import { parsedJson } from '../model/parsed-json.js'

/** Deeper than any record that a script keeps in a cookie. */
const MAX_DEPTH = 32

/** Parses JSON. Gives `undefined` if the text is not JSON, or nested so deeply that it was made to slow the parser down. */
export function parseJson(text: string | undefined): unknown {
  return text === undefined || isDeep(text) ? undefined : parsedJson(text)
}

/** Counts brackets, including those in strings: only a hostile text has so many of them. */
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
