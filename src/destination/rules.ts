import { type Mapping, setByPath, type WalkerOS } from '@walkeros/core'
import { wordsOf } from '../model/event-name.js'
import { after, all, isPromise, type Maybe } from '../support/maybe.js'
import { attempt, compileValue, contextOf, type Evaluate, type MappingScope } from './mapping-value.js'
import type { MappingSettings, Rule } from './rule.js'
import type { Rules } from './rules-of-events.js'

/** A compiled mapping rule. */
export interface CompiledRule {
  readonly rule: Rule
  readonly name: string | undefined
  readonly policy: Policy
  readonly data: Evaluate | undefined
  /** Whether the rule suppresses the `track()` call: `silent`, or the documentation's `skip`. */
  readonly silent: boolean
  /** The share of visitors whose events the rule keeps; `undefined` for all, without `context.sampling`. */
  readonly sample: number | undefined
  readonly calls: CompiledCalls
}

/** The calls of a rule or of the settings, other than `track()`. */
export interface CompiledCalls {
  readonly identify: Evaluate | undefined
  readonly group: Evaluate | undefined
  readonly page: Evaluate | true | undefined
  readonly screen: Evaluate | true | undefined
}

/** A rule and its key, such as `order complete` or `* *`. */
export interface Match {
  readonly key: string
  readonly compiled: CompiledRule
}

/** Changes to an event, by path. */
export type Policy = readonly (readonly [path: string, evaluate: Evaluate])[]

/** Compiles a rule, which is applied to every event that it matches. */
export function compileRule(rule: Rule): CompiledRule {
  return {
    rule,
    name: rule.name || undefined,
    policy: compilePolicy(rule.policy),
    data: rule.data === undefined ? undefined : compileValue(rule.data),
    silent: rule.silent === true || rule.skip === true,
    sample: rule.sample,
    calls: compileCalls(rule.settings),
  }
}

/** Compiles the call mappings of a rule's settings, or of the destination's. */
export function compileCalls(settings: MappingSettings | undefined): CompiledCalls {
  return {
    identify: settings?.identify === undefined ? undefined : compileValue(settings.identify),
    group: settings?.group === undefined ? undefined : compileValue(settings.group),
    page: compileView(settings?.page),
    screen: compileView(settings?.screen),
  }
}

function compileView(view: Mapping.Value | boolean | undefined): Evaluate | true | undefined {
  if (view === undefined || view === false) return undefined
  return view === true ? true : compileValue(view)
}

/** Compiles a policy. */
export function compilePolicy(policy: Mapping.Policy | undefined): Policy {
  return Object.entries(policy ?? {}).map(([path, value]) => [path, compileValue(value)] as const)
}

/**
 * Applies a policy: evaluates all values on the unchanged event, then sets them one after the other.
 *
 * @returns A changed copy, or the event itself if the policy is empty.
 */
export function applyPolicy(
  policy: Policy,
  event: WalkerOS.Event,
  scope: MappingScope,
): Maybe<WalkerOS.Event> {
  if (policy.length === 0) return event
  const values = all(policy.map(([, evaluate]) => evaluate(event, scope)))
  return after(values, (found) =>
    policy.reduce((changed, [path], index) => setByPath(changed, path, found[index]), event),
  )
}

/** Finds the rule of an event by its name. */
export type FindRule = (event: WalkerOS.Event, scope: MappingScope) => Maybe<Match | undefined>

/**
 * Compiles a config's rules. A rule is looked up by entity and whole action first (`Checkout`, `Step Viewed`), then by the
 * first two words of the name, as walkerOS does. `*` stands in for an entity or an action without a rule of its own. In a
 * list the first rule whose condition holds is taken.
 *
 * A condition may be asynchronous; one that throws, rejects or takes too long is false.
 */
export function compileRules(rules: Rules | undefined): FindRule {
  const entities = compileEntities(rules)
  if (entities.size === 0) return () => undefined
  const any = entities.get('*')?.get('*')

  return (event, scope) => {
    const own = firstMatch(candidatesFor(event.name, entities), event, scope)
    return own === undefined || isPromise(own) ? orAny(own, any, event, scope) : own
  }
}

/** The rules of an entity by action. */
type Actions = ReadonlyMap<string, readonly Match[]>

function compileEntities(rules: Rules | undefined): ReadonlyMap<string, Actions> {
  const entities = new Map<string, Actions>()
  for (const [entity, actions] of Object.entries(rules ?? {})) {
    if (!actions) continue
    const compiled = new Map<string, Match[]>()
    for (const [action, rule] of Object.entries(actions)) {
      if (!rule) continue
      const key = `${entity} ${action}`
      const candidates = Array.isArray(rule) ? rule : [rule]
      compiled.set(
        action,
        candidates.map((each) => ({ key, compiled: compileRule(each) })),
      )
    }
    entities.set(entity, compiled)
  }
  return entities
}

function candidatesFor(name: string, entities: ReadonlyMap<string, Actions>): readonly Match[] | undefined {
  const { entity, action } = wordsOf(name)
  const actions = entities.get(entity) ?? entities.get('*')
  const whole = actions?.get(action)
  if (whole) return whole
  const [first = '', second = ''] = name.split(' ')
  const walkerOSActions = entities.get(first) ?? entities.get('*')
  return walkerOSActions?.get(second) ?? actions?.get('*') ?? walkerOSActions?.get('*')
}

function orAny(
  own: Promise<Match | undefined> | undefined,
  any: readonly Match[] | undefined,
  event: WalkerOS.Event,
  scope: MappingScope,
): Maybe<Match | undefined> {
  return after<Match | undefined, Match | undefined>(own, (match) => match ?? firstMatch(any, event, scope))
}

function firstMatch(
  candidates: readonly Match[] | undefined,
  event: WalkerOS.Event,
  scope: MappingScope,
  from = 0,
): Maybe<Match | undefined> {
  const match = candidates?.[from]
  if (!match?.compiled.rule.condition) return match
  return after(holds(match.compiled.rule, event, scope), (matches) =>
    matches ? match : firstMatch(candidates, event, scope, from + 1),
  )
}

function holds(rule: Rule, event: WalkerOS.Event, scope: MappingScope): Maybe<boolean> {
  const { condition } = rule
  if (!condition) return true
  const inRule = { ...scope, event }
  return after(attempt(condition, event, contextOf(inRule, rule), inRule, 'condition', false), Boolean)
}
