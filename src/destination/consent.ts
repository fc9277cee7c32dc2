import type { WalkerOS } from '@walkeros/core'
import type { ConsentContext } from '../model/segment-call.js'
import { setMember } from '../model/values.js'

/**
 * Whether one of the required keys is granted; with nothing required the answer is `true`. It answers as
 * `getGrantedConsent` of `@walkeros/core` does, without the three objects that it allocates.
 */
export function isGranted(required: WalkerOS.Consent | undefined, state: WalkerOS.Consent): boolean {
  if (required === undefined) return true
  const keys = Object.keys(required)
  for (const key of keys) {
    if (required[key] && Object.hasOwn(state, key) && state[key]) return true
  }
  return keys.length === 0
}

/**
 * Translates a consent state to Segment's categories. A key that the state does not name counts as refused, since without
 * a consent object Segment would deliver to every destination. A category with several keys needs all of them.
 *
 * Source: Segment, "Consent in Segment Connections": events without the object flow to all destinations.
 */
export function toCategoryPreferences(
  categories: readonly (readonly [key: string, category: string])[],
  state: WalkerOS.Consent,
): ConsentContext {
  const categoryPreferences: Record<string, boolean> = {}
  for (const [key, category] of categories) {
    const granted = Object.hasOwn(state, key) && state[key] === true
    const isRefused = Object.hasOwn(categoryPreferences, category) && !categoryPreferences[category]
    setMember(categoryPreferences, category, granted && !isRefused)
  }
  return { categoryPreferences }
}

/** The keys and categories of `settings.consent`. A key that is `undefined` counts as absent, as everywhere in a config. */
export function categoriesOf(consent: Record<string, string | undefined>): [key: string, category: string][] {
  return Object.entries(consent).flatMap(([key, category]) =>
    category === undefined ? [] : [[key, category]],
  )
}
