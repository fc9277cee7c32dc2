import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieName } from '../reader-options.js'
import { booleansOf, own, readJsonCookies } from './decode.js'
import { type ConsentReader, consentReader, type MappedConsentOptions } from './reader.js'
import type { ConsentRecord } from './record.js'

/** The options of {@link axeptio}. */
export interface AxeptioOptions extends MappedConsentOptions {
  /** The cookie's name, Axeptio's `jsonCookieName`. Defaults to `axeptio_cookies`. */
  cookieName?: string
}

/**
 * Reads the choice that Axeptio recorded: JSON of the site's vendors in the cookie `axeptio_cookies`.
 *
 * The choice counts as made when `$$completed` is `true`. There is no default map: the ids are the site's own vendors.
 *
 * @throws TypeError without `categories`.
 *
 * @example
 * consent: axeptio({ categories: { google_analytics: 'analytics', facebook_pixel: 'marketing' } })
 */
export function axeptio(options: AxeptioOptions): ConsentReader {
  return consentReader({ name: 'axeptio', options, rules: { cookieName }, read })
}

markFactory(axeptio, "axeptio({ categories: { google_analytics: 'analytics' } })")

function read(request: TrackedRequest, { cookieName = 'axeptio_cookies' }: AxeptioOptions): ConsentRecord[] {
  return readJsonCookies(request, cookieName).map((record) => ({
    explicit: own(record, '$$completed') === true,
    choices: booleansOf(record),
  }))
}
