import { isRecord } from '../model/values.js'
import { given } from '../support/given.js'
import { explainKey } from '../support/unknown-key.js'
import { METHODS, type PlanDefinition } from './definition.js'
import { PlanProblems } from './plan-error.js'
import { isStandardSchema } from './standard-schema.js'

const POLICIES = {
  unplanned: ['allow', 'report', 'drop'],
  invalid: ['report', 'omit', 'drop'],
} as const

const KEYS = ['events', ...METHODS, 'unplanned', 'invalid', 'transform']
const A_SCHEMA = 'expected a schema that speaks Standard Schema, such as z.object({ … })'

/** @throws PlanError that lists every problem. */
export function assertDefinition(definition: unknown): asserts definition is PlanDefinition {
  const problems = new PlanProblems()
  if (isRecord(definition)) checkDefinition(definition, problems)
  else problems.add([], `${given(definition)}, expected an object such as { events: { … } }`)
  problems.throwIfAny('definePlan')
}

function checkDefinition(definition: Readonly<Record<string, unknown>>, problems: PlanProblems): void {
  checkKeys(definition, KEYS, [], problems)
  const { events, transform } = definition
  if (isRecord(events)) {
    for (const [name, entry] of Object.entries(events)) {
      try {
        checkEntry(name, entry, problems)
      } catch {
        problems.add(['events', name], `given an object that throws when it is read, ${A_SCHEMA}`)
      }
    }
  } else {
    problems.add(['events'], `${given(events)}, expected an object of schemas by the names of events`)
  }
  for (const method of METHODS) {
    const schema = definition[method]
    if (schema !== undefined && !isStandardSchema(schema))
      problems.add([method], `${given(schema)}, ${A_SCHEMA}`)
  }
  checkPolicy(definition, 'unplanned', [], problems)
  checkPolicy(definition, 'invalid', [], problems)
  if (transform !== undefined && typeof transform !== 'boolean') {
    problems.add(['transform'], `${given(transform)}, expected true or false`)
  }
}

function checkEntry(name: string, entry: unknown, problems: PlanProblems): void {
  const path = ['events', name]
  if (name.trim() === '') problems.add(path, 'given an empty name, expected the name that handlers track')
  if (isStandardSchema(entry)) return
  if (!isRecord(entry) || !('schema' in entry || 'unplanned' in entry)) {
    problems.add(path, `${given(entry)}, ${A_SCHEMA}`)
    return
  }
  const { schema, unplanned } = entry
  if (schema === undefined) {
    checkKeys(entry, ['unplanned'], path, problems)
    checkPolicy(entry, 'unplanned', path, problems, unplanned === undefined)
    return
  }
  checkKeys(entry, ['schema', 'invalid'], path, problems)
  if (!isStandardSchema(schema)) problems.add([...path, 'schema'], `${given(schema)}, ${A_SCHEMA}`)
  checkPolicy(entry, 'invalid', path, problems)
}

/** Looks after a policy, of a plan or of one event. */
export function checkPolicy(
  owner: Readonly<Record<string, unknown>>,
  policy: keyof typeof POLICIES,
  path: readonly PropertyKey[],
  problems: PlanProblems,
  isRequired = false,
): void {
  const value = owner[policy]
  const known: readonly unknown[] = POLICIES[policy]
  if ((value === undefined && !isRequired) || known.includes(value)) return
  problems.add([...path, policy], `${given(value)}, expected ${known.map((each) => `'${each}'`).join(', ')}`)
}

/** Names each key that does not belong to an object. */
export function checkKeys(
  owner: object,
  known: readonly string[],
  path: readonly PropertyKey[],
  problems: PlanProblems,
): void {
  for (const key of Object.keys(owner)) {
    if (!known.includes(key)) {
      problems.add([...path, key], explainKey(key, { known, refused: {}, elsewhere: {} }))
    }
  }
}
