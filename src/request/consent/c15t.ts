import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieName } from '../reader-options.js'
import { pairsOf, percentDecoded, readCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/** The options of {@link c15t}. */
export interface C15tOptions extends ConsentOptions {
  /** The cookie's name, the library's `storageConfig.storageKey`. Defaults to `c15t`. */
  cookieName?: string
}

/**
 * Reads the choice that c15t recorded: `c.necessary:1,c.measurement:1,i.t:1795679280854` in the cookie `c15t`. Only the
 * granted categories are listed.
 *
 * The choice counts as made when the record has its time (`i.t`) and a category: identifying a visitor writes the time
 * alone, and what the library grants under an opt-out law is not written at all.
 *
 * By default `necessary` is `functional`, `measurement` `analytics`, `marketing` `marketing`; `functionality` and
 * `experience` have no key.
 *
 * Source: c15t 2.2.1, `libs/cookie` (`flattenObject`, `flatToString`, `COOKIE_KEY_MAP`).
 */
export function c15t(options: C15tOptions = {}): ConsentReader {
  return consentReader({
    name: 'c15t',
    options,
    rules: { cookieName },
    defaults: { necessary: 'functional', measurement: 'analytics', marketing: 'marketing' },
    others: ['functionality', 'experience'],
    read,
  })
}

markFactory(c15t, 'c15t()')

const CATEGORY = 'c.'
const TIME = 'i.t'

function read(request: TrackedRequest, { cookieName = 'c15t' }: C15tOptions): ConsentRecord[] {
  return readCookies(request, cookieName).flatMap((cookie) => {
    const choices = new Map<string, Choice>()
    let isTimed = false
    for (const [name, value] of pairsOf(percentDecoded(cookie) ?? '', ',', ':')) {
      if (name === TIME) isTimed = /^\d+$/.test(value)
      else if (name.startsWith(CATEGORY) && (value === '1' || value === '0')) {
        addChoice(choices, name.slice(CATEGORY.length), value === '1')
      }
    }
    return isTimed && choices.size > 0 ? [{ explicit: true, choices, acceptedOnly: true }] : []
  })
}
