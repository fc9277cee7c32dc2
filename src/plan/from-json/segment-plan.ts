import { isRecord } from '../../model/values.js'
import { given } from '../../support/given.js'
import { METHODS, type PlannedMethod } from '../definition.js'
import type { Plan } from '../plan.js'
import { PlanProblems } from '../plan-error.js'
import type { StandardSchema } from '../standard-schema.js'
import { dataSubject } from '../subject.js'
import { assemble } from './assemble.js'
import { type CompiledSchema, JsonSchemaCompiler, schemaOfAll } from './json-schema.js'
import { checkOptions, type PlanOptions } from './options.js'
import { projected, readSegmentRules, rivalry, rivals, type SegmentRule } from './segment-rules.js'

/** What `segmentPlan` takes beside the export. */
export interface SegmentPlanOptions extends PlanOptions {
  /**
   * What holds where rules of several versions have the same name, which is an error otherwise: `latest` takes the one
   * with the highest version.
   */
  readonly versions?: 'latest'
}

/**
 * Makes a tracking plan of one that is kept at Segment: the export of its Public API, a list of rules
 * `{ type, key, version, jsonSchema }`. What a rule of the type `COMMON` says holds for all the others, and for events that
 * are not planned.
 *
 * It goes by the names and data that handlers give, before the mapping: for handlers that track `Order Completed`.
 *
 * @param json - The list of rules, or an answer of the API that has it.
 * @throws PlanError that lists every problem: JSON that is no tracking plan, a schema that is none, a name that two rules
 * have. An error if ajv 8 is not installed.
 *
 * @example
 * const { data } = JSON.parse(readFileSync('tracking-plan.json', 'utf8'))
 * const tracking = createTracking({ settings, plan: segmentPlan(data.rules, { invalid: 'omit' }) })
 */
export function segmentPlan(json: unknown, options: SegmentPlanOptions = {}): Plan<Record<never, never>> {
  const problems = new PlanProblems()
  const rules = unrivalled(readSegmentRules(json, problems), options, problems)
  const tracked = rules.filter(({ type }) => type === 'TRACK')
  checkOptions(options, (name) => tracked.some(({ key }) => key === name), problems, ['versions'])
  const schemas = new RuleSchemas(rules, problems)
  const events = new Map(tracked.map((rule) => [rule.key, schemas.of('properties', rule)]))
  const methods = new Map(METHODS.flatMap((method) => schemasOf(method, rules, schemas)))
  const common = schemas.hasCommon('properties') ? schemas.of('properties') : undefined
  problems.throwIfAny('segmentPlan')
  return assemble({ events, methods, common, subject: dataSubject, hasWildcards: false }, options)
}

/** The rules of which each name has one. */
function unrivalled(rules: readonly SegmentRule[], options: unknown, problems: PlanProblems): SegmentRule[] {
  const { versions } = isRecord(options) ? options : {}
  if (versions !== undefined && versions !== 'latest') {
    problems.add(['options', 'versions'], `${given(versions)}, expected 'latest'`)
  }
  const common = rules.filter(({ type }) => type === 'COMMON')
  const chosen = rivals(rules).flatMap(([first, ...others]) => {
    const last = others.at(-1)
    if (!first || !last) return first ?? []
    if (versions === 'latest' && last.version > (others.at(-2) ?? first).version) return last
    for (const rule of others) problems.add(rule.path, rivalry(rule, first))
    return first
  })
  return [...common, ...chosen]
}

/** The schemas of one of the tracker's methods, by its name and, of pages and screens, theirs. */
function schemasOf(
  method: PlannedMethod,
  rules: readonly SegmentRule[],
  schemas: RuleSchemas,
): [string, StandardSchema][] {
  const member = memberOf(method)
  const own = rules.filter(({ type }) => type === method.toUpperCase())
  const named = own.map((rule): [string, StandardSchema] => [
    rule.key === '' ? method : `${method} ${rule.key}`,
    schemas.of(member, rule),
  ])
  const isForAll = own.some(({ key }) => key === '')
  return isForAll || !schemas.hasCommon(member) ? named : [...named, [method, schemas.of(member)]]
}

function memberOf(method: PlannedMethod): Member {
  return method === 'identify' || method === 'group' ? 'traits' : 'properties'
}

type Member = 'properties' | 'traits'

/** Makes the schemas of rules ready, with what is common to all of them. */
class RuleSchemas {
  #compiler: JsonSchemaCompiler | undefined
  readonly #common: Readonly<Record<Member, readonly CompiledSchema[]>>
  readonly #problems: PlanProblems

  constructor(rules: readonly SegmentRule[], problems: PlanProblems) {
    this.#problems = problems
    const common = rules.filter(({ type }) => type === 'COMMON')
    const of = (member: Member) => common.flatMap((rule) => this.#compiled(rule, member))
    this.#common = { properties: of('properties'), traits: of('traits') }
  }

  hasCommon(member: Member): boolean {
    return this.#common[member].length > 0
  }

  /** @param own - A rule beside the common ones; none for what only they are about. */
  of(member: Member, own?: SegmentRule): StandardSchema {
    const compiled = own ? this.#compiled(own, member) : []
    return schemaOfAll([...this.#common[member], ...compiled])
  }

  #compiled(rule: SegmentRule, member: Member): CompiledSchema[] {
    const document = projected(rule, member)
    if (!document) return []
    this.#compiler ??= new JsonSchemaCompiler('segmentPlan')
    try {
      return [this.#compiler.compile(document, member)]
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      this.#problems.add([...rule.path, 'jsonSchema'], `no JSON Schema that ajv can take: ${why}`)
      return []
    }
  }
}
