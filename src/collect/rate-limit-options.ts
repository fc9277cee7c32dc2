import { given } from '../support/given.js'
import type { Maybe } from '../support/maybe.js'
import { assertKnownKeys } from '../support/unknown-key.js'

/** How many events a collect endpoint takes in a time. */
export interface RateLimitOptions {
  /** Events of one visitor. Defaults to 60. */
  readonly perVisitor?: number
  /** Events from one address; of IPv6 from one network of 64 bits. Defaults to 600. */
  readonly perAddress?: number
  /** The time in milliseconds. Defaults to a minute. */
  readonly window?: number
  /** Counts for several processes, by a store of `express-rate-limit`. By default each process counts in its memory. */
  readonly store?: RateLimitStore
}

/** A store of `express-rate-limit`, as far as it is used. */
export interface RateLimitStore {
  /** Is told the time of the limit, in milliseconds, before anything is counted. */
  init?(options: { windowMs: number }): void
  /** Counts one event, and tells how many there are now and when they are forgotten. */
  increment(key: string): Maybe<{ readonly totalHits: number; readonly resetTime?: Date | undefined }>
}

/** The limits of a collect endpoint, checked. */
export interface RateLimit {
  readonly perVisitor: number
  readonly perAddress: number
  /** Milliseconds. */
  readonly window: number
  readonly store: RateLimitStore | undefined
}

const KNOWN = [
  'perVisitor',
  'perAddress',
  'window',
  'store',
] as const satisfies readonly (keyof RateLimitOptions)[]
const DEFAULTS = { perVisitor: 60, perAddress: 600, window: 60_000 }

/**
 * @param adapter - The name of the function that was given the option, for the errors.
 * @throws TypeError for whatever is not as {@link RateLimitOptions} says.
 */
export function rateLimitOf(adapter: string, limit: false | RateLimitOptions = {}): RateLimit | undefined {
  if (limit === false) return undefined
  if (typeof limit !== 'object' || limit === null)
    throw new TypeError(
      `${adapter}: limit is ${given(limit)}: expected { perVisitor, perAddress, window }, or false`,
    )
  assertKnownKeys(`${adapter}: limit`, limit, KNOWN)
  const { store } = limit
  if (
    store !== undefined &&
    (typeof store !== 'object' || store === null || typeof store.increment !== 'function')
  )
    throw new TypeError(`${adapter}: limit.store is ${given(store)}: expected a store of express-rate-limit`)
  const number = (name: keyof typeof DEFAULTS): number => {
    const value = limit[name] ?? DEFAULTS[name]
    if (typeof value === 'number' && value > 0) return value
    throw new TypeError(`${adapter}: limit.${name} is ${given(value)}: expected a number above 0`)
  }
  return {
    perVisitor: number('perVisitor'),
    perAddress: number('perAddress'),
    window: number('window'),
    store,
  }
}
