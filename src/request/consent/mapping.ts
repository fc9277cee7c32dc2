import type { WalkerOS } from '@walkeros/core'
import { type CategoryMap, type ConsentRecord, toList, type WalkerKey } from './record.js'

/** The key that needs only one granted category, because strictly necessary cookies cannot be refused. */
const NECESSARY_KEY = 'functional'

/** How records become consent states. */
export interface Mapping {
  readonly keys: ReadonlyMap<WalkerKey, readonly string[]>
  /** Whether the map is the manager's default, so that a site may use other categories. */
  readonly isGuess: boolean
  /** The categories of the map and the manager's own others. */
  readonly known: ReadonlySet<string>
  /** Whether a key needs all of its categories in the record. */
  readonly allRequired: boolean
  readonly explicitOnly: boolean
}

/** Maps a record to walkerOS keys. A key that the record does not decide is left out. */
export function toConsent(record: ConsentRecord, mapping: Mapping): WalkerOS.Consent | undefined {
  if (mapping.explicitOnly && !record.explicit) return undefined
  if (mapping.isGuess && !isUnderstood(record, mapping.keys)) return undefined
  const consent: WalkerOS.Consent = {}
  let isDecided = false
  for (const [key, categories] of mapping.keys) {
    const granted = isGranted(key, categories, record, mapping)
    if (granted === undefined) continue
    consent[key] = granted
    isDecided = true
  }
  return isDecided ? consent : undefined
}

function isGranted(
  key: WalkerKey,
  categories: readonly string[],
  record: ConsentRecord,
  mapping: Mapping,
): boolean | undefined {
  let isAnyGranted = false
  let isAnyRefused = false
  let isAnyUndecided = false
  let isAnyMissing = false
  for (const category of categories) {
    const choice = record.choices.get(category) ?? record.rest
    if (choice === undefined) isAnyMissing = true
    else if (choice === false) isAnyRefused = true
    else if (choice === true || (choice === 'assumed' && !mapping.explicitOnly)) isAnyGranted = true
    else isAnyUndecided = true
  }
  if (key === NECESSARY_KEY && isAnyGranted) return true
  if (isAnyRefused) return false
  if (isAnyUndecided) return undefined
  if (!isAnyMissing || (isAnyGranted && !mapping.allRequired)) return true
  if (!record.explicit) return undefined
  return !isAnyGranted && mapping.isGuess && mayMean(key, record, mapping.known) ? undefined : false
}

/** Names under which a list of accepted categories may hold the category behind a key. */
const LIKELY_NAMES: Readonly<Record<WalkerKey, RegExp>> = {
  analytics: /^(?:anal|stat|perf|measur|track)/i,
  marketing: /^(?:ad(?:s|v|[^a-z]|$)|market|target|promo)/i,
}

/**
 * Whether one of the site's own categories may stand for a key. A record that lists every category with its choice leaves
 * that open. A list of accepted ones refuses the rest, unless a name in it suggests the key.
 */
function mayMean(key: WalkerKey, record: ConsentRecord, known: ReadonlySet<string>): boolean {
  for (const category of record.choices.keys()) {
    if (known.has(category)) continue
    if (record.acceptedOnly !== true || LIKELY_NAMES[key]?.test(category)) return true
  }
  return false
}

/** Turns a map around: the categories behind each key, in lower case if case does not matter. */
export function categoriesByKey(
  categories: CategoryMap,
  ignoresCase = false,
): ReadonlyMap<WalkerKey, readonly string[]> {
  const keys = new Map<WalkerKey, string[]>()
  for (const [id, mapped] of Object.entries(categories)) {
    const category = ignoresCase ? id.toLowerCase() : id
    for (const key of toList(mapped)) {
      const behind = keys.get(key)
      if (behind) behind.push(category)
      else keys.set(key, [category])
    }
  }
  return keys
}

/**
 * Whether a default map says anything of a record. A record with none of the common ids uses ids that only the site can
 * explain. One with no ids at all grants nothing, or is one answer for all of them.
 */
function isUnderstood(record: ConsentRecord, keys: ReadonlyMap<WalkerKey, readonly string[]>): boolean {
  if (record.choices.size === 0 || record.rest !== undefined) return true
  for (const categories of keys.values())
    if (categories.some((category) => record.choices.has(category))) return true
  return false
}

/**
 * Merges what several records of one manager say, of which any may be stale: a refusal in one of them refuses a key, and
 * only a grant in all of them grants it. A key that some grant and others leave out stays unknown.
 */
export function strictestRecord(
  states: readonly (WalkerOS.Consent | undefined)[],
): WalkerOS.Consent | undefined {
  const consent: WalkerOS.Consent = {}
  for (const key of new Set(states.flatMap((state) => Object.keys(state ?? {})))) {
    if (states.some((state) => state?.[key] === false)) consent[key] = false
    else if (states.every((state) => state?.[key] === true)) consent[key] = true
  }
  return Object.keys(consent).length === 0 ? undefined : consent
}
