import { readFileSync } from 'node:fs'
import { type ContractEvent, givenParts, isContract, readContract } from '../from-json/contract.js'
import { memberSchema } from '../from-json/member-schema.js'
import { isSegmentPlan, readSegmentRules, type SegmentRule } from '../from-json/segment-rules.js'
import { type PlanProblem, PlanProblems } from '../plan-error.js'
import type { JsonSchema } from '../standard-schema.js'

/** A file that cannot be used at all. */
export class UnusableFile extends Error {}

/** An event of a file, with the schema of its data. */
export interface FileEvent {
  readonly name: string
  readonly description: string | undefined
  /** All of them hold. */
  readonly data: readonly JsonSchema[]
}

/** A tracking plan as a file has it. */
export interface PlanFile {
  readonly kind: 'segment' | 'contract'
  readonly json: unknown
  readonly events: readonly FileEvent[]
  /** Of Segment's. */
  readonly rules: readonly SegmentRule[]
  /** Of a contract: those of whole events. */
  readonly schemas: readonly ContractEvent[]
  readonly problems: readonly PlanProblem[]
}

/**
 * Reads a tracking plan from a file: Segment's export, or a contract of walkerOS's.
 *
 * @throws UnusableFile if the file is not there, is no JSON, or is neither.
 */
export function readPlanFile(path: string, contract?: string): PlanFile {
  const json = readJson(path)
  const problems = new PlanProblems()
  if (isSegmentPlan(json)) {
    const rules = readSegmentRules(json, problems)
    return {
      kind: 'segment',
      json,
      rules,
      schemas: [],
      events: eventsOfRules(rules),
      problems: problems.list,
    }
  }
  if (!isContract(json)) {
    throw new UnusableFile(
      `${path} is neither a tracking plan as Segment exports it, a list of rules { type, key, version, jsonSchema }, ` +
        'nor a walkerOS contract { entity: { action: schema } }',
    )
  }
  const read = readContract(json, contract, problems)
  const events = read.events.map(({ name, schema }) => {
    const all = read.common ? [read.common, schema] : [schema]
    return { name, description: descriptionOf(schema), data: all.map(dataOf) }
  })
  return { kind: 'contract', json, rules: [], schemas: read.events, events, problems: problems.list }
}

/** @throws UnusableFile if the file is not there or is no JSON. */
export function readJson(path: string): unknown {
  const text = readText(path)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UnusableFile(`${path} is no JSON: ${error instanceof Error ? error.message : error}`)
  }
}

/** @throws UnusableFile if the file cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw new UnusableFile(isMissing ? `${path} does not exist` : `${path} cannot be read: ${String(error)}`)
  }
}

function eventsOfRules(rules: readonly SegmentRule[]): FileEvent[] {
  const common = rules.filter(({ type }) => type === 'COMMON')
  const newest = new Map<string, SegmentRule>()
  for (const rule of rules) {
    const known = newest.get(rule.key)
    if (rule.type === 'TRACK' && (!known || known.version <= rule.version)) newest.set(rule.key, rule)
  }
  return [...newest.values()].map((rule) => ({
    name: rule.key,
    description: descriptionOf(rule.jsonSchema),
    data: [...common, rule].map(({ jsonSchema }) => memberSchema(jsonSchema, 'properties')),
  }))
}

function dataOf(schema: JsonSchema): JsonSchema {
  return memberSchema(givenParts(schema), 'data')
}

function descriptionOf({ description }: JsonSchema): string | undefined {
  return typeof description === 'string' && description.trim() !== '' ? description.trim() : undefined
}
