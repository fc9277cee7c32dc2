import type { CategoryMap, ConsentRecord } from './record.js'

/**
 * The map of managers that ask for everything at once. Only `necessary` is named in their records: every other category,
 * here `all`, has the one answer.
 */
export const ONE_ANSWER: CategoryMap = { necessary: 'functional', all: ['analytics', 'marketing'] }

/** Makes the record of one answer for everything but the necessary, which nobody can refuse. */
export function oneAnswer(granted: boolean, explicit = true): ConsentRecord {
  return { explicit, choices: new Map([['necessary', true]]), rest: granted }
}
