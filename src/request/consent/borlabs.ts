import type { TrackedRequest } from '../../model/tracked-request.js'
import { ownObject, readJsonCookie, stringsOf } from './decode.js'
import {
  type Choice,
  type ConsentOptions,
  type ConsentReader,
  type ConsentRecord,
  consentReader,
} from './reader.js'

/**
 * Reads the choice that the WordPress plugin Borlabs Cookie recorded: the accepted services of each group, `consents`
 * in the JSON of the cookie `borlabs-cookie`. The plugin writes it when the visitor has chosen.
 *
 * A group is granted when at least one of its services is, since the record does not name the refused ones. A site
 * whose visitors choose single services can mirror the choice instead (`consentCookie`).
 *
 * By default `essential` is `functional`, `statistics` `analytics`, `marketing` `marketing`; `external-media` and
 * groups of the site's own stand for nothing.
 */
export function borlabs(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'borlabs',
    options,
    defaults: { essential: 'functional', statistics: 'analytics', marketing: 'marketing' },
    read,
  })
}

function read(request: TrackedRequest): ConsentRecord | undefined {
  const record = readJsonCookie(request, 'borlabs-cookie')
  const consents = record === undefined ? undefined : ownObject(record, 'consents')
  if (consents === undefined) return undefined
  const choices = new Map<string, Choice>()
  for (const [group, value] of Object.entries(consents)) {
    const services = stringsOf(value)
    if (services !== undefined) choices.set(group, services.length > 0)
  }
  return { explicit: true, choices }
}
