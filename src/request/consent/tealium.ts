import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { flag } from '../reader-options.js'
import { pairsOf, percentDecoded, readCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/** The options of {@link tealium}. */
export interface TealiumOptions extends ConsentOptions {
  /**
   * Whether the site asks for categories (Consent Preferences). Defaults to `true`. With `false` the visitor was asked one
   * question (Consent Prompt), and `consent:true` without categories is the answer for all of them.
   */
  hasCategories?: boolean
}

/**
 * Reads the choice that Tealium's consent management recorded: `consent:true|ts:1753876354280|c1:1|c3:0` in the cookie
 * `CONSENTMGR`.
 *
 * The choice counts as made when `consent` is `true` or `false`. `consent:false` refuses every category, whatever is listed
 * beside it. A record with `dns` (do not sell) belongs to an opt-out law, and Tealium does not document which of its values
 * opts out: its grants are unknown.
 *
 * By default `c1` (analytics) is `analytics`, `c3` (display ads) `marketing`. The other categories have no key, and none of
 * them is strictly necessary.
 *
 * Source: Tealium, "GDPR functions" (`utag.gdpr.setConsentValue`, `setPreferencesValues`) and its list of categories, and
 * captures.
 */
export function tealium(options: TealiumOptions = {}): ConsentReader {
  return consentReader({
    name: 'tealium',
    options,
    rules: { hasCategories: flag },
    defaults: { c1: 'analytics', c3: 'marketing' },
    complete: true,
    read,
  })
}

markFactory(tealium, 'tealium()')

function read(request: TrackedRequest, { hasCategories = true }: TealiumOptions): ConsentRecord[] {
  return readCookies(request, 'CONSENTMGR').flatMap(
    (cookie) => recordOf(percentDecoded(cookie) ?? '', hasCategories) ?? [],
  )
}

function recordOf(text: string, hasCategories: boolean): ConsentRecord | undefined {
  const choices = new Map<string, Choice>()
  const answers = new Set<string>()
  let isOptOutLaw = false
  for (const [name, value] of pairsOf(text, '|', ':')) {
    if (name === 'consent') answers.add(value)
    else if (name === 'dns') isOptOutLaw = true
    else if (/^c\d{1,3}$/.test(name)) addChoice(choices, name, value === '1')
  }
  if (answers.has('false')) return { explicit: true, choices: new Map(), rest: false }
  if (answers.size !== 1 || !answers.has('true')) return undefined
  if (choices.size > 0) return { explicit: true, choices: isOptOutLaw ? withAssumedGrants(choices) : choices }
  return hasCategories ? undefined : { explicit: !isOptOutLaw, choices, rest: true }
}

function withAssumedGrants(choices: ReadonlyMap<string, Choice>): ReadonlyMap<string, Choice> {
  return new Map([...choices].map(([category, choice]) => [category, choice === true ? 'assumed' : choice]))
}
