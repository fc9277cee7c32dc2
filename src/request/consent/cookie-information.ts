import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { own, readJsonCookies, stringsOf } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/**
 * Reads the choice that Cookie Information recorded: the lists `consents_approved` and `consents_denied` in the JSON
 * of the cookie `CookieInformationConsent`, written when the visitor chose.
 *
 * By default `cookie_cat_necessary` is `functional`, `cookie_cat_statistic` `analytics`, `cookie_cat_marketing`
 * `marketing`; `cookie_cat_functional` and `cookie_cat_unclassified` have no key.
 */
export function cookieInformation(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'cookieInformation',
    options,
    rules: {},
    defaults: {
      cookie_cat_necessary: 'functional',
      cookie_cat_statistic: 'analytics',
      cookie_cat_marketing: 'marketing',
    },
    others: ['cookie_cat_functional', 'cookie_cat_unclassified'],
    read,
  })
}

markFactory(cookieInformation, 'cookieInformation()')

function read(request: TrackedRequest): ConsentRecord[] {
  return readJsonCookies(request, 'CookieInformationConsent').flatMap((record) => {
    const approved = stringsOf(own(record, 'consents_approved'))
    const denied = stringsOf(own(record, 'consents_denied'))
    if (approved === undefined && denied === undefined) return []
    const choices = new Map<string, Choice>()
    for (const category of approved ?? []) addChoice(choices, category, true)
    for (const category of denied ?? []) addChoice(choices, category, false)
    return [{ explicit: true, choices }]
  })
}
