import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { pairsOf, percentDecoded, readCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/**
 * Reads the choice that Cookiebot recorded in the cookie `CookieConsent`, which looks like JSON but is not.
 *
 * Only `method:'explicit'` is a choice. A record without a method counts as implied, as Cookiebot documents, and so
 * does one with the stamp `-1`, written where no law requires consent. Of the legacy values, `0` refuses all but the
 * necessary and `-1` implies everything. react-cookie-consent writes `true` and `false` into a cookie of the same
 * name: they name no category and are not read.
 *
 * By default `necessary` is `functional`, `statistics` `analytics`, `marketing` `marketing`.
 */
export function cookiebot(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'cookiebot',
    options,
    rules: {},
    defaults: { necessary: 'functional', statistics: 'analytics', marketing: 'marketing' },
    others: ['preferences'],
    read,
  })
}

markFactory(cookiebot, 'cookiebot()')

function read(request: TrackedRequest): ConsentRecord[] {
  return readCookies(request, 'CookieConsent').flatMap((cookie) => recordOf(cookie) ?? [])
}

function recordOf(cookie: string): ConsentRecord | undefined {
  if (cookie === '0') return { explicit: true, choices: choicesOfAll(false) }
  if (cookie === '-1') return { explicit: false, choices: choicesOfAll(true) }
  const text = percentDecoded(cookie)
  if (!text?.startsWith('{') || !text.endsWith('}')) return undefined
  const choices = new Map<string, Choice>()
  let method: string | undefined
  let stamp: string | undefined
  for (const [rawName, rawValue] of pairsOf(text.slice(1, -1), ',', ':')) {
    const name = bare(rawName)
    const value = bare(rawValue)
    if (name === 'method') method ??= value
    else if (name === 'stamp') stamp ??= value
    else if (value === 'true' || value === 'false') addChoice(choices, name, value === 'true')
  }
  return { explicit: method === 'explicit' && stamp !== '-1', choices }
}

/** Characters around a name or value: quotes and spaces, some of them written as `+`. */
const AROUND = ' +\'"'

function bare(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && AROUND.includes(text.charAt(start))) start++
  while (end > start && AROUND.includes(text.charAt(end - 1))) end--
  return text.slice(start, end)
}

function choicesOfAll(granted: boolean): Map<string, Choice> {
  return new Map([
    ['necessary', true],
    ['preferences', granted],
    ['statistics', granted],
    ['marketing', granted],
  ])
}
