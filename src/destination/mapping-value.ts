import { FatalError, type Logger, type Mapping, type WalkerOS } from '@walkeros/core'
import { isRecord, plain, setMember, TooLargeError } from '../model/values.js'
import { isInstance } from '../support/instance.js'
import { after, all, inTime, isPromise, type Maybe } from '../support/maybe.js'
import { isGranted } from './consent.js'

/** The surroundings of a mapping value: its event, and what its functions receive. */
export interface MappingScope {
  readonly event: WalkerOS.DeepPartialEvent
  readonly consent: WalkerOS.Consent | undefined
  readonly collector: Mapping.Context['collector']
  readonly logger: Logger.Instance
  /** Whether the event is plain JSON, so that its parts need no conversion. */
  readonly plain: boolean
  /** Limits and reports the application's functions. Without it they have no time limit, and failures are logged. */
  readonly functions?: FunctionGuard | undefined
}

/** Time limit and failure report for the application's functions. */
export interface FunctionGuard {
  /** Timeout of an asynchronous function in milliseconds. */
  readonly limitMs: number
  /** Reports a failure: the problem, the name of the event, and the error. */
  failed(problem: string, event: string | undefined, error: unknown): void
}

/** Makes the second argument of the application's functions. */
export function contextOf(scope: MappingScope, mapping: Mapping.Context['mapping']): Mapping.Context {
  const { event, collector, logger, consent } = scope
  return { event, mapping, collector, logger, consent }
}

/** A compiled mapping value. It returns a promise only if one of its functions is asynchronous. */
export type Evaluate = (value: unknown, scope: MappingScope) => Maybe<unknown>

const nothing: Evaluate = () => undefined

/**
 * Compiles a mapping value, which is evaluated for every event.
 *
 * It gives the results of `getMappingValue` of `@walkeros/core` with two differences that lose nothing. A result may
 * contain `null` and `Date` (as its ISO string), where walkerOS drops the whole value. And it awaits only asynchronous
 * functions.
 *
 * @param data - The mapping value, or a list of alternatives: the first with a result is taken.
 *
 * @example
 * const total = compileValue({ key: 'data.total', value: 0 })
 * total(event, scope) // event.data.total, or 0
 */
export function compileValue(data: Mapping.Data | undefined): Evaluate {
  if (data === undefined) return nothing
  // Fast path: most mapping values are a bare path, which cannot fail and needs no consent.
  if (typeof data === 'string' && data !== '') return compileKey(data)
  if (!Array.isArray(data) && typeof data === 'object' && isBareKey(data)) return compileKey(data.key)
  const alternatives = (Array.isArray(data) ? data : [data]).map(compileAlternative)
  const evaluate =
    alternatives.length === 1 ? contained(alternatives[0] ?? nothing) : firstDefined(alternatives)
  return (value, scope) => {
    if (value === undefined) return undefined
    // As in walkerOS, the consent of the value itself, which an event has, goes before that of the scope.
    const consent = isRecord(value) && isConsent(value.consent) ? value.consent : scope.consent
    return evaluate(value, consent === scope.consent ? scope : { ...scope, consent })
  }
}

function isConsent(value: unknown): value is WalkerOS.Consent {
  return Boolean(value) && typeof value === 'object'
}

function firstDefined(alternatives: readonly Evaluate[]): Evaluate {
  const tries = alternatives.map(contained)
  const from = (index: number, value: unknown, scope: MappingScope): Maybe<unknown> => {
    const evaluate = tries[index]
    if (!evaluate) return undefined
    return after(evaluate(value, scope), (result) =>
      result === undefined ? from(index + 1, value, scope) : result,
    )
  }
  return (value, scope) => from(0, value, scope)
}

/** Turns the failure of an alternative into `undefined`, so that the next one is tried. */
function contained(evaluate: Evaluate): Evaluate {
  return (value, scope) => attempt(evaluate, value, scope, scope, 'processing', undefined)
}

function compileAlternative(mapping: Mapping.Value): Evaluate {
  if (!Array.isArray(mapping)) return compileItem(mapping)
  const items = mapping.map(compileItem)
  const from = (index: number, value: unknown, scope: MappingScope): Maybe<unknown> => {
    const evaluate = items[index]
    if (!evaluate) return undefined
    return after(evaluate(value, scope), (result) =>
      result || index === items.length - 1 ? result : from(index + 1, value, scope),
    )
  }
  return (value, scope) => from(0, value, scope)
}

function compileItem(given: Mapping.ValueType): Evaluate {
  const item = typeof given === 'string' ? { key: given } : given
  if (Object.keys(item).length === 0) return nothing
  if (isBareKey(item)) return compileKey(item.key)
  const { condition, consent, fn, validate, value: fixed } = item
  const compute = compileResult(item)
  const otherwise = (result: unknown) => (result === undefined ? plain(fixed) : result)
  if (!condition && !consent && !fn && !validate) {
    return (value, scope) => {
      const result = compute(value, fixed === undefined ? value : fixed, scope)
      return isPromise(result) ? result.then(otherwise) : otherwise(result)
    }
  }

  const evaluate: Evaluate = (value, scope) => {
    if (!isGranted(consent, scope.consent ?? {})) return plain(fixed)
    const start = fixed === undefined ? value : fixed
    const context = contextOf(scope, given)
    const transformed = fn ? attempt(fn, value, context, scope, 'fn', undefined) : start
    return after(transformed, (current) =>
      after(compute(value, current, scope), (result) => {
        if (!validate) return otherwise(result)
        const valid = attempt(validate, result, context, scope, 'validate', false)
        return after(valid, (holds) => (holds && result !== undefined ? result : plain(fixed)))
      }),
    )
  }
  if (!condition) return evaluate
  return (value, scope) =>
    after(attempt(condition, value, contextOf(scope, given), scope, 'condition', false), (holds) =>
      holds ? evaluate(value, scope) : undefined,
    )
}

function isBareKey(item: Mapping.ValueConfig): item is { key: string } {
  return typeof item.key === 'string' && item.key !== '' && Object.keys(item).length === 1
}

function compileKey(key: string): Evaluate {
  const read = compilePath(key)
  return (value, scope) => (scope.plain ? read(value) : plain(read(value)))
}

/** Compiles `key`, `loop`, `map` and `set`. Without any of them the result is `current`, as plain JSON. */
function compileResult(item: Mapping.ValueConfig) {
  type Compute = (value: unknown, current: unknown, scope: MappingScope) => Maybe<unknown>
  const { key, loop, map, set, value: fixed } = item
  const read = key ? compilePath(key, fixed) : undefined
  const keyed = (value: unknown, current: unknown, scope: MappingScope) => {
    if (!read) return current === value && scope.plain ? current : plain(current)
    return scope.plain ? read(value) : plain(read(value))
  }

  if (loop) {
    const [scopeOf, each] = loop
    const list = scopeOf === 'this' ? undefined : compileValue(scopeOf)
    const evaluate = compileValue(each)
    const computeLoop: Compute = (value, current, scope) =>
      after(list ? list(value, scope) : [value], (found) =>
        Array.isArray(found)
          ? after(all(found.map((entry: unknown) => evaluate(entry, scope))), (results) =>
              results.filter((result) => result !== undefined),
            )
          : keyed(value, current, scope),
      )
    return computeLoop
  }
  if (map) {
    const members = Object.entries(map).map(([name, member]) => ({ name, evaluate: compileValue(member) }))
    const computeMap: Compute = (value, _current, scope) => {
      const mapped: Record<string, unknown> = {}
      for (let index = 0; index < members.length; index++) {
        const member = members[index]
        if (!member) continue
        const result = member.evaluate(value, scope)
        if (isPromise(result)) return completeMap(members, index, result, mapped, value, scope)
        if (result !== undefined) setMember(mapped, member.name, result)
      }
      return mapped
    }
    return computeMap
  }
  if (set) {
    const parts = set.map(compileAlternative)
    const computeSet: Compute = (value, _current, scope) => all(parts.map((part) => part(value, scope)))
    return computeSet
  }
  return keyed
}

interface MapMember {
  readonly name: string
  readonly evaluate: Evaluate
}

/** Completes a map from its first asynchronous member on. It evaluates all members before it awaits any. */
async function completeMap(
  members: readonly MapMember[],
  from: number,
  first: Promise<unknown>,
  mapped: Record<string, unknown>,
  value: unknown,
  scope: MappingScope,
): Promise<Record<string, unknown>> {
  const others = members.slice(from + 1).map(({ evaluate }) => evaluate(value, scope))
  const results = await Promise.all([first, ...others])
  for (const [index, result] of results.entries()) {
    const name = members[from + index]?.name
    if (name !== undefined && result !== undefined) setMember(mapped, name, result)
  }
  return mapped
}

/**
 * Compiles a dotted path: `data.total`, or `nested.*.data.id` for all members of a list.
 * It follows own members only.
 *
 * @param path - A path of `getByPath` of `@walkeros/core`.
 * @param otherwise - The result where the path leads nowhere.
 */
export function compilePath(path: string, otherwise?: unknown): (value: unknown) => unknown {
  const dot = path.indexOf('.')
  const first = dot < 0 ? path : path.slice(0, dot)
  const next = dot < 0 ? undefined : compilePath(path.slice(dot + 1), otherwise)
  const nextOfEach = first === '*' ? (next ?? compilePath('', otherwise)) : undefined
  return (value) => {
    if (Array.isArray(value)) {
      if (nextOfEach) return value.map(nextOfEach)
    } else if (!isRecord(value)) {
      return otherwise
    }
    const member: unknown = Object.hasOwn(value, first) ? value[first as keyof typeof value] : undefined
    if (member === undefined) return otherwise
    return next ? next(member) : member
  }
}

type Attempted = 'processing' | 'condition' | 'fn' | 'validate'

/** Runs a function of the application's. If it throws, rejects or exceeds its time, it is reported and gives `otherwise`. */
export function attempt<V, C>(
  run: (value: V, context: C) => Maybe<unknown>,
  value: V,
  context: C,
  scope: MappingScope,
  what: Attempted,
  otherwise: unknown,
): Maybe<unknown> {
  try {
    const result = run(value, context)
    return isPromise(result) ? contain(result, scope, what, otherwise) : result
  } catch (error) {
    return failed(error, scope, what, otherwise)
  }
}

/** Kept separate: `attempt` would allocate this closure's scope on every call. */
function contain(result: Promise<unknown>, scope: MappingScope, what: Attempted, otherwise: unknown) {
  const { functions } = scope
  // Processing needs no limit of its own: each function in it has one.
  const limited = functions && what !== 'processing' ? inTime(result, functions.limitMs) : result
  return limited.then(undefined, (error: unknown) => failed(error, scope, what, otherwise))
}

function failed(
  error: unknown,
  { event, functions, logger }: MappingScope,
  what: Attempted,
  otherwise: unknown,
): unknown {
  // A value that is too large has no alternative: its event is dropped.
  if (isInstance(error, FatalError) || isInstance(error, TooLargeError)) throw error
  if (functions) functions.failed(`mapping ${what} failed`, event.name, error)
  else logger.error(`mapping ${what} failed`, { event: event.name, error })
  return otherwise
}
