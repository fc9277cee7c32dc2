import type { DeliveryOptions } from './options.js'

/** What calls that wait may take. */
export interface Limits {
  readonly maxPending: number
  readonly maxBytes: number
  readonly maxInFlight: number
  readonly maxAge: number
  /** Bytes on disk, where there is an outbox that does not say. */
  readonly maxStoredBytes: number
}

/** The limits, unless configured. */
export const DEFAULT_LIMITS = {
  maxPending: 10_000,
  maxBytes: 64 * 1024 * 1024,
  maxInFlight: 4,
  maxAge: 23 * 60 * 60 * 1_000,
  maxStoredBytes: 1024 ** 3,
} satisfies Limits

/** The limits that hold: those configured, and the defaults. */
export function limitsOf(configured: DeliveryOptions = {}): Limits {
  return {
    maxPending: configured.maxPending ?? DEFAULT_LIMITS.maxPending,
    maxBytes: configured.maxBytes ?? DEFAULT_LIMITS.maxBytes,
    maxInFlight: configured.maxInFlight ?? DEFAULT_LIMITS.maxInFlight,
    maxAge: configured.maxAge ?? DEFAULT_LIMITS.maxAge,
    maxStoredBytes:
      configured.outbox?.limits.maxBytes ?? configured.maxBytes ?? DEFAULT_LIMITS.maxStoredBytes,
  }
}
