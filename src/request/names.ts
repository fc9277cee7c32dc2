/** An HTTP token: RFC 9110, section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** A cookie's name as browsers send it. RFC 6265 allows only a token, but PHP, for one, writes `a[b]`. */
const COOKIE_NAME = /^[^=;\s\p{Cc}]+$/u

/** @throws TypeError if this cannot be a header's name. */
export function checkHeaderName(factory: string, name: unknown): void {
  if (typeof name === 'string' && HEADER_NAME.test(name)) return
  throw new TypeError(`${factory}() got ${shown(name)}; it takes a header's name, such as 'x-user-id'`)
}

/** @throws TypeError if this cannot be a cookie's name. */
export function checkCookieName(factory: string, name: unknown): void {
  if (typeof name === 'string' && COOKIE_NAME.test(name)) return
  throw new TypeError(`${factory}() got ${shown(name)}; it takes a cookie's name, such as 'visitor_id'`)
}

/** Shows a name that was given to a factory, or the type of anything else. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : typeof value
}
