import { createHash } from 'node:crypto'
import { isRecord, setMember } from '../model/values.js'
import type { BeforeSend } from './before-send.js'

/** The members of a call that hold what an application says. All others say who, what and when. */
const CONTENT = ['properties', 'traits', 'context']
const ADDRESSABLE = [...CONTENT, 'userId', 'anonymousId', 'groupId', 'previousId', 'name', 'category']

type Path = readonly string[]

/**
 * Makes a `beforeSend` function that replaces values by their SHA-256, as 64 hex digits of the trimmed, lower-case text: the
 * form in which ad platforms take e-mail addresses.
 *
 * Numbers count as text, and of lists and objects every value is hashed. Other values, such as `true` and an empty text,
 * have no hash worth sending and are left out.
 *
 * @param paths - Where the values are: `traits.email`, `properties.*.email`, `userId`. `*` stands for any one member.
 * @throws TypeError if a path does not begin with a member of a call.
 *
 * @example
 * createTracking({ settings, beforeSend: hashed('traits.email', 'properties.buyer.email') })
 */
export function hashed(...paths: string[]): BeforeSend {
  const parsed = pathsOf('hashed', paths, ADDRESSABLE)
  return function hashed(call) {
    const { params } = call
    if (isRecord(params)) for (const path of parsed) replaceAt(params, path, digestOf)
    return call
  }
}

/**
 * Makes a `beforeSend` function that keeps the values at some paths only. It works on each of properties, traits and context
 * that a path begins with; those that no path begins with stay whole. The consent in the context stays in any case.
 *
 * @param paths - What to keep, with all below it: `properties.total`, `properties.products.*.sku`, `traits.*`. `*` stands for
 * any one member.
 * @throws TypeError if a path does not begin with `properties`, `traits` or `context`.
 *
 * @example
 * createTracking({ settings, beforeSend: only('properties.*', 'traits.plan', 'context.page') })
 */
export function only(...paths: string[]): BeforeSend {
  const parsed = pathsOf('only', paths, CONTENT)
  const members = CONTENT.filter((member) => parsed.some(([first]) => first === member))
  return function only(call) {
    const { params } = call
    if (!isRecord(params)) return call
    for (const member of members) {
      if (params[member] === undefined) continue
      const kept = keptOf(params[member], below(parsed, member))
      if (kept === undefined) delete params[member]
      else params[member] = kept
    }
    return call
  }
}

function pathsOf(helper: string, paths: readonly unknown[], roots: readonly string[]): Path[] {
  if (paths.length === 0)
    throw new TypeError(`${helper}() was given no path: expected some, such as '${roots[0]}.email'`)
  return paths.map((path) => parse(helper, path, roots))
}

function parse(helper: string, path: unknown, roots: readonly string[]): Path {
  const steps = typeof path === 'string' ? path.split('.') : []
  if (!roots.includes(steps[0] ?? '') || steps.includes('')) {
    const given = typeof path === 'string' ? JSON.stringify(path) : `a ${typeof path}`
    throw new TypeError(
      `${helper}() was given the path ${given}: expected one that begins with ${roots.join(', ')}, such as '${roots[0]}.email'`,
    )
  }
  return steps
}

/** The paths that lead into a member, without their first step. */
function below(paths: readonly Path[], member: string): Path[] {
  return paths.filter(([first]) => first === member || first === '*').map((path) => path.slice(1))
}

/** A copy with the values at some paths; `undefined` if there are none. */
function keptOf(value: unknown, paths: readonly Path[]): unknown {
  if (paths.length === 0) return undefined
  if (paths.some((path) => path.length === 0)) return value
  if (Array.isArray(value)) {
    const kept = value
      .map((entry, index) => keptOf(entry, below(paths, String(index))))
      .filter((entry) => entry !== undefined)
    return kept.length > 0 ? kept : undefined
  }
  if (!isRecord(value)) return undefined
  const kept: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(value)) {
    const keptMember = keptOf(member, below(paths, name))
    if (keptMember !== undefined) setMember(kept, name, keptMember)
  }
  return Object.keys(kept).length > 0 ? kept : undefined
}

/** Changes the values at a path in place; those that become `undefined` are left out. */
function replaceAt(value: unknown, [step, ...rest]: Path, replace: (value: unknown) => unknown): void {
  if (step === undefined || (!Array.isArray(value) && !isRecord(value))) return
  const members: Record<string, unknown> | unknown[] = value
  for (const name of step === '*' ? Object.keys(members) : [step]) {
    if (!Object.hasOwn(members, name)) continue
    const member: unknown = Reflect.get(members, name)
    if (rest.length > 0) replaceAt(member, rest, replace)
    else Reflect.set(members, name, replace(member))
  }
}

function digestOf(value: unknown): unknown {
  switch (typeof value) {
    case 'string': {
      const text = value.trim().toLowerCase()
      return text === '' ? undefined : createHash('sha256').update(text).digest('hex')
    }
    case 'number':
      return digestOf(String(value))
    case 'object':
      if (Array.isArray(value)) return value.map(digestOf).filter((digest) => digest !== undefined)
      return isRecord(value)
        ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, digestOf(member)]))
        : undefined
    default:
      return undefined
  }
}
