import type { TrackedRequest } from '../../model/tracked-request.js'
import { own, ownObject, readJsonCookie, stringsOf } from './decode.js'
import {
  type Choice,
  COMMON_CATEGORIES,
  type ConsentOptions,
  type ConsentReader,
  type ConsentRecord,
  consentReader,
} from './reader.js'

/** The options of {@link vanillaCookieConsent}. */
export interface VanillaCookieConsentOptions extends ConsentOptions {
  /** The cookie's name, the library's `cookie.name`. Defaults to `cc_cookie`. */
  cookieName?: string
}

/**
 * Reads the choice that vanilla-cookieconsent (orestbida/cookieconsent) recorded, versions 2 and 3: the accepted
 * `categories` (`level` in early ones) in the JSON of the cookie `cc_cookie`, written when the visitor chose.
 *
 * The site names its categories. By default `necessary`, `essential` and `required` are `functional`; `analytics` and
 * `statistics` are `analytics`; `marketing`, `advertisement`, `advertising` and `targeting` are `marketing`. Any other
 * name, and a site that uses two of them at once, needs `categories`. A site that keeps the record in `localStorage`
 * (`useLocalStorage`) has to mirror it (`consentCookie`).
 */
export function vanillaCookieConsent(options: VanillaCookieConsentOptions = {}): ConsentReader {
  const { cookieName = 'cc_cookie' } = options
  return consentReader({
    name: 'vanillaCookieConsent',
    options,
    defaults: COMMON_CATEGORIES,
    read: (request) => read(request, cookieName),
  })
}

function read(request: TrackedRequest, cookieName: string): ConsentRecord | undefined {
  const record = readJsonCookie(request, cookieName)
  const accepted = record && stringsOf(own(record, 'categories') ?? own(record, 'level'))
  if (record === undefined || accepted === undefined) return undefined
  const choices = new Map<string, Choice>()
  // Version 3 lists the services of all the site's categories: those not accepted were refused.
  for (const category of Object.keys(ownObject(record, 'services') ?? {})) choices.set(category, false)
  for (const category of accepted) choices.set(category, true)
  return { explicit: true, choices }
}
