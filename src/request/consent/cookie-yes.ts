import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { pairsOf, percentDecoded, readCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/**
 * Reads the choice that CookieYes recorded in the cookie `cookieyes-consent`: `consent:yes,action:yes,analytics:no,...`.
 *
 * Only `action:yes` is a choice. Before it the values are empty, or those that an opt-out law implies. Closing the banner
 * writes `action:yes`, too, and leaves the defaults: a category counts as granted only beside `consent:yes`, without
 * which the plugin's own script unblocks nothing. Sites with the older plugin (`CookieLawInfoConsent`) need
 * `cookieLawInfo`.
 *
 * By default `necessary` is `functional`, `analytics` `analytics`, `advertisement` `marketing`; `functional`,
 * `performance` and `other` have no key.
 */
export function cookieYes(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'cookieYes',
    options,
    rules: {},
    defaults: { necessary: 'functional', analytics: 'analytics', advertisement: 'marketing' },
    others: ['functional', 'performance', 'other', 'others'],
    read,
  })
}

markFactory(cookieYes, 'cookieYes()')

function read(request: TrackedRequest): ConsentRecord[] {
  return readCookies(request, 'cookieyes-consent').flatMap((cookie) => {
    const text = percentDecoded(cookie)
    return text === undefined ? [] : [recordOf(text)]
  })
}

function recordOf(text: string): ConsentRecord {
  const fields = new Map<string, Choice>()
  for (const [name, value] of pairsOf(text, ',', ':')) {
    if (value === 'yes' || value === 'no') addChoice(fields, name, value === 'yes')
  }
  const { action, consent, choices } = split(fields)
  if (consent === true) return { explicit: action === true, choices }
  const isAnyRefused = [...choices.values()].includes(false)
  for (const [category, choice] of choices) {
    if (choice === true && category !== 'necessary') choices.set(category, 'assumed')
  }
  return { explicit: action === true && isAnyRefused, choices }
}

function split(fields: Map<string, Choice>) {
  const choices = new Map(fields)
  choices.delete('action')
  choices.delete('consent')
  return { action: fields.get('action'), consent: fields.get('consent'), choices }
}
