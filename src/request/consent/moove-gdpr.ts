import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { readJsonCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { type ConsentRecord, choiceOfBit, choicesOf } from './record.js'

/**
 * Reads the choice that the WordPress plugin GDPR Cookie Compliance (Moove) recorded:
 * `{"strict":"1","thirdparty":"0","advanced":"0"}` in the cookie `moove_gdpr_popup`, written when the visitor saved,
 * accepted or refused.
 *
 * A refused `strict` refuses the others, too, as it switches them off in the plugin's dialog.
 *
 * By default `strict` is `functional`, `thirdparty` `analytics`, `advanced` `marketing`, as the plugin itself tells the WP
 * Consent API; `performance` (anonymous statistics) and `preference` have no key.
 *
 * Source: the plugin's `dist/scripts/main.js` (`moove_gdpr_save_cookies`, `moove_gdpr_change_switchers`), and captures.
 */
export function mooveGdpr(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'mooveGdpr',
    options,
    rules: {},
    defaults: { strict: 'functional', thirdparty: 'analytics', advanced: 'marketing' },
    complete: true,
    others: ['performance', 'preference'],
    read,
  })
}

markFactory(mooveGdpr, 'mooveGdpr()')

function read(request: TrackedRequest): ConsentRecord[] {
  return readJsonCookies(request, 'moove_gdpr_popup').flatMap((record) => {
    const choices = choicesOf(record, choiceOfBit)
    if (choices.size === 0) return []
    const isRefused = choices.get('strict') === false
    return [{ explicit: true, choices: isRefused ? choicesOf(record, () => false) : choices }]
  })
}
