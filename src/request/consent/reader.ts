import type { WalkerOS } from '@walkeros/core'
import type { Reader, TrackedRequest } from '../../model/tracked-request.js'
import { categoryMap, checkOptions, flag, type OptionRules } from '../reader-options.js'
import { categoriesByKey, type Mapping, strictestRecord, toConsent } from './mapping.js'
import { type CategoryMap, type ConsentRecord, toList, type WalkerKey } from './record.js'

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

/** The key under which a manager's reader shows what it found, for those who ask why it answers as it does. */
export const explained: unique symbol = Symbol.for('reqtrack.explainedConsent')

/** What a manager's reader found in a request, before it is mapped. */
export interface ConsentFound {
  readonly records: readonly ConsentRecord[]
  readonly mapping: Mapping
}

/** A synchronous reader of consent. Its `name` is the name of the function that made it. */
export interface ConsentReader {
  (request: TrackedRequest): WalkerOS.Consent | undefined
  /** Present if the reader only ever refuses. */
  readonly [optOut]?: true
  /** What it found; absent from readers that map nothing. */
  readonly [explained]?: (request: TrackedRequest) => ConsentFound
}

/** Whether a reader only ever refuses and therefore applies after the readers that also grant. */
export function isOptOut(reader: Reader<WalkerOS.Consent>): boolean {
  return optOut in reader && reader[optOut] === true
}

/** Names a reader. The inspector shows this name as the source of a value. */
export function named<T extends (...parameters: never[]) => unknown>(name: string, reader: T): T {
  return Object.defineProperty(reader, 'name', { value: name })
}

/** Describes one consent manager to {@link consentReader}. */
export interface ConsentManager<O extends ConsentOptions> {
  /** The name of the factory. */
  readonly name: string
  readonly options: O
  /** The rules for the options that other managers do not have. */
  readonly rules: OptionRules<Omit<O, keyof ConsentOptions>>
  /** The map for sites that give none. Absent if every site names its own ids. */
  readonly defaults?: CategoryMap
  /**
   * Whether every record names all categories of the default map, so that a missing one is refused. By default the map
   * lists common categories, and one that a site does not have does not affect the other categories of its key.
   */
  readonly complete?: boolean
  /** Whether category ids mean the same in upper and lower case. `read` then returns them in lower case. */
  readonly ignoresCase?: boolean
  /** The manager's own categories outside of the default map. Any other category is the site's own. */
  readonly others?: readonly string[]
  /**
   * Reads the records from a request: none that cannot be understood, and several if a cookie came several times. Of
   * several records the strictest counts.
   */
  readonly read: (request: TrackedRequest, options: O) => readonly ConsentRecord[]
}

/**
 * Makes the reader of a consent manager. The reader maps the manager's record to walkerOS keys.
 *
 * @throws TypeError if an option is wrong, or if neither the options nor the manager have a map of categories.
 */
export function consentReader<O extends ConsentOptions>(manager: ConsentManager<O>): ConsentReader {
  const { name, options, defaults, read, rules } = manager
  checkOptions<ConsentOptions>(name, options, {
    categories: categoryMap(),
    explicitOnly: flag,
    ...rules,
  })
  // JavaScript callers may leave out the options even if the manager needs a map.
  const categories = options?.categories ?? defaults
  if (categories === undefined) {
    throw new TypeError(
      `${name}() got no categories: its ids are your site's own, so say what they stand for, ` +
        `as in ${name}({ categories: { 'an-id': 'analytics', 'another-id': 'marketing' } })`,
    )
  }
  const mapping: Mapping = {
    keys: categoriesByKey(categories, manager.ignoresCase),
    isGuess: options?.categories === undefined,
    known: new Set([...Object.keys(categories), ...(manager.others ?? [])]),
    allRequired: options?.categories !== undefined || manager.complete === true,
    explicitOnly: options?.explicitOnly ?? true,
  }
  const reader = named(name, (request: TrackedRequest) => {
    const [record, ...more] = read(request, options)
    if (record === undefined) return undefined
    const consent = toConsent(record, mapping)
    return more.length === 0
      ? consent
      : strictestRecord([consent, ...more.map((other) => toConsent(other, mapping))])
  })
  return Object.assign(reader, {
    [explained]: (request: TrackedRequest) => ({ records: read(request, options), mapping }),
  })
}

/** The options of readers that only refuse. */
export interface OptOutOptions {
  /** Maps each signal to the walkerOS keys that it refuses and replaces the default map as a whole. */
  categories?: CategoryMap
}

/** Describes a reader that only refuses to {@link optOutReader}. */
export interface OptOutSignals<O extends OptOutOptions> {
  /** The name of the factory. */
  readonly name: string
  /** The signals that exist. Each of them refuses `marketing` by default. */
  readonly signals: readonly string[]
  readonly options: O
  /** The rules for the options that other such readers do not have. */
  readonly rules: OptionRules<Omit<O, keyof OptOutOptions>>
  /** Returns the signals that are on in a request. */
  readonly read: (request: TrackedRequest, options: O) => Iterable<string>
}

/**
 * Makes a reader that only refuses.
 *
 * @throws TypeError if an option is wrong.
 */
export function optOutReader<O extends OptOutOptions>(manager: OptOutSignals<O>): ConsentReader {
  const { name, signals, options, read, rules } = manager
  checkOptions<OptOutOptions>(name, options, { categories: categoryMap(signals), ...rules })
  const keys = new Map<string, readonly WalkerKey[]>(
    options.categories
      ? Object.entries(options.categories).map(([signal, mapped]) => [signal, toList(mapped)])
      : signals.map((signal) => [signal, ['marketing']]),
  )
  const reader = named(name, (request: TrackedRequest) => {
    const refused: WalkerOS.Consent = {}
    for (const signal of read(request, options)) {
      for (const key of keys.get(signal) ?? []) refused[key] = false
    }
    return Object.keys(refused).length === 0 ? undefined : refused
  })
  return Object.assign(reader, { [optOut]: true as const })
}
