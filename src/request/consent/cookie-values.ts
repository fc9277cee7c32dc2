import type { TrackedRequest } from '../../model/tracked-request.js'
import { eachCookie } from '../cookies.js'

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
  const { cookie } = request.headers
  if (cookie === undefined || !comesTwice(cookie, `${name}=`)) return [first]
  return distinctValues(cookie, name, first)
}

/** Visits every cookie of a request, those with one name each for itself. */
export function eachCookieOf(request: TrackedRequest, visit: (name: string, value: string) => void): void {
  const { cookie } = request.headers
  if (cookie !== undefined) eachCookie(cookie, visit)
  else for (const [name, value] of request.cookies) visit(name, value)
}

/** A quick look that may say yes without need: the name can be the end of another one. */
function comesTwice(header: string, assignment: string): boolean {
  return header.indexOf(assignment, header.indexOf(assignment) + 1) !== -1
}

function distinctValues(header: string, name: string, first: string): readonly string[] {
  const values = new Set([first])
  eachCookie(header, (other, value) => {
    if (other === name && values.size <= MAX_VALUES) values.add(value)
  })
  return [...values]
}
