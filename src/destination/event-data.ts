import { deleteByPath, flattenIncludeSections, type WalkerOS } from '@walkeros/core'
import { isRecord, plain, setMember } from '../model/values.js'
import { isPromise, type Maybe } from '../support/maybe.js'
import type { Evaluate, MappingScope } from './mapping-value.js'
import type { CompiledRule } from './rules.js'

/** The config's part in an event's data: its own `data` and `include`. */
export interface DataConfig {
  readonly data: Evaluate | undefined
  /** Gives the data where neither the config nor the rule has a `data`. */
  readonly otherwise: ((event: WalkerOS.Event) => unknown) | undefined
  readonly include: string[] | undefined
}

/**
 * Produces the data of an event's call, as walkerOS does: lays the rule's `data` over the config's, puts the included
 * sections under both and the globals under all, and takes out the paths that the rule removes.
 *
 * @param globals - The config's globals, with the values that the event has for them.
 * @param unnamed - The event before the rule renamed it: walkerOS evaluates the config's `data` on that one.
 */
export function produceData(
  event: WalkerOS.Event,
  unnamed: WalkerOS.Event,
  config: DataConfig,
  compiled: CompiledRule | undefined,
  scope: MappingScope,
  globals?: Readonly<Record<string, unknown>>,
): Maybe<unknown> {
  const base = config.data
    ? config.data(unnamed, { ...scope, event: unnamed })
    : compiled?.data
      ? undefined
      : config.otherwise?.(event)
  const own = compiled?.data?.(event, scope)
  if (isPromise(base) || isPromise(own))
    return awaitedData(event, config, compiled, globals, scope, base, own)
  return dataOf(event, config, compiled, globals, scope, base, own)
}

/** Kept separate: an async function allocates a promise even if it awaits nothing. */
async function awaitedData(
  event: WalkerOS.Event,
  config: DataConfig,
  compiled: CompiledRule | undefined,
  globals: Readonly<Record<string, unknown>> | undefined,
  scope: MappingScope,
  base: unknown,
  own: unknown,
): Promise<unknown> {
  const [configData, ruleData] = await Promise.all([base, own])
  return dataOf(event, config, compiled, globals, scope, configData, ruleData)
}

function dataOf(
  event: WalkerOS.Event,
  config: DataConfig,
  compiled: CompiledRule | undefined,
  globals: Readonly<Record<string, unknown>> | undefined,
  scope: MappingScope,
  configData: unknown,
  ruleData: unknown,
): unknown {
  const data = compiled?.data ? merged(configData, ruleData) : configData
  const included = withIncluded(event, data, compiled?.rule.include ?? config.include, scope)
  const laid = globals ? { ...globals, ...(isRecord(included) ? included : undefined) } : included
  return withoutRemoved(laid, compiled?.rule.remove)
}

function withIncluded(
  event: WalkerOS.Event,
  data: unknown,
  include: string[] | undefined,
  scope: MappingScope,
): unknown {
  if (!include || include.length === 0) return data
  const flat = flattenIncludeSections(event, include)
  const sections = scope.plain ? flat : plain(flat)
  if (!isRecord(sections) || Object.keys(sections).length === 0) return data
  return data === undefined ? sections : isRecord(data) ? merged(sections, data) : data
}

function withoutRemoved(data: unknown, remove: string[] | undefined): unknown {
  if (!remove || !isRecord(data)) return data
  return remove.reduce<unknown>((rest, path) => deleteByPath(rest, path), data)
}

/** walkerOS's merge: members of the upper object win, lists are joined without duplicates. */
function merged(lower: unknown, upper: unknown): unknown {
  if (!isRecord(lower) || !isRecord(upper)) return upper
  const result: Record<string, unknown> = { ...lower }
  for (const [key, value] of Object.entries(upper)) {
    const under = Object.hasOwn(lower, key) ? lower[key] : undefined
    setMember(result, key, Array.isArray(under) && Array.isArray(value) ? joined(under, value) : value)
  }
  return result
}

function joined(lower: readonly unknown[], upper: readonly unknown[]): unknown[] {
  const added = upper.filter((item, index) => !lower.includes(item) && upper.indexOf(item) === index)
  return [...lower, ...added]
}
