import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { readJsonCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { type ConsentRecord, choiceOfBit, choicesOf } from './record.js'

/**
 * Reads the choice that the banner of Wix recorded: `{"ess":1,"func":1,"anl":0,"adv":0,"dt3":1}` in the cookie
 * `consent-policy`, written when the visitor chose.
 *
 * By default `ess` (essential) is `functional`, `anl` (analytics) `analytics`; `adv` (advertising) and `dt3` (data to third
 * parties, the opt-out of a sale) are `marketing`. `func` has no key.
 *
 * Source: Wix, "Consent policy" of its site API (`essential`, `functional`, `analytics`, `advertising`,
 * `dataToThirdParty`), and captures.
 */
export function wix(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'wix',
    options,
    rules: {},
    defaults: { ess: 'functional', anl: 'analytics', adv: 'marketing', dt3: 'marketing' },
    complete: true,
    others: ['func'],
    read,
  })
}

markFactory(wix, 'wix()')

function read(request: TrackedRequest): ConsentRecord[] {
  return readJsonCookies(request, 'consent-policy').flatMap((record) => {
    const choices = choicesOf(record, choiceOfBit)
    // The time stands among the categories.
    choices.delete('ts')
    return choices.size === 0 ? [] : [{ explicit: true, choices }]
  })
}
