import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieName } from '../reader-options.js'
import { readCookies } from './decode.js'
import { ONE_ANSWER, oneAnswer } from './one-answer.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import type { ConsentRecord } from './record.js'

/** The options of {@link osanoCookieConsent}. */
export interface OsanoCookieConsentOptions extends ConsentOptions {
  /** The cookie's name, the library's `cookie.name`. Defaults to `cookieconsent_status`. */
  cookieName?: string
}

/**
 * Reads the choice that Osano's open-source banner recorded, the library `cookieconsent` (also in ngx-cookieconsent):
 * `allow`, `deny` or `dismiss` in the cookie `cookieconsent_status`.
 *
 * `dismiss` is no choice: closing writes it, and so do scrolling and a timer. The banner asks one question, so every
 * category but `necessary` has the one answer. By default `necessary` is `functional`, everything else (`all`)
 * `analytics` and `marketing`.
 *
 * Source: cookieconsent 3.1.1, `src/cookieconsent.js` (`cc.status`, `setStatus`, `applyAutoDismiss`). Osano's commercial
 * manager is another program, whose cookie is encrypted.
 */
export function osanoCookieConsent(options: OsanoCookieConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'osanoCookieConsent',
    options,
    rules: { cookieName },
    defaults: ONE_ANSWER,
    read,
  })
}

markFactory(osanoCookieConsent, 'osanoCookieConsent()')

function read(
  request: TrackedRequest,
  { cookieName = 'cookieconsent_status' }: OsanoCookieConsentOptions,
): ConsentRecord[] {
  return readCookies(request, cookieName).flatMap((status) => {
    if (status === 'deny') return [oneAnswer(false)]
    return status === 'allow' || status === 'dismiss' ? [oneAnswer(true, status === 'allow')] : []
  })
}
