import type { TrackedRequest } from '../../model/tracked-request.js'
import { own, readBase64Cookie } from './decode.js'
import {
  addChoice,
  type Choice,
  type ConsentOptions,
  type ConsentReader,
  type ConsentRecord,
  consentReader,
} from './reader.js'

const CHECKBOX = 'cookielawinfo-checkbox-'

/**
 * Reads the choice that the WordPress plugin Cookie Law Info (GDPR Cookie Consent, CookieYes before version 3)
 * recorded: base64 of JSON in `CookieLawInfoConsent`, and without it the cookies `cookielawinfo-checkbox-*`.
 *
 * The choice counts as made when `viewed_cookie_policy` is `yes` or `no`: the plugin writes ticked checkboxes before
 * anybody touches them. `no` refuses all but the necessary, even with ticked boxes, and so does the opt-out of its
 * CCPA mode.
 *
 * By default `necessary` is `functional`, `analytics` `analytics`, `advertisement` `marketing`. The plugin's first
 * versions have one category for everything else: `{ 'non-necessary': ['analytics', 'marketing'] }`.
 */
export function cookieLawInfo(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'cookieLawInfo',
    options,
    defaults: { necessary: 'functional', analytics: 'analytics', advertisement: 'marketing' },
    read,
  })
}

function read(request: TrackedRequest): ConsentRecord | undefined {
  const preferences = readBase64Cookie(request, 'CookieLawInfoConsent')
  const choices = new Map<string, Choice>()
  for (const [name, value] of preferences ? Object.entries(preferences) : checkboxes(request)) {
    const granted = toBoolean(value)
    if (granted !== undefined) addChoice(choices, name, granted)
  }
  if (choices.size === 0) return undefined
  const viewed = toBoolean(request.cookies.get('viewed_cookie_policy'))
  const isOptedOut = preferences !== undefined && toBoolean(own(preferences, 'ccpaOptout')) === true
  const isRefused = viewed === false || isOptedOut
  if (isRefused) {
    for (const category of choices.keys()) choices.set(category, category === 'necessary')
  }
  return { explicit: viewed === true || isRefused, choices }
}

function checkboxes(request: TrackedRequest): [string, string][] {
  const boxes: [string, string][] = []
  for (const [name, value] of request.cookies) {
    if (name.startsWith(CHECKBOX)) boxes.push([name.slice(CHECKBOX.length), value])
  }
  return boxes
}

function toBoolean(value: unknown): boolean | undefined {
  if (value === true || value === 'true' || value === 'yes') return true
  return value === false || value === 'false' || value === 'no' ? false : undefined
}
