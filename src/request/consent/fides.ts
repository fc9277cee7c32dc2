import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { own, ownObject, readBase64Cookies, readJsonCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { COMMON_CATEGORIES, type ConsentRecord, choicesOf } from './record.js'

/**
 * Reads the choice that Fides (Ethyca) recorded: `consent` in the JSON of the cookie `fides_consent`, percent-encoded or in
 * base64. Categories are the keys of the site's notices.
 *
 * The choice counts as made when `fides_meta.consentMethod` is `accept`, `reject`, `save` or `individual_notice` (before it
 * `button`). The others are none: `dismiss`, `gpc`, a script of the site, or a choice that was taken over from another
 * manager.
 *
 * By default `necessary`, `essential` and `required` are `functional`; `analytics` and `statistics` are `analytics`;
 * `marketing`, `advertisement`, `advertising` and `targeting` are `marketing`. Keys such as `data_sales_and_sharing` need
 * `categories`.
 *
 * Source: github.com/ethyca/fides, `clients/fides-js/src/lib/cookie.ts` and `consent-types.ts`.
 */
export function fides(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'fides',
    options,
    rules: {},
    defaults: COMMON_CATEGORIES,
    others: ['functional'],
    read,
  })
}

markFactory(fides, 'fides()')

const COOKIE = 'fides_consent'
const CHOSEN: readonly unknown[] = ['accept', 'reject', 'save', 'individual_notice', 'button']

function read(request: TrackedRequest): ConsentRecord[] {
  return [...readJsonCookies(request, COOKIE), ...readBase64Cookies(request, COOKIE)].flatMap((record) => {
    const consent = ownObject(record, 'consent')
    const meta = ownObject(record, 'fides_meta')
    if (consent === undefined || meta === undefined) return []
    const choices = choicesOf(consent, (granted) => (typeof granted === 'boolean' ? granted : 'undecided'))
    return choices.size === 0 ? [] : [{ explicit: CHOSEN.includes(own(meta, 'consentMethod')), choices }]
  })
}
