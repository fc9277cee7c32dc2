import { isRecord } from '../../model/values.js'
import { given } from '../../support/given.js'
import { checkKeys, checkPolicy } from '../check-definition.js'
import type { Invalid, PlanPolicies, Unplanned } from '../definition.js'
import type { PlanProblems } from '../plan-error.js'

/** What becomes of one event that does not keep to a plan. */
export interface EventPolicy {
  /** Of an event that the plan knows. */
  readonly invalid?: Invalid
  /** Of an event that it does not know. */
  readonly unplanned?: Unplanned
}

/** What is said of a plan that is read from JSON. */
export interface PlanOptions extends PlanPolicies {
  /** What holds for single events instead, by the names that handlers track. */
  readonly events?: Readonly<Record<string, EventPolicy>>
}

/**
 * Looks after the options of a plan that is read from JSON.
 *
 * @param planned - Whether the plan knows an event.
 * @param more - The keys that they can have besides.
 */
export function checkOptions(
  options: unknown,
  planned: (event: string) => boolean,
  problems: PlanProblems,
  more: readonly string[] = [],
): void {
  if (!isRecord(options)) {
    problems.add(['options'], `${given(options)}, expected an object such as { invalid: 'omit' }`)
    return
  }
  checkKeys(options, ['unplanned', 'invalid', 'events', ...more], ['options'], problems)
  checkPolicy(options, 'unplanned', ['options'], problems)
  checkPolicy(options, 'invalid', ['options'], problems)
  const { events = {} } = options
  if (!isRecord(events)) {
    problems.add(
      ['options', 'events'],
      `${given(events)}, expected an object such as { 'order complete': { invalid: 'drop' } }`,
    )
    return
  }
  for (const [name, policy] of Object.entries(events)) {
    const path = ['options', 'events', name]
    const key = planned(name) ? 'invalid' : 'unplanned'
    if (!isRecord(policy))
      problems.add(path, `${given(policy)}, expected an object such as { invalid: 'drop' }`)
    else if (key in policy || Object.keys(policy).length === 0) {
      checkKeys(policy, [key], path, problems)
      checkPolicy(policy, key, path, problems)
    } else
      problems.add(
        path,
        `the plan ${key === 'invalid' ? 'knows' : 'does not know'} this event, expected { ${key}: … }`,
      )
  }
}
