import type { TrackedRequest } from '../../model/tracked-request.js'
import { own, ownObject, readJsonCookie } from './decode.js'
import {
  addChoice,
  type Choice,
  COMMON_CATEGORIES,
  type ConsentOptions,
  type ConsentReader,
  type ConsentRecord,
  consentReader,
} from './reader.js'

/**
 * Reads the choice that Civic Cookie Control recorded: `optionalCookies` in the JSON of the cookie `CookieControl`,
 * where a category is `accepted` or `revoked`.
 *
 * The choice counts as made when `interactedWith` is `true`. A category under `legitimate interest` is unknown, since
 * nobody asked for it. The record leaves out necessary cookies: they count as a granted category `necessary`.
 *
 * The site names its categories, in upper or lower case. By default `necessary` is `functional`; `analytics` and
 * `statistics` are `analytics`; `marketing`, `advertising`, `advertisement` and `targeting` are `marketing`. Any
 * other name needs `categories`.
 */
export function civic(options: ConsentOptions = {}): ConsentReader {
  const { categories } = options
  return consentReader({
    name: 'civic',
    options: { ...options, ...(categories && { categories: inLowerCase(categories) }) },
    defaults: COMMON_CATEGORIES,
    read,
  })
}

function read(request: TrackedRequest): ConsentRecord | undefined {
  const record = readJsonCookie(request, 'CookieControl')
  const optional = record === undefined ? undefined : ownObject(record, 'optionalCookies')
  if (record === undefined || optional === undefined) return undefined
  const choices = new Map<string, Choice>([['necessary', true]])
  for (const [name, value] of Object.entries(optional)) {
    const category = name.toLowerCase()
    if (value === 'accepted' || value === 'revoked') addChoice(choices, category, value === 'accepted')
    else if (!choices.has(category)) choices.set(category, 'undecided')
  }
  return { explicit: own(record, 'interactedWith') === true, choices }
}

function inLowerCase<T>(categories: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(categories).map(([name, key]) => [name.toLowerCase(), key]))
}
