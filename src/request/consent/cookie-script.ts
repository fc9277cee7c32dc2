import type { TrackedRequest } from '../../model/tracked-request.js'
import { parseJson } from '../json.js'
import { markFactory } from '../reader-factory.js'
import { own, readJsonCookies, stringsOf } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import type { Choice, ConsentRecord } from './record.js'

const CATEGORIES = ['performance', 'targeting', 'functionality', 'unclassified']

/**
 * Reads the choice that CookieScript recorded in the cookie `CookieScriptConsent`: JSON with an `action` and, as JSON
 * text inside it, the accepted `categories`.
 *
 * Only `accept` and `reject` are a choice; `reject` refuses the listed categories, too. A banner that asks for
 * everything at once records no list of categories. `strict` counts as granted, because the list may leave strictly
 * necessary cookies out.
 *
 * By default `strict` is `functional`, `performance` `analytics`, `targeting` `marketing`; `functionality` and
 * `unclassified` have no key.
 */
export function cookieScript(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'cookieScript',
    options,
    rules: {},
    defaults: { strict: 'functional', performance: 'analytics', targeting: 'marketing' },
    others: ['functionality', 'unclassified'],
    read,
  })
}

markFactory(cookieScript, 'cookieScript()')

function read(request: TrackedRequest): ConsentRecord[] {
  return readJsonCookies(request, 'CookieScriptConsent').flatMap((record) => {
    const action = own(record, 'action')
    if (action !== 'accept' && action !== 'reject') return []
    const accepted = action === 'accept' ? acceptedCategories(own(record, 'categories')) : []
    const choices = new Map<string, Choice>([['strict', true]])
    for (const category of accepted) choices.set(category, true)
    return [{ explicit: true, choices, acceptedOnly: true }]
  })
}

function acceptedCategories(listed: unknown): readonly string[] {
  if (listed === undefined) return CATEGORIES
  return stringsOf(typeof listed === 'string' ? parseJson(listed) : listed) ?? []
}
