import type { WalkerOS } from '@walkeros/core'
import type { ConsentContext } from '../model/segment-call.js'

/**
 * Whether one of the keys that are required is granted; nothing required is always granted. It says what
 * `getGrantedConsent` of `@walkeros/core` says, which puts three objects together to do so.
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
 * Translates a consent state to Segment's categories. A key that the state does not name counts as refused, and a
 * category behind several keys is granted only if all of them are: an absent consent object would make Segment deliver
 * to every destination.
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
    categoryPreferences[category] = granted && categoryPreferences[category] !== false
  }
  return { categoryPreferences }
}
