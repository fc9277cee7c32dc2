import { FatalError, type Logger, type Mapping, type WalkerOS } from '@walkeros/core'
import { isRecord, plain } from '../model/values.js'
import { after, all, inTime, isPromise, type Maybe } from '../support/maybe.js'
import { isGranted } from './consent.js'

/** What a mapping value is evaluated in: the event it belongs to and what its functions are given. */
export interface MappingScope {
  readonly event: WalkerOS.DeepPartialEvent
  readonly consent: WalkerOS.Consent | undefined
  readonly collector: Mapping.Context['collector']
  readonly logger: Logger.Instance
  /** Whether the event is plain JSON already, so that what is read from it needs no copy. */
  readonly plain: boolean
  /** How the application's functions are looked after. By default they have no limit, and what fails is logged. */
  readonly functions?: FunctionCare | undefined
}

/** What is made of functions of the application's that fail. */
export interface FunctionCare {
  /** Milliseconds that an asynchronous one may take. */
  readonly limitMs: number
  /** Is told what failed, for an event of which name, and how. */
  failed(problem: string, event: string | undefined, error: unknown): void
}

/** What a function of the application's is given beside its value. */
export function contextOf(scope: MappingScope, mapping: Mapping.Context['mapping']): Mapping.Context {
  const { event, collector, logger, consent } = scope
  return { event, mapping, collector, logger, consent }
}

/** A mapping value made ready: gives its result for a value, at once unless one of its functions is asynchronous. */
export type Evaluate = (value: unknown, scope: MappingScope) => Maybe<unknown>

const nothing: Evaluate = () => undefined

/**
 * Makes a mapping value ready to be evaluated often.
 *
 * It gives what `getMappingValue` of `@walkeros/core` gives, with two differences that lose nothing: a result may hold
 * `null` and `Date` (as its ISO string), where walkerOS drops the whole value for one of them inside; and only what the
 * application made asynchronous is awaited.
 *
 * @param data - The mapping value, or a list of alternatives of which the first that gives something is taken.
 *
 * @example
 * const total = compileValue({ key: 'data.total', value: 0 })
 * total(event, scope) // event.data.total, or 0
 */
export function compileValue(data: Mapping.Data | undefined): Evaluate {
  if (data === undefined) return nothing
  // By far the most mapping values are a path and no more; reading one can neither fail nor need consent.
  if (typeof data === 'string' && data !== '') return compileKey(data)
  if (!Array.isArray(data) && typeof data === 'object' && isBareKey(data)) return compileKey(data.key)
  const alternatives = (Array.isArray(data) ? data : [data]).map(compileAlternative)
  const evaluate =
    alternatives.length === 1 ? contained(alternatives[0] ?? nothing) : firstDefined(alternatives)
  return (value, scope) => {
    if (value === undefined) return undefined
    // A value that carries its own consent, as an event does, is judged by that.
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

/** An alternative that fails gives nothing, so that the next one has its turn. */
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

/** `key`, `loop`, `map` and `set`: what an item makes of the value, plain; `current` where it has none of them. */
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
        if (isPromise(result)) return mapInTime(members, index, result, mapped, value, scope)
        if (result !== undefined) mapped[member.name] = result
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

/** Goes on with a map of which a member is on its way: the others are asked before it is waited for. */
async function mapInTime(
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
    if (name !== undefined && result !== undefined) mapped[name] = result
  }
  return mapped
}

/**
 * Makes a dotted path ready: `data.total`, `nested.*.data.id` for all of a list.
 * Only a value's own members are followed.
 *
 * @param path - The path, as `getByPath` of `@walkeros/core` takes it.
 * @param otherwise - What it gives where there is nothing at the path.
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

/** Runs a function of the application's: one that throws, rejects or takes too long is told of and gives `otherwise`. */
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

/** Apart, because what a function's closures need is made whenever it is called. */
function contain(result: Promise<unknown>, scope: MappingScope, what: Attempted, otherwise: unknown) {
  const { functions } = scope
  // Processing takes as long as the functions in it, each of which has its own time.
  const limited = functions && what !== 'processing' ? inTime(result, functions.limitMs) : result
  return limited.then(undefined, (error: unknown) => failed(error, scope, what, otherwise))
}

function failed(
  error: unknown,
  { event, functions, logger }: MappingScope,
  what: Attempted,
  otherwise: unknown,
): unknown {
  if (error instanceof FatalError) throw error
  if (functions) functions.failed(`mapping ${what} failed`, event.name, error)
  else logger.error(`mapping ${what} failed`, { event: event.name, error })
  return otherwise
}
