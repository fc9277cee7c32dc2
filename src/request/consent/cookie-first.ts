import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { textOrNumber } from '../reader-options.js'
import { booleansOf, hasVersion, readJsonCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import type { ConsentRecord } from './record.js'

/** The options of {@link cookieFirst}. */
export interface CookieFirstOptions extends ConsentOptions {
  /**
   * The version of the site's present configuration. A record with another one is unknown, since CookieFirst asks again.
   * By default records of all versions count.
   */
  version?: string | number
}

/**
 * Reads the choice that CookieFirst recorded: JSON in the cookie `cookiefirst-consent`, written when the visitor chose.
 *
 * By default `necessary` is `functional`, `performance` `analytics`, `advertising` `marketing`; `functional` has no
 * key.
 */
export function cookieFirst(options: CookieFirstOptions = {}): ConsentReader {
  return consentReader({
    name: 'cookieFirst',
    options,
    rules: { version: textOrNumber('the version of the configuration') },
    defaults: { necessary: 'functional', performance: 'analytics', advertising: 'marketing' },
    others: ['functional'],
    read,
  })
}

markFactory(cookieFirst, 'cookieFirst()')

function read(request: TrackedRequest, { version }: CookieFirstOptions): ConsentRecord[] {
  return readJsonCookies(request, 'cookiefirst-consent').flatMap((record) => {
    const choices = booleansOf(record)
    return choices.size === 0 || !hasVersion(record, 'version', version) ? [] : [{ explicit: true, choices }]
  })
}
