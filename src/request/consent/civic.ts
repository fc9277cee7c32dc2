import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { own, ownObject, readJsonCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, COMMON_CATEGORIES, type ConsentRecord } from './record.js'

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
  return consentReader({
    name: 'civic',
    options,
    rules: {},
    defaults: COMMON_CATEGORIES,
    ignoresCase: true,
    read,
  })
}

markFactory(civic, 'civic()')

function read(request: TrackedRequest): ConsentRecord[] {
  return readJsonCookies(request, 'CookieControl').flatMap((record) => {
    const optional = ownObject(record, 'optionalCookies')
    if (optional === undefined) return []
    const choices = new Map<string, Choice>([['necessary', true]])
    for (const [name, value] of Object.entries(optional)) {
      const category = name.toLowerCase()
      if (value === 'accepted' || value === 'revoked') addChoice(choices, category, value === 'accepted')
      else if (!choices.has(category)) choices.set(category, 'undecided')
    }
    return [{ explicit: own(record, 'interactedWith') === true, choices }]
  })
}
