import type { DeliveryOptions } from './options.js'

/** How much waiting calls may take. */
export interface Limits {
  readonly maxPending: number
  readonly maxBytes: number
  readonly maxInFlight: number
  /** The most calls of a batch. */
  readonly maxBatch: number
  readonly maxAge: number
  /** Bytes in the outbox, unless it sets its own limit. */
  readonly maxStoredBytes: number
}

/** The default limits. */
export const DEFAULT_LIMITS = {
  maxPending: 10_000,
  maxBytes: 64 * 1024 * 1024,
  maxInFlight: 4,
  maxBatch: 100,
  maxAge: 23 * 60 * 60 * 1_000,
  maxStoredBytes: 1024 ** 3,
} satisfies Limits

/**
 * The configured limits, and defaults for the others.
 *
 * @param flushAt - How many calls fill a batch, where the application says so: batches then grow no larger.
 */
export function limitsOf(configured: DeliveryOptions = {}, flushAt?: number): Limits {
  return {
    maxPending: configured.maxPending ?? DEFAULT_LIMITS.maxPending,
    maxBytes: configured.maxBytes ?? DEFAULT_LIMITS.maxBytes,
    maxInFlight: configured.maxInFlight ?? DEFAULT_LIMITS.maxInFlight,
    maxBatch: flushAt ?? configured.maxBatch ?? DEFAULT_LIMITS.maxBatch,
    maxAge: configured.maxAge ?? DEFAULT_LIMITS.maxAge,
    maxStoredBytes:
      configured.outbox?.limits.maxBytes ?? configured.maxBytes ?? DEFAULT_LIMITS.maxStoredBytes,
  }
}
