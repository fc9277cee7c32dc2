import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { eachCookieOf } from './cookie-values.js'
import { own, readBase64Cookies, readCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

const CHECKBOX = 'cookielawinfo-checkbox-'
const DEFAULTS = { necessary: 'functional', analytics: 'analytics', advertisement: 'marketing' }

/**
 * Reads the choice that the WordPress plugin Cookie Law Info (GDPR Cookie Consent, CookieYes before version 3)
 * recorded: base64 of JSON in `CookieLawInfoConsent`, and the cookies `cookielawinfo-checkbox-*`. If the two differ the
 * stricter counts.
 *
 * The choice counts as made when `viewed_cookie_policy` is `yes` or `no`: the plugin writes ticked checkboxes before
 * anybody touches them. `no` refuses all but the necessary, even with ticked boxes, and so does the opt-out of its
 * CCPA mode. Scrolling (`scroll_close`) and a timer (`show_once_yn`) can write `yes`, too: no server can tell that from
 * a choice.
 *
 * By default `necessary` is `functional`, `analytics` `analytics`, `advertisement` `marketing`. The plugin's first
 * versions have one category for everything else: `{ 'non-necessary': ['analytics', 'marketing'] }`.
 */
export function cookieLawInfo(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'cookieLawInfo',
    options,
    rules: {},
    defaults: DEFAULTS,
    others: ['functional', 'performance', 'others'],
    read,
  })
}

markFactory(cookieLawInfo, 'cookieLawInfo()')

function read(request: TrackedRequest): ConsentRecord[] {
  const choices = new Map<string, Choice>()
  let isOptedOut = false
  for (const preferences of readBase64Cookies(request, 'CookieLawInfoConsent')) {
    isOptedOut ||= toBoolean(own(preferences, 'ccpaOptout')) === true
    for (const [name, value] of Object.entries(preferences)) note(choices, name, value)
  }
  eachCookieOf(request, (name, value) => {
    if (name.startsWith(CHECKBOX)) note(choices, name.slice(CHECKBOX.length), value)
  })
  if (choices.size === 0) return []
  const viewed = readCookies(request, 'viewed_cookie_policy').map(toBoolean)
  const isRefused = isOptedOut || viewed.includes(false)
  if (!isRefused) return [{ explicit: viewed.includes(true), choices }]
  for (const category of [...Object.keys(DEFAULTS), ...choices.keys()]) {
    choices.set(category, category === 'necessary')
  }
  return [{ explicit: true, choices }]
}

function note(choices: Map<string, Choice>, name: string, value: unknown): void {
  const granted = toBoolean(value)
  if (granted !== undefined && name !== 'ccpaOptout') addChoice(choices, name, granted)
}

function toBoolean(value: unknown): boolean | undefined {
  if (value === true || value === 'true' || value === 'yes') return true
  return value === false || value === 'false' || value === 'no' ? false : undefined
}
