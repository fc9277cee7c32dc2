import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieName, text } from '../reader-options.js'
import { readCookies } from './decode.js'
import { oneAnswer } from './one-answer.js'
import { type ConsentReader, consentReader, type MappedConsentOptions } from './reader.js'
import type { ConsentRecord } from './record.js'

/** The options of {@link reactCookieConsent}. */
export interface ReactCookieConsentOptions extends MappedConsentOptions {
  /** The cookie's name, the component's `cookieName`. Defaults to `CookieConsent`. */
  cookieName?: string
  /** What is written when the visitor accepts, the component's `cookieValue`. Defaults to `true`. */
  cookieValue?: string
  /** What is written when the visitor declines, the component's `declineCookieValue`. Defaults to `false`. */
  declineCookieValue?: string
}

/**
 * Reads the choice that the component of react-cookie-consent recorded: `true` or `false` in the cookie `CookieConsent`,
 * where that could not be written in `CookieConsent-legacy`. Any other value is unknown, so that Cookiebot's cookie of the
 * same name says nothing here.
 *
 * The component asks one question, and only the site knows what it was about: `categories` says so. Its names are
 * yours, and all of them have the one answer. With `acceptOnScroll` scrolling writes `true`, and no server can tell that
 * from a choice.
 *
 * Source: react-cookie-consent 10.0.2, `CookieConsent.tsx` and `utilities.ts`.
 *
 * @throws TypeError without `categories`.
 *
 * @example
 * consent: reactCookieConsent({ categories: { accepted: ['analytics', 'marketing'] } })
 */
export function reactCookieConsent(options: ReactCookieConsentOptions): ConsentReader {
  return consentReader({
    name: 'reactCookieConsent',
    options,
    rules: {
      cookieName,
      cookieValue: text("the component's cookieValue, such as 'true'"),
      declineCookieValue: text("the component's declineCookieValue, such as 'false'"),
    },
    read,
  })
}

markFactory(reactCookieConsent, "reactCookieConsent({ categories: { accepted: 'analytics' } })")

function read(
  request: TrackedRequest,
  {
    cookieName = 'CookieConsent',
    cookieValue = 'true',
    declineCookieValue = 'false',
  }: ReactCookieConsentOptions,
): ConsentRecord[] {
  return [cookieName, `${cookieName}-legacy`]
    .flatMap((name) => readCookies(request, name))
    .flatMap((value) => {
      if (value === declineCookieValue) return [oneAnswer(false)]
      return value === cookieValue ? [oneAnswer(true)] : []
    })
}
