import { isRecord } from '../../model/values.js'
import { writtenPath } from '../../support/written-path.js'
import { segmentPlan } from '../from-json/segment-plan.js'
import { rivalry, rivals } from '../from-json/segment-rules.js'
import { walkerOSContract } from '../from-json/walkeros-contract.js'
import { PlanError } from '../plan-error.js'
import { isJsonSchema } from '../standard-schema.js'
import type { PlanFile } from './plan-file.js'
import { unenforcedOfEvent, unenforcedOfRule } from './unenforced.js'

/** Something that a plan's file, or what goes with it, has wrong. */
export interface Finding {
  readonly kind: 'wrong' | 'not enforced' | 'claimed twice' | 'leads nowhere' | 'not known'
  readonly path: string
  readonly message: string
}

/** What is wrong with a plan's file itself. */
export function findingsOfPlan(file: PlanFile, contract: string | undefined): Finding[] {
  const twice = rivals(file.rules).flatMap(([first, ...others]): Finding[] =>
    first
      ? others.map((rule) => ({
          kind: 'claimed twice',
          path: writtenPath(rule.path),
          message: rivalry(rule, first),
        }))
      : [],
  )
  const unenforced = unenforcedOf(file).map(
    ({ path, why }): Finding => ({ kind: 'not enforced', path, message: `cannot be enforced: ${why}` }),
  )
  const told = new Set(twice.map(({ path }) => path))
  return [...problemsOf(file, contract).filter(({ path }) => !told.has(path)), ...twice, ...unenforced]
}

/** What keeps it from being made a plan. */
function problemsOf({ kind, json }: PlanFile, contract: string | undefined): Finding[] {
  try {
    if (kind === 'segment') segmentPlan(json)
    else walkerOSContract(json, contract === undefined ? {} : { contract })
    return []
  } catch (error) {
    if (!(error instanceof PlanError)) throw error
    return error.problems.map(({ path, message }) => ({ kind: 'wrong', path, message }))
  }
}

function unenforcedOf({ kind, rules, schemas }: PlanFile) {
  if (kind === 'segment') return rules.flatMap(unenforcedOfRule)
  return schemas.flatMap(({ name, schema }) => unenforcedOfEvent(schema, [name]))
}

/** Rules of a mapping by which no event of the plan goes. */
export function findingsOfMapping(
  { events }: PlanFile,
  mapping: Readonly<Record<string, unknown>>,
): Finding[] {
  const names = events.map(({ name }) => name)
  return rulesOf(mapping).flatMap(({ path, entity, action, rules }): Finding[] => {
    if (names.some((name) => isMatch(name, entity, action))) return []
    const own = rules.map(({ name }) => name).filter((name) => typeof name === 'string')
    if (own.some((name) => names.includes(name)) || rules.every(({ ignore }) => ignore === true)) return []
    const called =
      own.length > 0 ? `, and none is called ${own.map((name) => JSON.stringify(name)).join(' or ')}` : ''
    return [{ kind: 'leads nowhere', path, message: `leads nowhere: the plan has no event for it${called}` }]
  })
}

/** Events that neither the plan nor a rule of the mapping knows. */
export function findingsOfEvents(
  { events }: PlanFile,
  mapping: Readonly<Record<string, unknown>>,
  tracked: readonly string[],
): Finding[] {
  const rules = rulesOf(mapping)
  return [...new Set(tracked)].flatMap((name): Finding[] => {
    const [entity = '', ...rest] = name.split(' ')
    const isPlanned = events.some((event) => isMatch(event.name, entity, rest.join(' ')))
    if (isPlanned || rules.some((rule) => isMatch(name, rule.entity, rule.action))) return []
    return [
      {
        kind: 'not known',
        path: JSON.stringify(name),
        message: 'neither the plan nor a mapping rule knows this event',
      },
    ]
  })
}

interface MappedRule {
  readonly path: string
  readonly entity: string
  readonly action: string
  readonly rules: readonly Readonly<Record<string, unknown>>[]
}

function rulesOf(mapping: Readonly<Record<string, unknown>>): MappedRule[] {
  return Object.entries(mapping).flatMap(([entity, actions]) =>
    Object.entries(isRecord(actions) ? actions : {}).map(([action, rule]) => ({
      path: writtenPath(['mapping', entity, action]),
      entity,
      action,
      rules: [rule].flat().filter(isJsonSchema),
    })),
  )
}

/** Whether a name can be that of an event of an entity and action; in all of them `*` is any. */
function isMatch(name: string, entity: string, action: string): boolean {
  const [ownEntity = '', ...rest] = name.split(' ')
  return isSame(ownEntity, entity) && (isSame(rest.join(' '), action) || isSame(rest[0] ?? '', action))
}

function isSame(one: string, other: string): boolean {
  return one === other || one === '*' || other === '*'
}
