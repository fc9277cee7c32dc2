import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieNamesLike } from './cookie-values.js'
import { parsedObject, percentDecoded, readCookies } from './decode.js'
import { type ConsentReader, consentReader, type MappedConsentOptions } from './reader.js'
import type { Choice, ConsentRecord } from './record.js'

/**
 * Reads the choice that the WordPress plugin Real Cookie Banner recorded:
 * `<time>:<uuid>:<hash>:{"<group>":[<service>,…]}` in the cookie `real_cookie_banner-v:3_blog:1_path:…`. It lists the
 * accepted services, and is written when the visitor chose.
 *
 * There is no default map: categories are the ids of the site's own services, the numbers in the lists. A service that
 * the record leaves out was refused. Of several cookies (a site in several languages has one each) the strictest counts.
 * Its country bypass writes a record without a choice, and no server can tell the difference.
 *
 * Source: captures of several sites.
 *
 * @throws TypeError without `categories`.
 *
 * @example
 * consent: realCookieBanner({ categories: { 37560: 'analytics', 37547: 'marketing' } })
 */
export function realCookieBanner(options: MappedConsentOptions): ConsentReader {
  return consentReader({ name: 'realCookieBanner', options, rules: {}, read })
}

markFactory(realCookieBanner, "realCookieBanner({ categories: { 37560: 'analytics' } })")

/** Neither the cookie of Google's Consent Mode (`-gcm`) nor that of the TCF (`-tcf`). */
const NAME = /^real_cookie_banner-v:\d+_blog:\d+_path:[\da-f]+(?:-lang:[\w-]+)?$/
const VALUE = /^\d+:[^:{}]+:[^:{}]+:(\{.*\})$/s

function read(request: TrackedRequest): ConsentRecord[] {
  return cookieNamesLike(request, NAME)
    .flatMap((name) => readCookies(request, name))
    .flatMap((cookie) => recordOf(cookie) ?? [])
}

function recordOf(cookie: string): ConsentRecord | undefined {
  const groups = parsedObject(VALUE.exec(percentDecoded(cookie) ?? '')?.[1])
  if (groups === undefined) return undefined
  const choices = new Map<string, Choice>()
  for (const services of Object.values(groups)) {
    if (!Array.isArray(services)) return undefined
    for (const service of services) choices.set(String(service), true)
  }
  return { explicit: true, choices, acceptedOnly: true }
}
