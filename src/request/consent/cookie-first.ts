import type { TrackedRequest } from '../../model/tracked-request.js'
import { booleansOf, readJsonCookie } from './decode.js'
import { type ConsentOptions, type ConsentReader, type ConsentRecord, consentReader } from './reader.js'

/**
 * Reads the choice that CookieFirst recorded: JSON in the cookie `cookiefirst-consent`, written when the visitor chose.
 *
 * By default `necessary` is `functional`, `performance` `analytics`, `advertising` `marketing`; `functional` has no
 * key.
 */
export function cookieFirst(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'cookieFirst',
    options,
    defaults: { necessary: 'functional', performance: 'analytics', advertising: 'marketing' },
    read,
  })
}

function read(request: TrackedRequest): ConsentRecord | undefined {
  const record = readJsonCookie(request, 'cookiefirst-consent')
  if (record === undefined) return undefined
  const choices = booleansOf(record)
  return choices.size === 0 ? undefined : { explicit: true, choices }
}
