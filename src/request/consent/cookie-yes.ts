import type { TrackedRequest } from '../../model/tracked-request.js'
import { pairsOf, percentDecoded, readCookie } from './decode.js'
import {
  addChoice,
  type Choice,
  type ConsentOptions,
  type ConsentReader,
  type ConsentRecord,
  consentReader,
} from './reader.js'

/**
 * Reads the choice that CookieYes recorded in the cookie `cookieyes-consent`: `consent:yes,action:yes,analytics:no,...`.
 *
 * Only `action:yes` is a choice. Before it the values are empty, or those that an opt-out law implies. Sites with the
 * older plugin (`CookieLawInfoConsent`) need `cookieLawInfo`.
 *
 * By default `necessary` is `functional`, `analytics` `analytics`, `advertisement` `marketing`; `functional`,
 * `performance` and `other` have no key.
 */
export function cookieYes(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'cookieYes',
    options,
    defaults: { necessary: 'functional', analytics: 'analytics', advertisement: 'marketing' },
    read,
  })
}

function read(request: TrackedRequest): ConsentRecord | undefined {
  const cookie = readCookie(request, 'cookieyes-consent')
  const text = cookie === undefined ? undefined : percentDecoded(cookie)
  if (text === undefined) return undefined
  const choices = new Map<string, Choice>()
  let isChosen = false
  for (const [name, value] of pairsOf(text, ',', ':')) {
    if (value !== 'yes' && value !== 'no') continue
    if (name === 'action') isChosen ||= value === 'yes'
    else addChoice(choices, name, value === 'yes')
  }
  return { explicit: isChosen, choices }
}
