import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { pairsOf, percentDecoded, readCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/**
 * Reads the choice that HubSpot's banner recorded: `1:true,2:false,3:true` in the cookie `__hs_cookie_cat_pref`, with `,`
 * or `_` between the categories. A value that is neither `true` nor `false` makes the record unknown.
 *
 * By default category 1 (analytics) is `analytics`, 2 (advertisement) `marketing`, 3 (functionality) `functional`.
 *
 * Source: HubSpot, "What cookies does HubSpot set in a visitor's browser?", and captures of both separators.
 */
export function hubSpot(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'hubSpot',
    options,
    rules: {},
    defaults: { 1: 'analytics', 2: 'marketing', 3: 'functional' },
    complete: true,
    read,
  })
}

markFactory(hubSpot, 'hubSpot()')

function read(request: TrackedRequest): ConsentRecord[] {
  return readCookies(request, '__hs_cookie_cat_pref').flatMap((cookie) => {
    const pairs = pairsOf((percentDecoded(cookie) ?? '').replaceAll('_', ','), ',', ':')
    const choices = new Map<string, Choice>()
    for (const [category, value] of pairs) {
      if (value !== 'true' && value !== 'false') return []
      addChoice(choices, category, value === 'true')
    }
    return choices.size === 0 ? [] : [{ explicit: true, choices }]
  })
}
