import type { TrackedRequest } from '../../model/tracked-request.js'
import { isRecord } from '../../model/values.js'
import { markFactory } from '../reader-factory.js'
import { own, ownObject, readBase64Cookies, stringsOf } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/**
 * Reads the choice that Ketch recorded: base64 of JSON in the cookie `_ketch_consent_v1_`, where each purpose is
 * `granted` or `denied`.
 *
 * Ketch writes that cookie before any choice, too, with the defaults of the jurisdiction. The fuller record in
 * `_swb_consent_` tells such a default, and the consent then counts as implied. Without that record a
 * cookie that refuses something is a choice, and one that grants everything counts as implied.
 *
 * Categories are the site's purpose codes and the canonical purposes that Ketch notes with them. By default
 * `essential_services` is `functional`, `analytics` `analytics`, `behavioral_advertising` `marketing`.
 */
export function ketch(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'ketch',
    options,
    rules: {},
    defaults: {
      essential_services: 'functional',
      analytics: 'analytics',
      behavioral_advertising: 'marketing',
    },
    read,
  })
}

markFactory(ketch, 'ketch()')

function read(request: TrackedRequest): ConsentRecord[] {
  const full = readBase64Cookies(request, '_swb_consent_')
  return readBase64Cookies(request, '_ketch_consent_v1_').flatMap((purposes) => {
    const choices = choicesOf(purposes)
    return choices.size === 0 ? [] : [{ explicit: isChosen(full, choices), choices }]
  })
}

function isChosen(full: readonly Record<string, unknown>[], choices: ReadonlyMap<string, Choice>): boolean {
  return full.length === 0 ? [...choices.values()].includes(false) : !full.some(isDefaultState)
}

function choicesOf(purposes: Record<string, unknown>): Map<string, Choice> {
  const choices = new Map<string, Choice>()
  for (const [code, value] of Object.entries(purposes)) {
    const status = isRecord(value) ? own(value, 'status') : value
    if (status !== 'granted' && status !== 'denied') continue
    const canonical = isRecord(value) ? stringsOf(own(value, 'canonicalPurposes')) : undefined
    for (const category of new Set([code, ...(canonical ?? [])])) {
      addChoice(choices, category, status === 'granted')
    }
  }
  return choices
}

/** Whether Ketch's full record holds the defaults that it assumes before a choice. */
function isDefaultState(record: Record<string, unknown>): boolean {
  const context = ownObject(record, 'context')
  const source = context === undefined ? undefined : own(context, 'source')
  if (typeof source === 'string') return source === 'legalBasisDefault'
  // Older versions name no source: a record that refuses nothing and rests on no opt-in is the default.
  const purposes = Object.values(ownObject(record, 'purposes') ?? {}).filter(isRecord)
  return !purposes.some(
    (purpose) => own(purpose, 'legalBasisCode') === 'consent_optin' || own(purpose, 'allowed') === 'false',
  )
}
