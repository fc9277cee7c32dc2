import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieName } from '../reader-options.js'
import { readServiceRecords } from './klaro.js'
import { type ConsentReader, consentReader, type MappedConsentOptions } from './reader.js'
import type { ConsentRecord } from './record.js'

/** The options of {@link orejime}. */
export interface OrejimeOptions extends MappedConsentOptions {
  /** The cookie's name. By default both are read: `eu-consent` of version 3 and `orejime` of version 2. */
  cookieName?: string
}

/**
 * Reads the choice that Orejime recorded, versions 2 and 3: JSON of the site's purposes (version 2: apps) in the cookie
 * `eu-consent` or `orejime`, written when the visitor chose.
 *
 * There is no default map: the ids are the site's own. Of a cookie of both versions the stricter counts.
 *
 * Source: orejime 2.3.3, `es/consent-manager.js`; orejime 3.2.1, `dist/orejime-standard-en.js`.
 *
 * @throws TypeError without `categories`.
 *
 * @example
 * consent: orejime({ categories: { matomo: 'analytics', ads: 'marketing' } })
 */
export function orejime(options: OrejimeOptions): ConsentReader {
  return consentReader({ name: 'orejime', options, rules: { cookieName }, read })
}

markFactory(orejime, "orejime({ categories: { matomo: 'analytics' } })")

function read(request: TrackedRequest, { cookieName }: OrejimeOptions): ConsentRecord[] {
  const names = cookieName === undefined ? ['eu-consent', 'orejime'] : [cookieName]
  return names.flatMap((name) => readServiceRecords(request, name))
}
