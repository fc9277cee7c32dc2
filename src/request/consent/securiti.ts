import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { own, ownObject, readJsonCookies } from './decode.js'
import { type ConsentReader, consentReader, type MappedConsentOptions } from './reader.js'
import { type ConsentRecord, choiceOfBit, choicesOf } from './record.js'

/**
 * Reads the choice that Securiti recorded: `consents` in the JSON of the cookie `__privaci_cookie_consents`, 1 (granted) or
 * 0 (refused) for each category.
 *
 * The choice counts as made when `implicit_consent` is `false`; older records do not say it, and are unknown. A category
 * that the record leaves out was refused.
 *
 * There is no default map: every tenant has numbers of its own, and two tenants mean different things by the same one.
 *
 * Source: captures of several sites.
 *
 * @throws TypeError without `categories`.
 *
 * @example
 * consent: securiti({ categories: { 1: 'functional', 3: 'analytics', 4: 'marketing' } })
 */
export function securiti(options: MappedConsentOptions): ConsentReader {
  return consentReader({ name: 'securiti', options, rules: {}, read })
}

markFactory(securiti, "securiti({ categories: { 3: 'analytics', 4: 'marketing' } })")

function read(request: TrackedRequest): ConsentRecord[] {
  return readJsonCookies(request, '__privaci_cookie_consents').flatMap((record) => {
    const consents = ownObject(record, 'consents')
    if (consents === undefined) return []
    return [
      { explicit: own(record, 'implicit_consent') === false, choices: choicesOf(consents, choiceOfBit) },
    ]
  })
}
