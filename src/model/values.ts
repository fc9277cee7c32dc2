/**
 * The largest call that Segment's HTTP API takes, in bytes of JSON.
 *
 * Source: Segment, HTTP Tracking API, "Max request size".
 */
export const MAX_CALL_BYTES = 32 * 1024

/** Deeper than any event that means something, and far from the end of the stack. */
const MAX_DEPTH = 64
/** A JSON string takes at most six bytes for each UTF-16 unit (`\u0000`). */
const MAX_BYTES_PER_UNIT = 6
/** Digits, sign, point and exponent of the longest number that JSON can hold. */
const MAX_NUMBER_BYTES = 25

/** What became of a value that was turned to plain JSON. */
export interface Plain {
  /** The copy; `undefined` where JSON knows no such value (a function, a symbol, `undefined`). */
  readonly value: unknown
  /** One sentence for each part that had to be left out, naming its path and never its content. */
  readonly problems: readonly string[]
  /** Whether the copy would be longer than the limit; `value` is then incomplete. */
  readonly tooLarge: boolean
}

/** The objects that a value is in, from the innermost out; a list of them would be made larger for every value. */
interface Ancestors {
  readonly value: object
  readonly above: Ancestors | undefined
  readonly depth: number
}

/** {@link toPlain} where only the copy is asked for. */
export function plain(value: unknown): unknown {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  return toPlain(value).value
}

interface Copying {
  readonly problems: string[]
  readonly limit: number
  /** At least this many bytes will be written. */
  least: number
  /** At most this many bytes will be written. */
  most: number
}

/**
 * Copies a value as plain JSON, so that neither a later change nor an odd part of it can harm the events beside it.
 *
 * A `Date` becomes an ISO string, a `BigInt` a string, a `Map` an object and a `Set` an array; `toJSON` is honoured;
 * functions, symbols and `undefined` are left out (in an array their place stays, `undefined`, which JSON writes as
 * `null`). What is circular, nested deeper than 64 levels or throws when read is left out and named in `problems`.
 *
 * @param value - Anything.
 * @param limit - The most bytes of JSON that the copy may have; no limit by default.
 *
 * @example
 * toPlain({ at: new Date(0), total: 42n }).value // { at: '1970-01-01T00:00:00.000Z', total: '42' }
 */
export function toPlain(value: unknown, limit = Number.POSITIVE_INFINITY): Plain {
  const copying: Copying = { problems: [], limit, least: 0, most: 0 }
  const copied = copy(value, copying, '', undefined)
  return { value: copied, problems: copying.problems, tooLarge: exceeds(copied, copying) }
}

/**
 * Whether a plain JSON value takes more bytes than a limit, without writing it out where its shape already tells.
 *
 * @param value - A plain JSON value; `Date`s count as the ISO strings they become.
 * @param limit - Bytes of UTF-8 JSON.
 */
export function isLargerThan(value: unknown, limit: number): boolean {
  return bytesWithin(value, limit) === undefined
}

/**
 * The bytes that a plain JSON value takes at most, without writing it out: of usual text about five times as many as it
 * does.
 *
 * @param value - A plain JSON value; `Date`s count as the ISO strings they become.
 * @param limit - Bytes of UTF-8 JSON.
 * @returns `undefined` where it takes more than the limit.
 */
export function bytesWithin(value: unknown, limit: number): number | undefined {
  const most = mostBytes(value, limit)
  if (most <= limit) return most
  const bounds = { least: 0, most, limit }
  measureLeast(value, bounds)
  return exceeds(value, bounds) ? undefined : limit
}

/** Whether a value is an object with named members: not an array, a `Date` or another built-in. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  try {
    // Nearly all are plain, and their tag costs more than their prototype.
    return Object.getPrototypeOf(value) === Object.prototype || tagOf.call(value) === '[object Object]'
  } catch {
    // A proxy that throws has nothing to read.
    return false
  }
}

const tagOf = Object.prototype.toString

function exceeds(value: unknown, bounds: { least: number; most: number; limit: number }): boolean {
  if (bounds.most <= bounds.limit) return false
  if (bounds.least > bounds.limit) return true
  return Buffer.byteLength(JSON.stringify(value) ?? '') > bounds.limit
}

/** The bytes that a value takes at most; where that is more than the room there is, not all of it is looked at. */
function mostBytes(value: unknown, room: number): number {
  if (typeof value === 'string') return value.length * MAX_BYTES_PER_UNIT + 2
  if (typeof value !== 'object' || value === null) return MAX_NUMBER_BYTES
  if (value instanceof Date) return 29
  const isList = Array.isArray(value)
  let most = 2
  for (const key in value) {
    if (most > room) break
    const member: unknown = value[key as keyof typeof value]
    if (member === undefined && !isList) continue
    most += isList ? 1 : key.length * MAX_BYTES_PER_UNIT + 4
    most += mostBytes(member, room - most)
  }
  return most
}

function measureLeast(value: unknown, bounds: { least: number; limit: number }): void {
  if (bounds.least > bounds.limit) return
  if (typeof value === 'string') {
    bounds.least += value.length + 2
  } else if (typeof value !== 'object' || value === null) {
    bounds.least += 1
  } else if (value instanceof Date) {
    bounds.least += 4
  } else {
    bounds.least += 2
    const isList = Array.isArray(value)
    for (const key in value) {
      const member: unknown = value[key as keyof typeof value]
      if (member === undefined && !isList) continue
      bounds.least += isList ? 0 : key.length + 3
      measureLeast(member, bounds)
    }
  }
}

function copy(value: unknown, copying: Copying, path: string, ancestors: Ancestors | undefined): unknown {
  switch (typeof value) {
    case 'string':
      copying.least += value.length + 2
      copying.most += value.length * MAX_BYTES_PER_UNIT + 2
      return value
    case 'number':
      copying.least += 1
      copying.most += MAX_NUMBER_BYTES
      return Number.isFinite(value) ? value : null
    case 'boolean':
      copying.least += 4
      copying.most += 5
      return value
    case 'bigint':
      return copy(value.toString(), copying, path, ancestors)
    case 'object':
      break
    default:
      return undefined
  }
  if (value === null) {
    copying.least += 4
    copying.most += 4
    return null
  }
  // Past the limit the copy is thrown away: what is left of a huge value costs nothing more.
  if (copying.least > copying.limit) return undefined
  if (isAmong(value, ancestors)) {
    copying.problems.push(`${path || 'the value'} is circular and was left out`)
    return undefined
  }
  const depth = (ancestors?.depth ?? 0) + 1
  if (depth > MAX_DEPTH) {
    copying.problems.push(`${path} is nested deeper than ${MAX_DEPTH} levels and was left out`)
    return undefined
  }
  try {
    return copyObject(value, copying, path, { value, above: ancestors, depth })
  } catch {
    // The thrown message is the application's own and may quote the data, so only the place is told.
    copying.problems.push(`${path || 'the value'} threw when it was read and was left out`)
    return undefined
  }
}

function isAmong(value: object, ancestors: Ancestors | undefined): boolean {
  for (let each = ancestors; each; each = each.above) if (each.value === value) return true
  return false
}

function copyObject(
  value: object,
  copying: Copying,
  path: string,
  ancestors: Ancestors | undefined,
): unknown {
  if (Array.isArray(value)) return copyArray(value, copying, path, ancestors)
  if (value instanceof Date) {
    return copy(Number.isNaN(value.getTime()) ? null : value.toISOString(), copying, path, ancestors)
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    const json: unknown = value.toJSON()
    return json === value
      ? copyMembers(value, copying, path, ancestors)
      : copy(json, copying, path, ancestors)
  }
  if (value instanceof String || value instanceof Number || value instanceof Boolean) {
    return copy(value.valueOf(), copying, path, ancestors)
  }
  if (value instanceof Set) return copyArray([...value], copying, path, ancestors)
  if (value instanceof Map) return copyMembers(Object.fromEntries(value), copying, path, ancestors)
  return copyMembers(value, copying, path, ancestors)
}

function copyArray(
  values: unknown[],
  copying: Copying,
  path: string,
  ancestors: Ancestors | undefined,
): unknown[] {
  copying.least += 2
  copying.most += 2 + values.length
  const copied: unknown[] = []
  for (let index = 0; index < values.length; index++) {
    if (copying.least > copying.limit) break
    const member = copy(values[index], copying, `${path}[${index}]`, ancestors)
    copied.push(member)
    if (member !== undefined) continue
    // JSON writes a place that stays empty as `null`.
    copying.least += 4
    copying.most += 4
  }
  return copied
}

function copyMembers(
  value: object,
  copying: Copying,
  path: string,
  ancestors: Ancestors | undefined,
): object {
  copying.least += 2
  copying.most += 2
  const copied: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    if (copying.least > copying.limit) break
    if (key === '__proto__') continue
    const memberPath = path === '' ? key : `${path}.${key}`
    const member = copyMember(value, key, copying, memberPath, ancestors)
    if (member === undefined) continue
    copied[key] = member
    copying.least += key.length + 3
    copying.most += key.length * MAX_BYTES_PER_UNIT + 4
  }
  return copied
}

function copyMember(
  owner: object,
  key: string,
  copying: Copying,
  path: string,
  ancestors: Ancestors | undefined,
): unknown {
  let member: unknown
  try {
    member = owner[key as keyof typeof owner]
  } catch {
    copying.problems.push(`${path} threw when it was read and was left out`)
    return undefined
  }
  return copy(member, copying, path, ancestors)
}
