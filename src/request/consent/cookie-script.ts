import type { TrackedRequest } from '../../model/tracked-request.js'
import { parseJson } from '../json.js'
import { own, readJsonCookie, stringsOf } from './decode.js'
import {
  type Choice,
  type ConsentOptions,
  type ConsentReader,
  type ConsentRecord,
  consentReader,
} from './reader.js'

/**
 * Reads the choice that CookieScript recorded in the cookie `CookieScriptConsent`: JSON with an `action` and, as JSON
 * text inside it, the accepted `categories`.
 *
 * Only `accept` and `reject` are a choice. A banner that asks for everything at once records no list of categories.
 * `strict` counts as granted, because the list may leave strictly necessary cookies out.
 *
 * By default `strict` is `functional`, `performance` `analytics`, `targeting` `marketing`; `functionality` and
 * `unclassified` have no key.
 */
export function cookieScript(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'cookieScript',
    options,
    defaults: { strict: 'functional', performance: 'analytics', targeting: 'marketing' },
    read,
  })
}

const CATEGORIES = ['performance', 'targeting', 'functionality', 'unclassified']

function read(request: TrackedRequest): ConsentRecord | undefined {
  const record = readJsonCookie(request, 'CookieScriptConsent')
  const action = record === undefined ? undefined : own(record, 'action')
  if (record === undefined || (action !== 'accept' && action !== 'reject')) return undefined
  const listed = own(record, 'categories')
  const asksForAll = listed === undefined && action === 'accept'
  const accepted = asksForAll
    ? CATEGORIES
    : stringsOf(typeof listed === 'string' ? parseJson(listed) : listed)
  const choices = new Map<string, Choice>([['strict', true]])
  for (const category of accepted ?? []) choices.set(category, true)
  return { explicit: true, choices }
}
