import { isRecord } from '../../model/values.js'
import { given } from '../../support/given.js'
import { writtenPath } from '../../support/written-path.js'
import type { PlanProblems } from '../plan-error.js'
import { isJsonSchema, type JsonSchema } from '../standard-schema.js'

/** The kinds of rules that a tracking plan of Segment's has. */
export const RULE_TYPES = ['TRACK', 'IDENTIFY', 'GROUP', 'PAGE', 'SCREEN', 'COMMON'] as const

export type RuleType = (typeof RULE_TYPES)[number]

/**
 * A rule of a tracking plan of Segment's.
 *
 * Source: Segment, Public API, "List Rules from Tracking Plan".
 */
export interface SegmentRule {
  readonly type: RuleType
  /** The event's name, or that of a page or screen. Empty where the rule is for all of its type. */
  readonly key: string
  readonly version: number
  readonly jsonSchema: JsonSchema
  /** Where it is in the export. */
  readonly path: readonly PropertyKey[]
}

const EXPECTED =
  "expected a tracking plan as Segment's Public API exports it: a list of rules { type, key, version, jsonSchema }"

/** Reads an export: the list of rules, or an answer of the API that has it. */
export function readSegmentRules(json: unknown, problems: PlanProblems): SegmentRule[] {
  const found = rulesOf(json)
  if (!found) {
    problems.add([], `${given(json)}, ${EXPECTED}`)
    return []
  }
  const { list, path } = found
  return list.flatMap((rule: unknown, index) => readRule(rule, [...path, index], problems) ?? [])
}

/** Whether a value looks like an export of Segment's. */
export function isSegmentPlan(json: unknown): boolean {
  return rulesOf(json) !== undefined
}

function rulesOf(json: unknown): { list: readonly unknown[]; path: readonly string[] } | undefined {
  if (Array.isArray(json)) return { list: json, path: [] }
  if (!isRecord(json)) return undefined
  if (Array.isArray(json.rules)) return { list: json.rules, path: ['rules'] }
  const { data } = json
  return isRecord(data) && Array.isArray(data.rules)
    ? { list: data.rules, path: ['data', 'rules'] }
    : undefined
}

function readRule(
  rule: unknown,
  path: readonly PropertyKey[],
  problems: PlanProblems,
): SegmentRule | undefined {
  if (!isRecord(rule)) {
    problems.add(path, `${given(rule)}, expected a rule { type, key, version, jsonSchema }`)
    return undefined
  }
  const type = RULE_TYPES.find((known) => known === rule.type)
  const key = keyOf(rule.key, type)
  const { jsonSchema, version = 1 } = rule
  if (!type) problems.add([...path, 'type'], `${given(rule.type)}, expected one of ${RULE_TYPES.join(', ')}`)
  if (key === undefined) {
    problems.add(
      [...path, 'key'],
      `${given(rule.key)}, expected the name of ${type === 'TRACK' ? 'the event' : 'a page'}`,
    )
  }
  if (!isJsonSchema(jsonSchema)) {
    problems.add([...path, 'jsonSchema'], `${given(jsonSchema)}, expected a JSON Schema`)
  }
  if (typeof version !== 'number') {
    problems.add([...path, 'version'], `${given(version)}, expected a number such as 1`)
  }
  if (!type || key === undefined || !isJsonSchema(jsonSchema) || typeof version !== 'number') return undefined
  return { type, key, version, jsonSchema, path }
}

/** The name that a rule is for; `undefined` where it should have one and does not. */
function keyOf(key: unknown, type: RuleType | undefined): string | undefined {
  if (type === 'TRACK') return typeof key === 'string' && key.trim() !== '' ? key : undefined
  if (key === undefined || key === null) return ''
  if (typeof key !== 'string') return undefined
  // Of the other types only pages and screens have names; some exports repeat the type as the key.
  const isNamed = (type === 'PAGE' || type === 'SCREEN') && key.toUpperCase() !== type
  return isNamed ? key : ''
}

/** What of a rule's schema is about what a handler gives: a schema of its own, with the definitions that it may refer to. */
export function projected(
  { jsonSchema }: SegmentRule,
  member: 'properties' | 'traits',
): JsonSchema | undefined {
  const { properties, definitions, $defs } = jsonSchema
  const own: unknown = isJsonSchema(properties) ? properties[member] : undefined
  if (!isJsonSchema(own) || Object.keys(own).length === 0) return undefined
  return {
    ...(definitions !== undefined && { definitions }),
    ...($defs !== undefined && { $defs }),
    properties: { [member]: own },
  }
}

/** Rules of the same name and type, in the order of their versions, oldest first. */
export function rivals(rules: readonly SegmentRule[]): SegmentRule[][] {
  const named = new Map<string, SegmentRule[]>()
  for (const rule of rules) {
    if (rule.type === 'COMMON') continue
    const name = `${rule.type} ${rule.key}`
    named.set(name, [...(named.get(name) ?? []), rule])
  }
  return [...named.values()].map((same) => same.sort((a, b) => a.version - b.version))
}

/** What to say of a rule whose name another one has, too. */
export function rivalry(rule: SegmentRule, first: SegmentRule): string {
  const what = rule.key === '' ? rule.type : JSON.stringify(rule.key)
  const versions =
    rule.version === first.version ? '' : ` (version ${rule.version}, and ${first.version} there)`
  return `a second rule for ${what}${versions}, the first is ${writtenPath(first.path)}: keep one of them`
}
