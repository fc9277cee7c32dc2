import type { TrackedRequest } from '../../model/tracked-request.js'
import { booleansOf, readJsonCookie } from './decode.js'
import { type ConsentReader, type ConsentRecord, consentReader, type MappedConsentOptions } from './reader.js'

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
  return consentReader({
    name: 'klaro',
    options,
    read: (request) => read(request, options.cookieName ?? 'klaro'),
  })
}

function read(request: TrackedRequest, cookieName: string): ConsentRecord | undefined {
  const record = readJsonCookie(request, cookieName)
  if (record === undefined) return undefined
  const choices = booleansOf(record)
  return choices.size === 0 ? undefined : { explicit: true, choices }
}
