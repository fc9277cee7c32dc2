import type { TrackedRequest } from '../../model/tracked-request.js'
import { isRecord } from '../../model/values.js'
import { markFactory } from '../reader-factory.js'
import { booleansOf, own, ownObject, readJsonCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, COMMON_CATEGORIES, type ConsentRecord } from './record.js'

/**
 * Reads the choice that Evidon (Crownpeak) recorded: `categories` in the JSON of the cookie `_evidon_consent_cookie`, for
 * each country's notice either `true` for all of them or an object with each category.
 *
 * The choice counts as made when the record has a `consent_date` and its `consent_type` is 1 or absent: 2 is seen where the
 * browser's Global Privacy Control answered. Declining on the banner writes no cookie, so that it stays unknown.
 *
 * The site names its categories, in upper or lower case. By default `necessary`, `essential` and `required` are
 * `functional`; `analytics` and `statistics` are `analytics`; `marketing`, `advertisement`, `advertising` and `targeting` are
 * `marketing`.
 *
 * Source: Crownpeak, "How do site notices work?", and captures of several sites.
 */
export function evidon(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'evidon',
    options,
    rules: {},
    defaults: COMMON_CATEGORIES,
    ignoresCase: true,
    others: ['social media'],
    read,
  })
}

markFactory(evidon, 'evidon()')

const TYPES: readonly unknown[] = [undefined, 1]

function read(request: TrackedRequest): ConsentRecord[] {
  return readJsonCookies(request, '_evidon_consent_cookie').flatMap((record) => {
    const explicit =
      typeof own(record, 'consent_date') === 'string' && TYPES.includes(own(record, 'consent_type'))
    return Object.values(ownObject(record, 'categories') ?? {}).flatMap((country): ConsentRecord[] => {
      if (typeof country === 'boolean') return [{ explicit, choices: new Map(), rest: country }]
      const choices = new Map<string, Choice>()
      for (const [name, granted] of booleansOf(isRecord(country) ? country : {})) {
        addChoice(choices, name.toLowerCase(), granted)
      }
      return choices.size === 0 ? [] : [{ explicit, choices }]
    })
  })
}
