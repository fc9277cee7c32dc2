import { percentDecoded } from './percent.js'

const SPACE = 0x20
const SEMICOLON = 0x3b
const EQUALS = 0x3d
/** The last of the visible characters of ASCII. */
const TILDE = 0x7e
/** Characters of a part that are looked at one by one. */
const SHORT_PART = 16
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
  let start = 0
  for (let left = MAX_COOKIES; left > 0; left--) {
    start = afterNameless(header, start)
    const equals = header.indexOf('=', start)
    if (equals === -1) break
    let end = endOfPart(header, start)
    if (end < equals) {
      // However many parts without a `=` there are, they are passed over at once.
      start = header.lastIndexOf(';', equals) + 1
      end = endOfPart(header, equals)
    }
    // Half a cookie would be another cookie, so the one that crosses the limit is left out.
    if (end > MAX_HEADER_LENGTH) break
    const name = trimmed(header, start, equals)
    if (name !== '') cookies.add(name, trimmed(header, equals + 1, end))
    start = end + 1
  }
  return cookies
}

/** Where the first part begins, from a part's beginning on, that does not begin with `=`. */
function afterNameless(header: string, start: number): number {
  let at = start
  while (header.charCodeAt(at) === EQUALS) {
    const near = Math.min(at + SHORT_PART, header.length)
    do at++
    while (at < near && header.charCodeAt(at) !== SEMICOLON)
    // A search is faster than looking at many characters, and slower than looking at a few.
    if (at === near) at = endOfPart(header, near)
    at++
  }
  return at
}

function endOfPart(header: string, from: number): number {
  const end = header.indexOf(';', from)
  return end === -1 ? header.length : end
}

/** A part of a text without the white space around it. Between cookies is one space, which is no reason to make two texts. */
function trimmed(text: string, start: number, end: number): string {
  const from = text.charCodeAt(start) === SPACE ? start + 1 : start
  if (from >= end) return ''
  const part = text.slice(from, end)
  return isVisible(text.charCodeAt(from)) && isVisible(text.charCodeAt(end - 1)) ? part : part.trim()
}

function isVisible(character: number): boolean {
  return character > SPACE && character <= TILDE
}

/** A cookie's name and raw value. */
export type Cookie = readonly [name: string, value: string]

const NONE: readonly Cookie[] = []

/** The cookies of a parsed header whose name had come before, in order. One that only says again what came right before is left out. */
export function repeatedCookies(cookies: ReadonlyMap<string, string>): readonly Cookie[] {
  return (cookies instanceof Cookies && cookies.repeated) || NONE
}

class Cookies extends Map<string, string> {
  repeated: Cookie[] | undefined

  add(name: string, value: string): void {
    const first = this.get(name)
    if (first === undefined) {
      this.set(name, value)
      return
    }
    const last = this.repeated?.at(-1)
    const saysAgain = last ? last[0] === name && last[1] === value : first === value
    if (saysAgain) return
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
