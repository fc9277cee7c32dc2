import type { WalkerOS } from '@walkeros/core'
import type { Reader, TrackedRequest } from '../../model/tracked-request.js'

/** A key of a walkerOS consent state: `functional`, `analytics`, `marketing`, or one of your own. */
export type WalkerKey = string

/**
 * Which walkerOS keys stand for each category, purpose or service of a consent manager.
 *
 * Several categories behind one key have to be granted all; behind `functional` one is enough, for it stands for
 * what is strictly necessary. Categories that the map does not name have no effect.
 *
 * @example
 * const categories: CategoryMap = { C0002: 'analytics', C0004: 'marketing', C0007: ['analytics', 'marketing'] }
 */
export type CategoryMap = Readonly<Record<string, WalkerKey | readonly WalkerKey[]>>

/** What every reader of a consent manager takes. */
export interface ConsentOptions {
  /**
   * The manager's own category ids to walkerOS keys; replaces the default map as a whole. A category that you name
   * here and that a visitor's recorded choice leaves out counts as refused.
   */
  categories?: CategoryMap
  /**
   * Whether only a choice that the visitor made counts. Defaults to `true`: before it the consent is unknown. With
   * `false` the state that the manager assumes until then is used, as regions with an opt-out law allow.
   */
  explicitOnly?: boolean
}

/** The options of a manager whose ids every site names itself, so that there is no default map. */
export interface MappedConsentOptions extends ConsentOptions {
  /** The site's own ids to walkerOS keys. Required. */
  categories: CategoryMap
}

/**
 * Marks a reader whose answer can only refuse. Such readers apply after all managers, wherever they stand in a chain.
 *
 * Registered under a name, so that an ESM and a CommonJS copy of this package recognise each other's readers.
 */
export const optOut: unique symbol = Symbol.for('reqtrack.optOut')

/** A reader of consent that answers at once; its `name` is that of the function that made it. */
export interface ConsentReader {
  (request: TrackedRequest): WalkerOS.Consent | undefined
  /** Present where the reader only ever refuses. */
  readonly [optOut]?: true
}

/** Whether a reader only ever refuses, so that it has to be applied after those that also grant. */
export function isOptOut(reader: Reader<WalkerOS.Consent>): boolean {
  return optOut in reader && reader[optOut] === true
}

/** Gives a reader the name by which the inspector says where a value came from. */
export function named<T extends (...parameters: never[]) => unknown>(name: string, reader: T): T {
  return Object.defineProperty(reader, 'name', { value: name })
}

/** What a visitor chose for one category; `undecided` where the record names it and says that no choice was made. */
export type Choice = boolean | 'undecided'

/** What a consent manager recorded about a visitor, in the manager's own categories. */
export interface ConsentRecord {
  /** Whether the visitor made this choice; `false` for what the manager assumes before. */
  readonly explicit: boolean
  readonly choices: ReadonlyMap<string, Choice>
}

/** How to read one consent manager. */
export interface ConsentManager {
  /** The name of the factory. */
  readonly name: string
  readonly options: ConsentOptions
  /** The map for sites that give none; absent where ids mean nothing without the site's own. */
  readonly defaults?: CategoryMap
  /**
   * Whether the default map lists what every record names, so that one left out is one refused. By default it lists
   * what sites commonly have, and a category that the site does not have says nothing about the others of its key.
   */
  readonly complete?: boolean
  /** The record in a request; `undefined` where there is none, or none that can be understood. */
  readonly read: (request: TrackedRequest) => ConsentRecord | undefined
}

/** Categories that sites name alike although their manager leaves the names to them. */
export const COMMON_CATEGORIES: CategoryMap = {
  necessary: 'functional',
  essential: 'functional',
  required: 'functional',
  analytics: 'analytics',
  statistics: 'analytics',
  marketing: 'marketing',
  advertisement: 'marketing',
  advertising: 'marketing',
  targeting: 'marketing',
}

/**
 * Makes the reader of a consent manager: its record, mapped to walkerOS keys.
 *
 * @throws TypeError where neither the options nor the manager have a map of categories.
 */
export function consentReader(manager: ConsentManager): ConsentReader {
  const { name, options, defaults, read } = manager
  // A caller without types may have left the options out although the manager needs a map.
  const categories = options?.categories ?? defaults
  if (categories === undefined) {
    throw new TypeError(
      `${name}() got no categories: its ids are your site's own, so say what they stand for, ` +
        `as in ${name}({ categories: { 'an-id': 'analytics', 'another-id': 'marketing' } })`,
    )
  }
  const keys = categoriesByKey(categories)
  const isGuess = options?.categories === undefined
  const allRequired = !isGuess || manager.complete === true
  const explicitOnly = options?.explicitOnly ?? true
  return named(name, (request: TrackedRequest) => {
    const record = read(request)
    if (record === undefined || (explicitOnly && !record.explicit)) return undefined
    // With none of the common ids in it the record speaks of ids that only the site can explain; one with no ids at all
    // grants nothing, whatever they are.
    if (isGuess && record.choices.size > 0 && !namesAny(record.choices, categories)) return undefined
    return toConsent(record, keys, allRequired)
  })
}

/** Which keys the signals that are on refuse; the options of the opt-out readers. */
export interface OptOutOptions {
  /** The signals to the walkerOS keys that each of them refuses; replaces the default map as a whole. */
  categories?: CategoryMap
}

/**
 * Makes a reader that only refuses.
 *
 * @param name - The name of the factory.
 * @param categories - The signals to the walkerOS keys that each of them refuses.
 * @param read - The signals that are on in a request.
 */
export function optOutReader(
  name: string,
  categories: CategoryMap,
  read: (request: TrackedRequest) => Iterable<string>,
): ConsentReader {
  const signals = new Map(Object.entries(categories))
  const reader = named(name, (request: TrackedRequest) => {
    const refused: WalkerOS.Consent = {}
    for (const signal of read(request)) {
      for (const key of toList(signals.get(signal) ?? [])) refused[key] = false
    }
    return Object.keys(refused).length === 0 ? undefined : refused
  })
  return Object.assign(reader, { [optOut]: true as const })
}

/** Notes a choice; a category that a record names twice is granted only if it is both times. */
export function addChoice(choices: Map<string, Choice>, category: string, granted: boolean): void {
  choices.set(category, granted && choices.get(category) !== false)
}

/** The key behind which one granted category is enough: what is strictly necessary cannot be refused. */
const NECESSARY_KEY = 'functional'

function toConsent(
  record: ConsentRecord,
  keys: ReadonlyMap<WalkerKey, readonly string[]>,
  allRequired: boolean,
): WalkerOS.Consent | undefined {
  const consent: WalkerOS.Consent = {}
  let isDecided = false
  for (const [key, categories] of keys) {
    const granted = isGranted(key, categories, record, allRequired)
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
  allRequired: boolean,
): boolean | undefined {
  let isAnyGranted = false
  let isAnyRefused = false
  let isAnyUndecided = false
  let isAnyMissing = false
  for (const category of categories) {
    const choice = record.choices.get(category)
    if (choice === true) isAnyGranted = true
    else if (choice === false) isAnyRefused = true
    else if (choice === 'undecided') isAnyUndecided = true
    else isAnyMissing = true
  }
  if (key === NECESSARY_KEY && isAnyGranted) return true
  if (isAnyRefused) return false
  if (isAnyUndecided) return undefined
  if (isAnyMissing && (allRequired || !isAnyGranted)) return record.explicit ? false : undefined
  return true
}

function categoriesByKey(categories: CategoryMap): ReadonlyMap<WalkerKey, readonly string[]> {
  const keys = new Map<WalkerKey, string[]>()
  for (const [category, mapped] of Object.entries(categories)) {
    for (const key of toList(mapped)) {
      const behind = keys.get(key)
      if (behind) behind.push(category)
      else keys.set(key, [category])
    }
  }
  return keys
}

function namesAny(choices: ReadonlyMap<string, Choice>, categories: CategoryMap): boolean {
  for (const category of choices.keys()) {
    if (Object.hasOwn(categories, category)) return true
  }
  return false
}

function toList(keys: WalkerKey | readonly WalkerKey[]): readonly WalkerKey[] {
  return typeof keys === 'string' ? [keys] : keys
}
