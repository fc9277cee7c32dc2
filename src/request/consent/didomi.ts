import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { own, ownObject, readBase64Cookies, stringsOf } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'
import { readTcPurposes } from './tc-string.js'

/** Didomi's ids of the TCF purposes, in the order of their numbers. */
const TCF_PURPOSES = [
  'cookies',
  'select_basic_ads',
  'create_ads_profile',
  'select_personalized_ads',
  'create_content_profile',
  'select_personalized_content',
  'measure_ad_performance',
  'measure_content_performance',
  'market_research',
  'improve_products',
  'use_limited_data_to_select_content',
]

/**
 * Reads the choice that Didomi recorded: custom purposes from base64 of JSON in `didomi_token`, and the TCF purposes
 * under Didomi's names for them (`cookies`, `market_research`, ...) from the consent string in `euconsent-v2`.
 *
 * The choice counts as made when the token names a purpose. It also counts with a valid consent string, unless the
 * token says that nothing was chosen (`version` is `null`).
 *
 * A site whose purposes are all custom has a consent string without any purpose, which says nothing.
 *
 * By default `analytics` needs `cookies`, `measure_content_performance` and `market_research`, and `marketing` needs
 * `cookies`, `create_ads_profile` and `select_personalized_ads`. Custom purposes need `categories`. Only
 * Didomi's own script can resolve the numbered custom purposes in the newer `didomi_dcs`, so beside it only the TCF
 * purposes are read.
 */
export function didomi(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'didomi',
    options,
    rules: {},
    defaults: {
      cookies: ['analytics', 'marketing'],
      create_ads_profile: 'marketing',
      select_personalized_ads: 'marketing',
      measure_content_performance: 'analytics',
      market_research: 'analytics',
    },
    others: TCF_PURPOSES,
    complete: true,
    read,
  })
}

markFactory(didomi, 'didomi()')

function read(request: TrackedRequest): ConsentRecord[] {
  const choices = new Map<string, Choice>()
  for (const token of readBase64Cookies(request, 'didomi_token')) {
    const named = choices.size
    const purposes = ownObject(token, 'purposes') ?? {}
    for (const id of stringsOf(own(purposes, 'enabled')) ?? []) addChoice(choices, id, true)
    for (const id of stringsOf(own(purposes, 'disabled')) ?? []) addChoice(choices, id, false)
    if (choices.size === named && own(token, 'version') === null) return []
  }
  const hasCustomOnly = choices.size > 0 && !TCF_PURPOSES.some((id) => choices.has(id))
  for (const consented of readTcPurposes(request, 'euconsent-v2')) {
    if (hasCustomOnly && !consented.includes(true)) continue
    for (const [index, id] of TCF_PURPOSES.entries()) addChoice(choices, id, consented[index] === true)
  }
  return choices.size === 0 ? [] : [{ explicit: true, choices }]
}
