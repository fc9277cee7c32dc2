import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { text } from '../reader-options.js'
import { cookieNamesLike } from './cookie-values.js'
import { pairsOf, percentDecoded, readCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/** The options of {@link adobe}. */
export interface AdobeOptions extends ConsentOptions {
  /**
   * The organisation in the cookie's name, the SDK's `orgId`. By default the records of all organisations are read, and
   * the strictest counts.
   */
  orgId?: string
}

/**
 * Reads the choice that a site handed to Adobe's Experience Platform Web SDK (`setConsent`): `general=in` or `general=out` in
 * the cookie `kndctr_<organisation>_AdobeOrg_consent`. The SDK's `defaultConsent` is not written.
 *
 * By default `general`, the only purpose that there is, is `functional`, `analytics` and `marketing`: a visitor who is `out`
 * is out of all of it.
 *
 * Source: `@adobe/alloy` 2.33.1 (`createStoredConsent`, `parseConsentCookie`).
 */
export function adobe(options: AdobeOptions = {}): ConsentReader {
  return consentReader({
    name: 'adobe',
    options,
    rules: { orgId: text("the organisation's id, such as '5BFE274A5F6980A50A495C08@AdobeOrg'") },
    defaults: { general: ['functional', 'analytics', 'marketing'] },
    read,
  })
}

markFactory(adobe, 'adobe()')

function read(request: TrackedRequest, { orgId }: AdobeOptions): ConsentRecord[] {
  const names =
    orgId === undefined
      ? cookieNamesLike(request, /^kndctr_[\dA-Za-z]+_AdobeOrg_consent$/)
      : [`kndctr_${orgId.replace('@', '_')}_consent`]
  return names
    .flatMap((name) => readCookies(request, name))
    .flatMap((cookie) => {
      const choices = new Map<string, Choice>()
      for (const [purpose, value] of pairsOf(percentDecoded(cookie) ?? '', ';', '=')) {
        if (value === 'in' || value === 'out') addChoice(choices, purpose, value === 'in')
      }
      return choices.size === 0 ? [] : [{ explicit: true, choices }]
    })
}
