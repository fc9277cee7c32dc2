/** Node's default limit for all headers together. */
const MAX_HEADER_LENGTH = 16 * 1024
/** Browsers' limit for one cookie, name and attributes included. */
const MAX_VALUE_LENGTH = 4 * 1024

/**
 * Splits a `Cookie` header into names and raw values: a value is not decoded and keeps its quotes, because every writer of
 * cookies encodes in its own way.
 *
 * The first of several cookies with one name wins: by RFC 6265 it has the longest path. Parts without a `=` or without a
 * name are left out, and so is everything beyond 16 KB.
 *
 * @param header - The request's `Cookie` header; Node joins several headers to one.
 *
 * @example
 * parseCookies('a=1; b="x%20y"; a=2') // Map { 'a' => '1', 'b' => '"x%20y"' }
 */
export function parseCookies(header: string | undefined): ReadonlyMap<string, string> {
  const cookies = new Map<string, string>()
  if (header === undefined) return cookies
  eachCookie(header, (name, value) => {
    if (!cookies.has(name)) cookies.set(name, value)
  })
  return cookies
}

/** Visits every cookie of a `Cookie` header in order, those with one name each for itself, by the rules of {@link parseCookies}. */
export function eachCookie(header: string, visit: (name: string, value: string) => void): void {
  let start = 0
  while (start < header.length) {
    const semicolon = header.indexOf(';', start)
    const end = semicolon === -1 ? header.length : semicolon
    // Half a cookie would be another cookie, so the one that crosses the limit is left out.
    if (end > MAX_HEADER_LENGTH) break
    const equals = header.indexOf('=', start)
    if (equals === -1) break
    if (equals < end) {
      const name = header.slice(start, equals).trim()
      if (name !== '') visit(name, header.slice(equals + 1, end).trim())
    }
    start = end + 1
  }
}

/**
 * Undoes percent-encoding. A `+` stays a `+`: it means a space in forms only.
 *
 * @param value - A cookie's raw value.
 * @returns The text, or `undefined` if there is none, it is longer than 4 KB or it is not valid percent-encoded UTF-8.
 */
export function decodeCookie(value: string | undefined): string | undefined {
  if (value === undefined || value.length > MAX_VALUE_LENGTH) return undefined
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    return undefined
  }
}
