import type { TrackedRequest } from '../../model/tracked-request.js'
import { type Cookie, repeatedCookies } from '../cookies.js'

/** Different values of one cookie. Browsers send a few, one for each domain and path that set it. */
export const MAX_VALUES = 16

const NONE: readonly string[] = []

/**
 * Returns the different values of a cookie, in the order in which the browser sent them. A site that sets a cookie for
 * its own host and for the wider domain gets both, often with different choices in them.
 *
 * @returns At most one more than {@link MAX_VALUES}, so that a caller can tell that there are too many.
 */
export function cookieValues(request: TrackedRequest, name: string): readonly string[] {
  const first = request.cookies.get(name)
  if (first === undefined) return NONE
  const repeated = repeatedCookies(request.cookies)
  return repeated.length === 0 ? [first] : distinctValues(repeated, name, first)
}

/** Visits every cookie of a request, those with one name each for itself, in the order of that name. */
export function eachCookieOf(request: TrackedRequest, visit: (name: string, value: string) => void): void {
  request.cookies.forEach((value, name) => {
    visit(name, value)
  })
  for (const [name, value] of repeatedCookies(request.cookies)) visit(name, value)
}

/**
 * Returns the names of the cookies that match, for managers that put an id of the site into the name.
 *
 * @param pattern - Anchored, and without the flag `g`.
 * @returns None if there are more than a site has.
 */
export function cookieNamesLike(request: TrackedRequest, pattern: RegExp): readonly string[] {
  const names = new Set<string>()
  for (const name of request.cookies.keys()) {
    if (names.size <= MAX_VALUES && pattern.test(name)) names.add(name)
  }
  return names.size > MAX_VALUES ? NONE : [...names]
}

function distinctValues(repeated: readonly Cookie[], name: string, first: string): readonly string[] {
  const values = new Set([first])
  for (const [other, value] of repeated) {
    if (other === name && values.size <= MAX_VALUES) values.add(value)
  }
  return [...values]
}
