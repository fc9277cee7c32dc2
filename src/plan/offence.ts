import type { JsonKind } from '../model/violation.js'
import type { StandardIssue } from './standard-schema.js'

/** A place in a value, from the outermost key in. */
export type Path = readonly (string | number)[]

/** A place where a value is not as its schema wants it. */
export interface Offence {
  readonly path: Path
  readonly received: JsonKind
}

/**
 * The places that a schema complains of, each once.
 *
 * @param value - What the schema was given: plain JSON.
 */
export function offencesOf(issues: readonly StandardIssue[], value: unknown): Offence[] {
  const offences = new Map<string, Offence>()
  for (const issue of issues) {
    for (const keys of placesOf(issue)) {
      const path = inValue(keys, value)
      offences.set(JSON.stringify(path), { path, received: kindAt(path, value) })
    }
  }
  return [...offences.values()]
}

/** Whether something is there, which could be left out. */
export function isThere({ received }: Offence): boolean {
  return received !== 'nothing'
}

/** The places of one issue. A strict object of zod's complains of itself, and lists the members that it does not know. */
function placesOf(issue: StandardIssue): PropertyKey[][] {
  const path = (issue.path ?? []).map((step) => (typeof step === 'object' ? step.key : step))
  const keys: unknown = 'code' in issue && issue.code === 'unrecognized_keys' && 'keys' in issue && issue.keys
  return Array.isArray(keys) && keys.length > 0 ? keys.map((key) => [...path, String(key)]) : [path]
}

/** A path with numbers for the members of lists and strings for those of objects, whichever the library wrote. */
function inValue(keys: readonly PropertyKey[], value: unknown): Path {
  let place = value
  return keys.map((key) => {
    const step = Array.isArray(place) && isIndex(key) ? Number(key) : String(key)
    place = memberOf(place, step)
    return step
  })
}

function isIndex(key: PropertyKey): boolean {
  return typeof key === 'number' || /^\d+$/.test(String(key))
}

function kindAt(path: Path, value: unknown): JsonKind {
  let place = value
  for (const key of path) {
    if (typeof place !== 'object' || place === null || !Object.hasOwn(place, key)) return 'nothing'
    place = Reflect.get(place, key)
  }
  return kindOf(place)
}

function memberOf(owner: unknown, key: string | number): unknown {
  return typeof owner === 'object' && owner !== null && Object.hasOwn(owner, key)
    ? Reflect.get(owner, key)
    : undefined
}

/** @param value - Of plain JSON; a place of a list that stayed empty is written as `null`. */
function kindOf(value: unknown): JsonKind {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  const type = typeof value
  return type === 'string' || type === 'number' || type === 'boolean' ? type : 'object'
}
