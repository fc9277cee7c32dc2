import type { TrackedRequest } from '../../model/tracked-request.js'
import { isRecord } from '../../model/values.js'
import { markFactory } from '../reader-factory.js'
import { text } from '../reader-options.js'
import { cookieNamesLike } from './cookie-values.js'
import { own, ownObject, readJsonCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { type ConsentRecord, choiceOfBit, choicesOf } from './record.js'

/** The options of {@link piwikPro}. */
export interface PiwikProOptions extends ConsentOptions {
  /** The id of the site in the cookie's name. By default the records of all sites are read, and the strictest counts. */
  siteId?: string
}

/**
 * Reads the choice that Piwik PRO's Consent Manager recorded: `consents` in the JSON of the cookie
 * `ppms_privacy_<site id>`, where a type of consent has the `status` 1 (granted), 0 (refused) or -1 (not decided).
 *
 * The choice counts as made when a status is 1 or 0.
 *
 * By default `analytics` is `analytics`; `remarketing`, `conversion_tracking` and `marketing_automation` are `marketing`.
 * `ab_testing_and_personalization`, `user_feedback` and `custom_consent` have no key.
 *
 * Source: Piwik PRO's Consent Manager API and captures.
 */
export function piwikPro(options: PiwikProOptions = {}): ConsentReader {
  return consentReader({
    name: 'piwikPro',
    options,
    rules: { siteId: text("the site's id, such as '283ac5bc-49a7-4696-ac18-648eb17a43f4'") },
    defaults: {
      analytics: 'analytics',
      remarketing: 'marketing',
      conversion_tracking: 'marketing',
      marketing_automation: 'marketing',
    },
    others: ['ab_testing_and_personalization', 'user_feedback', 'custom_consent'],
    read,
  })
}

markFactory(piwikPro, 'piwikPro()')

function read(request: TrackedRequest, { siteId }: PiwikProOptions): ConsentRecord[] {
  const names =
    siteId === undefined ? cookieNamesLike(request, /^ppms_privacy_[\w-]+$/) : [`ppms_privacy_${siteId}`]
  return names
    .flatMap((name) => readJsonCookies(request, name))
    .flatMap((record) => {
      const choices = choicesOf(ownObject(record, 'consents') ?? {}, (consent) =>
        choiceOfBit(isRecord(consent) ? own(consent, 'status') : undefined),
      )
      const explicit = [...choices.values()].some((choice) => choice !== 'undecided')
      return choices.size === 0 ? [] : [{ explicit, choices }]
    })
}
