import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { textOrNumber } from '../reader-options.js'
import { hasVersion, ownObject, readJsonCookies, stringsOf } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import type { Choice, ConsentRecord } from './record.js'

/** The options of {@link borlabs}. */
export interface BorlabsOptions extends ConsentOptions {
  /**
   * The plugin's present cookie version. A record with another one is unknown, since the plugin asks again. By default
   * records of all versions count.
   */
  version?: string | number
}

/**
 * Reads the choice that the WordPress plugin Borlabs Cookie recorded: the accepted services of each group, `consents`
 * in the JSON of the cookie `borlabs-cookie`. The plugin writes it when the visitor has chosen.
 *
 * A group is granted when at least one of its services is, since the record does not name the refused ones. A site
 * whose visitors choose single services can mirror the choice instead (`consentCookie`).
 *
 * By default `essential` is `functional`, `statistics` `analytics`, `marketing` `marketing`; `external-media` and
 * the site's own groups have no key.
 */
export function borlabs(options: BorlabsOptions = {}): ConsentReader {
  return consentReader({
    name: 'borlabs',
    options,
    rules: { version: textOrNumber("the cookie's version, such as 2") },
    defaults: { essential: 'functional', statistics: 'analytics', marketing: 'marketing' },
    others: ['external-media'],
    read,
  })
}

markFactory(borlabs, 'borlabs()')

function read(request: TrackedRequest, { version }: BorlabsOptions): ConsentRecord[] {
  return readJsonCookies(request, 'borlabs-cookie').flatMap((record) => {
    const consents = ownObject(record, 'consents')
    if (consents === undefined || !hasVersion(record, 'version', version)) return []
    const choices = new Map<string, Choice>()
    for (const [group, value] of Object.entries(consents)) {
      const services = stringsOf(value)
      if (services !== undefined) choices.set(group, services.length > 0)
    }
    return [{ explicit: true, choices, acceptedOnly: true }]
  })
}
