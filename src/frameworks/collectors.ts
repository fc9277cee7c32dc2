import { type CollectOptions, Collector, collectRules } from '../collect/index.js'
import type { TrackingInternals } from '../tracker/internals.js'
import type { Tracking } from '../tracker/tracking.js'
import { internalsOf } from './adapter.js'
import { type TenantTracking, trackingsOf } from './tenants.js'

/** Who takes the events of a request, and the internals of its tracking. */
export interface CollectingTracking {
  readonly inside: TrackingInternals
  readonly collector: Collector
}

/**
 * Makes what finds the collector of a request: each tenant's tracking has one, which counts for itself.
 *
 * @param adapter - The adapter's name, for errors.
 * @param further - Options that the adapter has beside those of every endpoint.
 * @throws TypeError for what is no tracking, and for options that cannot be meant so.
 */
export function collectorsOf<Native>(
  tracking: Tracking | TenantTracking<Native>,
  adapter: string,
  options: CollectOptions,
  further: readonly string[] = [],
): (native: Native) => CollectingTracking {
  const trackingOf = trackingsOf(tracking, adapter)
  // Of a tenant's tracking it is not known yet: without a plan no event of a browser is allowed then.
  const hasPlan = typeof tracking === 'function' || internalsOf(tracking, adapter).hasPlan
  const rules = collectRules(adapter, options, hasPlan, further)
  const known = new WeakMap<TrackingInternals, CollectingTracking>()
  return (native) => {
    const inside = trackingOf(native)
    const found = known.get(inside)
    if (found) return found
    const made = { inside, collector: new Collector(rules, inside) }
    known.set(inside, made)
    return made
  }
}
