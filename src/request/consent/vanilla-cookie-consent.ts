import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieName, rule } from '../reader-options.js'
import { hasVersion, own, ownObject, readJsonCookies, stringsOf } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { type Choice, COMMON_CATEGORIES, type ConsentRecord } from './record.js'

/** The options of {@link vanillaCookieConsent}. */
export interface VanillaCookieConsentOptions extends ConsentOptions {
  /** The cookie's name, the library's `cookie.name`. Defaults to `cc_cookie`. */
  cookieName?: string
  /**
   * The library's present `revision`. A record with another one is unknown, since the library asks again. By default
   * records of all revisions count.
   */
  revision?: number
}

/**
 * Reads the choice that vanilla-cookieconsent (orestbida/cookieconsent) recorded, versions 2 and 3: the accepted
 * `categories` (`level` in early ones) in the JSON of the cookie `cc_cookie`, written when the visitor chose.
 *
 * The site names its categories. By default `necessary`, `essential` and `required` are `functional`; `analytics` and
 * `statistics` are `analytics`; `marketing`, `advertisement`, `advertising` and `targeting` are `marketing`. Any other
 * name, and a site that uses two of them at once, needs `categories`. A site that keeps the record in `localStorage`
 * (`useLocalStorage`) has to mirror it (`consentCookie`). The record does not show a service that the visitor refused
 * within an accepted category.
 */
export function vanillaCookieConsent(options: VanillaCookieConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'vanillaCookieConsent',
    options,
    rules: {
      cookieName,
      revision: rule('a whole number, at least 0', isRevision),
    },
    defaults: COMMON_CATEGORIES,
    others: ['functional', 'functionality', 'preferences', 'personalization'],
    read,
  })
}

markFactory(vanillaCookieConsent, 'vanillaCookieConsent()')

function isRevision(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function read(
  request: TrackedRequest,
  { cookieName = 'cc_cookie', revision }: VanillaCookieConsentOptions,
): ConsentRecord[] {
  return readJsonCookies(request, cookieName).flatMap((record) => {
    const lists = [own(record, 'categories'), own(record, 'level')].filter((list) => list !== undefined)
    const [accepted, other] = lists.map(stringsOf)
    if (accepted === undefined || !hasVersion(record, 'revision', revision)) return []
    const services = ownObject(record, 'services')
    const choices = new Map<string, Choice>()
    // Version 3 lists the services of all the site's categories: those not accepted were refused.
    for (const category of Object.keys(services ?? {})) choices.set(category, false)
    // Version 2 writes the list twice.
    for (const category of accepted) choices.set(category, other === undefined || other.includes(category))
    return [{ explicit: true, choices, acceptedOnly: services === undefined }]
  })
}
