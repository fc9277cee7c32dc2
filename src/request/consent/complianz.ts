import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { text, textOrNumber } from '../reader-options.js'
import { eachCookieOf } from './cookie-values.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/** The options of {@link complianz}. */
export interface ComplianzOptions extends ConsentOptions {
  /** The prefix of the plugin's cookies. Defaults to `cmplz_`. */
  prefix?: string
  /**
   * The id of the site's present cookie policy (`complianz.current_policy_id`). A choice under another one is unknown,
   * since the plugin asks again. By default choices under all policies count.
   */
  policyId?: string | number
}

/** The plugin's categories, under the names that it used before version 6, too. */
const CATEGORIES: Readonly<Record<string, string>> = {
  functional: 'functional',
  preferences: 'preferences',
  prefs: 'preferences',
  statistics: 'statistics',
  stats: 'statistics',
  marketing: 'marketing',
}
const STATUS_BEFORE_VERSION_6 = 'complianz_consent_status'
const POLICY_BEFORE_VERSION_6 = 'complianz_policy_id'

/**
 * Reads the choice that the WordPress plugin Complianz recorded: a cookie a category, such as `cmplz_marketing=allow`.
 *
 * The choice counts as made when `cmplz_banner-status` is `dismissed` and a category was chosen. Closing the banner sets
 * the status only, and statistics can be on without a choice (`forceEnableStats`): they count only in a record that
 * names `functional`, which every saved choice does. Consent given on an embed decides its one category, and the others
 * stay unknown. Before version 6 the status is in `complianz_consent_status`.
 *
 * By default `functional` is `functional`, `statistics` `analytics`, `marketing` `marketing`; `preferences` has no
 * key. A site network with its own cookie prefix has to give it as `prefix`.
 */
export function complianz(options: ComplianzOptions = {}): ConsentReader {
  return consentReader({
    name: 'complianz',
    options,
    rules: {
      prefix: text("the beginning of the cookies' names, such as 'cmplz_'"),
      policyId: textOrNumber("the policy's id, such as 14"),
    },
    defaults: { functional: 'functional', statistics: 'analytics', marketing: 'marketing' },
    others: ['preferences'],
    read,
  })
}

markFactory(complianz, 'complianz()')

interface Found {
  readonly choices: Map<string, Choice>
  readonly banner: Set<string>
  readonly legacyStatus: Set<string>
  readonly policies: Set<string>
}

function read(request: TrackedRequest, { prefix = 'cmplz_', policyId }: ComplianzOptions): ConsentRecord[] {
  const found = find(request, prefix)
  const { banner, legacyStatus, policies } = found
  if (policyId !== undefined && !isOnly(policies, String(policyId))) return []
  if (banner.size === 0 && legacyStatus.size > 0) return recordBeforeVersion6(found)
  return found.choices.size === 0 ? [] : [recordOf(found)]
}

function find(request: TrackedRequest, prefix: string): Found {
  const found = {
    choices: new Map<string, Choice>(),
    banner: new Set<string>(),
    legacyStatus: new Set<string>(),
    policies: new Set<string>(),
  }
  eachCookieOf(request, (name, value) => {
    if (name === STATUS_BEFORE_VERSION_6) found.legacyStatus.add(value)
    else if (name === POLICY_BEFORE_VERSION_6) found.policies.add(value)
    else if (name.startsWith(prefix)) {
      const rest = name.slice(prefix.length)
      if (rest === 'banner-status') found.banner.add(value)
      else if (rest === 'policy_id') found.policies.add(value)
      else if (value === 'allow' || value === 'deny')
        addChoice(found.choices, categoryOf(rest), value === 'allow')
    }
  })
  return found
}

function recordOf({ choices, banner }: Found): ConsentRecord {
  const isDismissed = isOnly(banner, 'dismissed')
  if (choices.has('functional')) return { explicit: isDismissed, choices }
  if (choices.get('statistics') === true) choices.set('statistics', 'assumed')
  return { explicit: isDismissed && isChosen(choices), choices: withNecessary(choices) }
}

function recordBeforeVersion6({ choices, legacyStatus }: Found): ConsentRecord[] {
  // A policy that changed empties the status, and it is that of no choice after a scroll under an opt-out law.
  if (![...legacyStatus].every((status) => /^(?:allow|deny|dismiss)$/.test(status))) return []
  const isDenied = legacyStatus.has('deny')
  if (isDenied) {
    choices.set('marketing', false)
    if (!choices.has('statistics')) choices.set('statistics', false)
  }
  return [{ explicit: isDenied || isChosen(choices), choices: withNecessary(choices) }]
}

/** The plugin always allows functional cookies, and what it did not ask for is unknown. */
function withNecessary(choices: ReadonlyMap<string, Choice>): ReadonlyMap<string, Choice> {
  return new Map<string, Choice>([
    ['preferences', 'undecided'],
    ['statistics', 'undecided'],
    ['marketing', 'undecided'],
    ...choices,
    ['functional', true],
  ])
}

function isChosen(choices: ReadonlyMap<string, Choice>): boolean {
  return ['preferences', 'statistics', 'marketing'].some(
    (category) => typeof choices.get(category) === 'boolean',
  )
}

function isOnly(values: ReadonlySet<string>, value: string): boolean {
  return values.size === 1 && values.has(value)
}

function categoryOf(name: string): string {
  return (Object.hasOwn(CATEGORIES, name) ? CATEGORIES[name] : undefined) ?? name
}
