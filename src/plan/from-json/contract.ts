import { type Flow, resolveContracts } from '@walkeros/core'
import { isRecord } from '../../model/values.js'
import { given } from '../../support/given.js'
import type { PlanProblems } from '../plan-error.js'
import { isJsonSchema, type JsonSchema } from '../standard-schema.js'

/** What a contract of walkerOS's has of an event: the JSON Schema of the whole of it. */
export interface ContractEvent {
  /** `entity action`, of which each can be `*`; the entity alone where the action is empty. */
  readonly name: string
  readonly schema: JsonSchema
}

/** A contract of walkerOS's as it was read. */
export interface ReadContract {
  readonly events: readonly ContractEvent[]
  /** What it says of all events. */
  readonly common: JsonSchema | undefined
}

/** The parts of an event that a handler gives. */
export const GIVEN_PARTS = ['data', 'context', 'nested', 'custom'] as const
/** The parts that are known only where the event is complete; those that are no objects are as often names of data. */
const OTHER_PARTS = ['globals', 'user', 'consent', 'source'] as const

const EXPECTED =
  'expected a walkerOS contract: an object of entities, of their actions, of JSON Schemas, such as { order: { complete: { … } } }'
const NOTHING: ReadContract = { events: [], common: undefined }

/**
 * Reads a contract: `{ entity: { action: schema } }`, or `{ events: { … } }` as it is in a flow, or several of those by
 * their names. What wildcards and `extend` say is merged as walkerOS merges it.
 *
 * @param name - Which one of several is meant.
 */
export function readContract(json: unknown, name: string | undefined, problems: PlanProblems): ReadContract {
  if (!isRecord(json)) {
    problems.add([], `${given(json)}, ${EXPECTED}`)
    return NOTHING
  }
  const named = contractsIn(json)
  const chosen = name ?? (named.length === 1 ? named[0]?.[0] : undefined)
  const found = named.find(([each]) => each === chosen)
  if (!found || chosen === undefined) {
    const names = named.map(([each]) => JSON.stringify(each)).join(', ')
    problems.add(
      ['options', 'contract'],
      `${given(name)}, expected the name of one of the contracts: ${names}`,
    )
    return NOTHING
  }
  const contracts: Flow.Contract = {}
  for (const [each, contract] of named) contracts[each] = checkedRule(contract, problems)
  return resolved(contracts, chosen, problems)
}

/** Whether a value looks like a contract of walkerOS's. */
export function isContract(json: unknown): boolean {
  return isRecord(json) && Object.values(json).every(isRecord)
}

interface Contract {
  readonly rule: Readonly<Record<string, unknown>>
  /** Where its events are. */
  readonly path: readonly string[]
}

function contractsIn(json: Readonly<Record<string, unknown>>): [string, Contract][] {
  if (isRecord(json.events)) return [['default', { rule: json, path: ['events'] }]]
  const members = Object.entries(json)
  const isNamed = ([, rule]: [string, unknown]) =>
    isRecord(rule) && (isRecord(rule.events) || 'extend' in rule)
  if (members.length > 0 && members.every(isNamed)) {
    return members.flatMap(([name, rule]) =>
      isRecord(rule) ? [[name, { rule, path: [name, 'events'] }]] : [],
    )
  }
  return [['default', { rule: { events: json }, path: [] }]]
}

/** A contract whose schemas are all of whole events. */
function checkedRule({ rule, path }: Contract, problems: PlanProblems): Flow.ContractRule {
  const { events = {}, extend, schema } = rule
  const checked: Record<string, Record<string, JsonSchema>> = {}
  for (const [entity, actions] of Object.entries(isRecord(events) ? events : {})) {
    if (!isRecord(actions)) {
      problems.add(
        [...path, entity],
        `${given(actions)}, expected an object of JSON Schemas by their actions`,
      )
      continue
    }
    const own: Record<string, JsonSchema> = {}
    for (const [action, each] of Object.entries(actions)) {
      if (isJsonSchema(each)) own[action] = ofWholeEvent(each)
      else problems.add([...path, entity, action], `${given(each)}, expected a JSON Schema`)
    }
    checked[entity] = own
  }
  return {
    events: checked,
    ...(typeof extend === 'string' && { extend }),
    ...(isJsonSchema(schema) && { schema }),
  }
}

/** A schema that names no part of an event is that of its data. */
function ofWholeEvent(schema: JsonSchema): JsonSchema {
  const { properties } = schema
  if (!isRecord(properties) || Object.keys(properties).length === 0) return schema
  const isPart = [...GIVEN_PARTS, ...OTHER_PARTS].some((part) => Object.hasOwn(properties, part))
  return isPart ? schema : { properties: { data: schema } }
}

function resolved(contracts: Flow.Contract, name: string, problems: PlanProblems): ReadContract {
  let rule: Flow.ContractRule | undefined
  try {
    rule = resolveContracts(contracts, { stripAnnotations: false })[name]
  } catch (error) {
    problems.add([], error instanceof Error ? error.message : String(error))
  }
  const events = Object.entries(rule?.events ?? {}).flatMap(([entity, actions]) =>
    Object.entries(actions ?? {}).flatMap(([action, schema]): ContractEvent[] =>
      isJsonSchema(schema) ? [{ name: action === '' ? entity : `${entity} ${action}`, schema }] : [],
    ),
  )
  return { events, common: isJsonSchema(rule?.schema) ? rule.schema : undefined }
}

/** What of a schema of whole events is about what a handler gives. */
export function givenParts({ properties, required, definitions, $defs }: JsonSchema): JsonSchema {
  const isGiven = (part: unknown) => GIVEN_PARTS.some((each) => each === part)
  const own = isRecord(properties) ? Object.entries(properties).filter(([part]) => isGiven(part)) : []
  return {
    ...(definitions !== undefined && { definitions }),
    ...($defs !== undefined && { $defs }),
    properties: Object.fromEntries(own),
    ...(Array.isArray(required) && { required: required.filter(isGiven) }),
  }
}
