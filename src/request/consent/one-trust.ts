import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { pairsOf, percentDecoded, readCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/**
 * Reads the choice that OneTrust or CookiePro recorded: the `groups` of the cookie `OptanonConsent`.
 *
 * The choice counts as made when `OptanonAlertBoxClosed` holds a date; `interactionCount` is not reliable. While
 * `AwaitingReconsent` is `true` the site asks again, and the earlier choice no longer counts.
 *
 * By default C0001 and C0003 are `functional`, C0002 `analytics`, C0004 and C0005 `marketing`. A site chooses its
 * group ids: if it renamed them (`1`, `2`, `STACK42`, ...) it has to give `categories`.
 *
 * @example
 * consent: oneTrust({ categories: { 1: 'functional', 2: 'analytics', 4: 'marketing' } })
 */
export function oneTrust(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'oneTrust',
    options,
    rules: {},
    defaults: {
      C0001: 'functional',
      C0002: 'analytics',
      C0003: 'functional',
      C0004: 'marketing',
      C0005: 'marketing',
    },
    read,
  })
}

markFactory(oneTrust, 'oneTrust()')

function read(request: TrackedRequest): ConsentRecord[] {
  const closed = readCookies(request, 'OptanonAlertBoxClosed')
  const isChosen = closed.length > 0 && closed.every((date) => /^\d{4}-\d\d-\d\dT/.test(date))
  return readCookies(request, 'OptanonConsent').flatMap((cookie) => recordOf(cookie, isChosen) ?? [])
}

function recordOf(cookie: string, isChosen: boolean): ConsentRecord | undefined {
  const groups = formField(cookie, 'groups')
  if (groups === undefined) return undefined
  const choices = new Map<string, Choice>()
  for (const [group, value] of pairsOf(groups, ',', ':')) addChoice(choices, group, value === '1')
  return { explicit: isChosen && formField(cookie, 'AwaitingReconsent') !== 'true', choices }
}

/**
 * Returns the first field of a name in the raw, form-encoded cookie. It splits the fields before it decodes any, and
 * decodes once: `landingPath` holds an address that anybody can choose, perhaps with an encoded `&groups=` in it.
 */
function formField(cookie: string, name: string): string | undefined {
  const assignment = `&${name}=`
  const at = `&${cookie}`.indexOf(assignment)
  if (at === -1) return undefined
  const start = at + assignment.length - 1
  const end = cookie.indexOf('&', start)
  return percentDecoded(cookie.slice(start, end === -1 ? undefined : end).replaceAll('+', ' '))
}
