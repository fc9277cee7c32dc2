import { percentDecoded } from './percent.js'

const SEMICOLON = 0x3b
const EQUALS = 0x3d
/** Node's default limit for all headers together. */
const MAX_HEADER_LENGTH = 16 * 1024
/** More than browsers keep for a site: Chrome and Firefox 180. */
const MAX_COOKIES = 512
/** Browsers' limit for one cookie, name and attributes included. */
const MAX_VALUE_LENGTH = 4 * 1024

/**
 * Splits a `Cookie` header into names and raw values: a value is not decoded and keeps its quotes, because every writer of
 * cookies encodes in its own way.
 *
 * The first of several cookies with one name wins: by RFC 6265 it has the longest path. Parts without a `=` or without a
 * name are left out, and so is everything beyond 16 KB or 512 cookies.
 *
 * @param header - The request's `Cookie` header; Node joins several headers to one.
 *
 * @example
 * parseCookies('a=1; b="x%20y"; a=2') // Map { 'a' => '1', 'b' => '"x%20y"' }
 */
export function parseCookies(header: string | undefined): ReadonlyMap<string, string> {
  const cookies = new Cookies()
  if (header === undefined) return cookies
  // One pass over the characters: a search for the next `=` or `;` at every part would be quadratic, or cost too much.
  let start = 0
  let equals = -1
  let left = MAX_COOKIES
  for (let at = 0; at <= header.length && left > 0; at++) {
    const character = at < header.length ? header.charCodeAt(at) : SEMICOLON
    if (character === EQUALS && equals < start) {
      equals = at
    } else if (character === SEMICOLON) {
      // Half a cookie would be another cookie, so the one that crosses the limit is left out.
      if (at > MAX_HEADER_LENGTH) break
      const name = equals > start ? header.slice(start, equals).trim() : ''
      if (name !== '') {
        left--
        cookies.add(name, header.slice(equals + 1, at).trim())
      }
      start = at + 1
    }
  }
  return cookies
}

/** A cookie's name and raw value. */
export type Cookie = readonly [name: string, value: string]

const NONE: readonly Cookie[] = []

/** The cookies of a parsed header whose name had come before, in order. */
export function repeatedCookies(cookies: ReadonlyMap<string, string>): readonly Cookie[] {
  return (cookies instanceof Cookies && cookies.repeated) || NONE
}

class Cookies extends Map<string, string> {
  repeated: Cookie[] | undefined

  add(name: string, value: string): void {
    if (!this.has(name)) {
      this.set(name, value)
      return
    }
    this.repeated ??= []
    this.repeated.push([name, value])
  }
}

/**
 * Undoes percent-encoding. A `+` stays a `+`: it means a space in forms only.
 *
 * @param value - A cookie's raw value.
 * @returns The text, or `undefined` if there is none, it is longer than 4 KB or it is not valid percent-encoded UTF-8.
 */
export function decodeCookie(value: string | undefined): string | undefined {
  return value === undefined || value.length > MAX_VALUE_LENGTH ? undefined : percentDecoded(value)
}
