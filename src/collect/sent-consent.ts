import { readChoices } from '../model/consent.js'
import { isRecord, setMember } from '../model/values.js'

/**
 * The refusals of a consent state that a browser has sent, in walkerOS's form. A grant is the request's own to know, and is
 * left out.
 *
 * @returns `undefined` for no refusal.
 */
export function refusalsIn(state: unknown): Record<string, boolean> | undefined {
  if (!isRecord(state)) return undefined
  const refused = Object.entries(readChoices(state).choices).filter(([, granted]) => !granted)
  return refused.length > 0 ? Object.fromEntries(refused) : undefined
}

/**
 * The refusals of Segment's `context.consent`, by the keys that stand for its categories.
 *
 * @param categories - The keys of `settings.consent`, and their categories.
 */
export function refusedCategories(
  context: unknown,
  categories: readonly (readonly [key: string, category: string])[],
): Record<string, boolean> | undefined {
  const consent = isRecord(context) ? context.consent : undefined
  const refused = refusalsIn(isRecord(consent) ? consent.categoryPreferences : undefined)
  if (!refused) return undefined
  const keys: Record<string, boolean> = {}
  for (const [key, category] of categories) if (Object.hasOwn(refused, category)) setMember(keys, key, false)
  return Object.keys(keys).length > 0 ? keys : undefined
}
