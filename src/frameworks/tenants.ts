import { outside } from '../support/outside.js'
import { kindOf } from '../tracker/given-kinds.js'
import { internals, type TrackingInternals } from '../tracker/internals.js'
import type { Tracking } from '../tracker/tracking.js'
import { createTracking } from '../tracking.js'
import { hasInternals, internalsOf } from './adapter.js'

/**
 * Gives each request the tracking of its tenant, which is a write key of its own. A tenant without one is served
 * untracked: its handlers have a tracker, and what that is given goes nowhere.
 *
 * It is asked once for every request, where the adapter is mounted, and answers at once.
 */
export type TenantTracking<Native> = (request: Native) => Tracking | undefined

/**
 * Makes what finds the internals of a request's tracking.
 *
 * @param given - The one tracking of all requests, or the function that knows each tenant's.
 * @param adapter - The adapter's name, for errors.
 * @param example - How it is mounted, for errors.
 * @throws TypeError for anything else, most often because the adapter was mounted without being called.
 */
export function trackingsOf<Native>(
  given: Tracking | TenantTracking<Native>,
  adapter: string,
  example?: string,
): (native: Native) => TrackingInternals {
  if (typeof given === 'function') return new Tenants(given, adapter).find
  const inside = internalsOf(given, adapter, example)
  return () => inside
}

/** Finds the tracking of each request's tenant. */
class Tenants<Native> {
  readonly #tenant: TenantTracking<Native>
  readonly #adapter: string
  #untracked: TrackingInternals | undefined

  constructor(tenant: TenantTracking<Native>, adapter: string) {
    this.#tenant = tenant
    this.#adapter = adapter
  }

  readonly find = (native: Native): TrackingInternals => {
    let found: unknown
    try {
      found = this.#tenant(native)
    } catch (error) {
      this.#none.fault(`the function given to ${this.#adapter}() failed: its request is not tracked`, error)
      return this.#none
    }
    if (hasInternals(found)) return found[internals]
    if (found !== undefined && found !== null) {
      this.#none.mistake(
        `the function given to ${this.#adapter}() gave ${kindOf(found)}: expected what ` +
          'createTracking() returned, at once and not as a promise, or undefined. Its requests are not tracked',
      )
    }
    return this.#none
  }

  /** The tracking of those who have none: it sends nothing, and is made when the first of them comes. */
  get #none(): TrackingInternals {
    this.#untracked ??= outside(() => {
      const tracking = createTracking({ disabled: true, settings: { writeKey: '' } })
      return internalsOf(tracking, this.#adapter)
    })
    return this.#untracked
  }
}
