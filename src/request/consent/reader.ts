import type { WalkerOS } from '@walkeros/core'
import type { Reader, TrackedRequest } from '../../model/tracked-request.js'

/** A key of a walkerOS consent state: `functional`, `analytics`, `marketing`, or one of your own. */
export type WalkerKey = string

/**
 * Maps the categories, purposes or services of a consent manager to walkerOS keys.
 *
 * A key needs all of its categories granted. For `functional` one is enough, because it means strictly necessary.
 * Categories outside of the map have no effect.
 *
 * @example
 * const categories: CategoryMap = { C0002: 'analytics', C0004: 'marketing', C0007: ['analytics', 'marketing'] }
 */
export type CategoryMap = Readonly<Record<string, WalkerKey | readonly WalkerKey[]>>

/** The options of every reader of a consent manager. */
export interface ConsentOptions {
  /**
   * Maps the manager's own category ids to walkerOS keys and replaces the default map as a whole. A category in this
   * map that a visitor's recorded choice leaves out counts as refused.
   */
  categories?: CategoryMap
  /**
   * Whether only the visitor's own choice counts. Defaults to `true`: until the visitor chooses, the consent is unknown.
   * With `false` the manager's default state counts until then, as opt-out laws allow.
   */
  explicitOnly?: boolean
}

/** The options of a manager without a default map, because every site names its own ids. */
export interface MappedConsentOptions extends ConsentOptions {
  /** Maps the site's own ids to walkerOS keys. Required. */
  categories: CategoryMap
}

/**
 * Marks a reader that can only refuse. Such readers apply after all managers, at any position in a chain.
 *
 * The symbol is registered by name, so the ESM and the CommonJS copy of this package recognise each other's readers.
 */
export const optOut: unique symbol = Symbol.for('reqtrack.optOut')

/** A synchronous reader of consent. Its `name` is the name of the function that made it. */
export interface ConsentReader {
  (request: TrackedRequest): WalkerOS.Consent | undefined
  /** Present if the reader only ever refuses. */
  readonly [optOut]?: true
}

/** Whether a reader only ever refuses and therefore applies after the readers that also grant. */
export function isOptOut(reader: Reader<WalkerOS.Consent>): boolean {
  return optOut in reader && reader[optOut] === true
}

/** Names a reader. The inspector shows this name as the source of a value. */
export function named<T extends (...parameters: never[]) => unknown>(name: string, reader: T): T {
  return Object.defineProperty(reader, 'name', { value: name })
}

/** A visitor's choice for one category: `undecided` if the record names it without a choice. */
export type Choice = boolean | 'undecided'

/** A consent manager's record of a visitor, in the manager's own categories. */
export interface ConsentRecord {
  /** Whether the visitor made this choice; `false` for the manager's default state. */
  readonly explicit: boolean
  readonly choices: ReadonlyMap<string, Choice>
}

/** Describes one consent manager to {@link consentReader}. */
export interface ConsentManager {
  /** The name of the factory. */
  readonly name: string
  readonly options: ConsentOptions
  /** The map for sites that give none. Absent if every site names its own ids. */
  readonly defaults?: CategoryMap
  /**
   * Whether every record names all categories of the default map, so that a missing one is refused. By default the map
   * lists common categories, and one that a site does not have does not affect the other categories of its key.
   */
  readonly complete?: boolean
  /** Reads the record from a request. Returns `undefined` if there is none or it cannot be understood. */
  readonly read: (request: TrackedRequest) => ConsentRecord | undefined
}

/** Common category names, for managers whose sites choose the names. */
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
 * Makes the reader of a consent manager. The reader maps the manager's record to walkerOS keys.
 *
 * @throws TypeError if neither the options nor the manager have a map of categories.
 */
export function consentReader(manager: ConsentManager): ConsentReader {
  const { name, options, defaults, read } = manager
  // JavaScript callers may leave out the options even if the manager needs a map.
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
    // A record with none of the common ids uses ids that only the site can explain. One with no ids at all grants
    // nothing.
    if (isGuess && record.choices.size > 0 && !namesAny(record.choices, categories)) return undefined
    return toConsent(record, keys, allRequired)
  })
}

/** The options of readers that only refuse. */
export interface OptOutOptions {
  /** Maps each signal to the walkerOS keys that it refuses and replaces the default map as a whole. */
  categories?: CategoryMap
}

/**
 * Makes a reader that only refuses.
 *
 * @param name - The name of the factory.
 * @param categories - Maps each signal to the walkerOS keys that it refuses.
 * @param read - Returns the signals that are on in a request.
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

/** Adds a choice. A category that a record names twice is granted only if both grant it. */
export function addChoice(choices: Map<string, Choice>, category: string, granted: boolean): void {
  choices.set(category, granted && choices.get(category) !== false)
}

/** The key that needs only one granted category, because strictly necessary cookies cannot be refused. */
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
