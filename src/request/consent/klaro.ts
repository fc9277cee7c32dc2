import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieName } from '../reader-options.js'
import { booleansOf, readJsonCookies } from './decode.js'
import { type ConsentReader, consentReader, type MappedConsentOptions } from './reader.js'
import type { ConsentRecord } from './record.js'

/** The options of {@link klaro}. */
export interface KlaroOptions extends MappedConsentOptions {
  /** The cookie's name, Klaro's `storageName`. Defaults to `klaro`. */
  cookieName?: string
}

/**
 * Reads the choice that Klaro recorded: JSON of the site's services in the cookie `klaro`, written when the visitor
 * confirmed.
 *
 * There is no default map: the ids are the names of the site's own services. A site whose Klaro keeps its state in
 * `localStorage` (`storageMethod`) has to mirror it (`consentCookie`).
 *
 * @throws TypeError without `categories`.
 *
 * @example
 * consent: klaro({ categories: { matomo: 'analytics', 'google-ads': 'marketing' } })
 */
export function klaro(options: KlaroOptions): ConsentReader {
  return consentReader({ name: 'klaro', options, rules: { cookieName }, read })
}

markFactory(klaro, "klaro({ categories: { matomo: 'analytics' } })")

function read(request: TrackedRequest, { cookieName = 'klaro' }: KlaroOptions): ConsentRecord[] {
  return readServiceRecords(request, cookieName)
}

/** Reads the records in a cookie of JSON with `true` or `false` for each of the site's services. */
export function readServiceRecords(request: TrackedRequest, cookieName: string): ConsentRecord[] {
  return readJsonCookies(request, cookieName).flatMap((record) => {
    const choices = booleansOf(record)
    return choices.size === 0 ? [] : [{ explicit: true, choices }]
  })
}
