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

/**
 * A visitor's choice for one category: `undecided` if the record names it without a choice, `assumed` if the record grants
 * it without a choice, which counts with `explicitOnly: false` only.
 */
export type Choice = boolean | 'assumed' | 'undecided'

/** A consent manager's record of a visitor, in the manager's own categories. */
export interface ConsentRecord {
  /** Whether the visitor made this choice; `false` for the manager's default state. */
  readonly explicit: boolean
  readonly choices: ReadonlyMap<string, Choice>
  /** The choice for every category outside of `choices`, where the visitor gave one answer for all of them. */
  readonly rest?: boolean
  /** Whether the record lists accepted categories only, so that a missing one was refused. Defaults to `false`. */
  readonly acceptedOnly?: boolean
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

/** Adds a choice. A category that a record names twice is granted only if both grant it. */
export function addChoice(choices: Map<string, Choice>, category: string, granted: boolean): void {
  choices.set(category, granted && choices.get(category) !== false)
}

/** Reads a choice that is written as 1 or 0, a number or a text. */
export function choiceOfBit(value: unknown): Choice {
  if (value === 1 || value === '1') return true
  return value === 0 || value === '0' ? false : 'undecided'
}

/** Reads the members of an object as choices. */
export function choicesOf(
  record: Readonly<Record<string, unknown>>,
  choiceOf: (value: unknown) => Choice,
): Map<string, Choice> {
  return new Map(Object.entries(record).map(([category, value]) => [category, choiceOf(value)]))
}

/** Returns the one or more keys of a category as a list. */
export function toList(keys: WalkerKey | readonly WalkerKey[]): readonly WalkerKey[] {
  return typeof keys === 'string' ? [keys] : keys
}
