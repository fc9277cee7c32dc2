import * as types from 'node:util/types'
import {
  entriesOf,
  isoOf,
  isTooLongToWrite,
  leastBytesOfBinary,
  sizeOf,
  unboxed,
  valuesOf,
} from './built-ins.js'
import {
  beginCopying,
  type Copying,
  countMembers,
  giveUp,
  isAmong,
  leaveOut,
  leaveOutThrown,
  type Place,
  problemsOf,
} from './copying.js'
import { exceeds, MAX_BYTES_PER_UNIT, MAX_CALL_BYTES, MAX_NUMBER_BYTES } from './json-size.js'

/** Deeper than any meaningful event, and far from the end of the stack. */
const MAX_DEPTH = 64
/** What V8 keeps for an object or a list: its header, and room for a few members. */
const OBJECT_MEMORY = 56
/** What it keeps for each member. */
const SLOT_MEMORY = 8
/** Of a mapping's result. One that is larger than a call, but not larger than this, fails as the call that it becomes. */
const MAX_RESULT_BYTES = 2 * MAX_CALL_BYTES

/** A copy of a value as plain JSON. */
export interface Plain {
  /** The copy; `undefined` if JSON has no such value (a function, a symbol, `undefined`). Incomplete if `tooLarge`. */
  readonly value: unknown
  /** A sentence for each part that was left out. It names the path, never the content. */
  readonly problems: readonly string[]
  /** Whether the copy would be longer than the limit. */
  readonly tooLarge: boolean
  /** About how many bytes of memory the copy takes. */
  readonly memory: number
}

/** A value is larger than anything that a call can hold. */
export class TooLargeError extends RangeError {
  override readonly name = 'TooLargeError'
}

/**
 * Copies a value as plain JSON, so that neither a later change nor an odd part can harm an event or the events beside it.
 *
 * A `Date` becomes an ISO string, a `BigInt` a string, a `Map` an object and a `Set` an array, also those of another realm;
 * `toJSON` is honoured; functions, symbols and `undefined` are left out (in an array their place stays, `undefined`, which
 * JSON writes as `null`). Parts that are circular, nested deeper than 64 levels or throw when they are read are left out and
 * named in `problems`.
 *
 * The limit holds before and while the value is read: binary data and lists that cannot fit are not read at all, and of
 * everything else no more than the limit is copied. More than 32,768 members never fit.
 *
 * @param value - Anything.
 * @param limit - The most bytes of JSON that the copy may have. Defaults to the 32 KB of a call.
 *
 * @example
 * toPlain({ at: new Date(0), total: 42n }).value // { at: '1970-01-01T00:00:00.000Z', total: '42' }
 */
export function toPlain(value: unknown, limit = MAX_CALL_BYTES): Plain {
  const copying = beginCopying(limit)
  const copied = copy(value, copying, '', undefined)
  return {
    value: copied,
    problems: problemsOf(copying),
    tooLarge: exceeds(copied, copying, limit),
    memory: copying.memory + copying.least,
  }
}

/**
 * Copies a mapping's result as plain JSON: see {@link toPlain}.
 *
 * @throws TooLargeError if the result takes over 64 KB: a part of it must not pass for the whole.
 */
export function plain(value: unknown): unknown {
  if (typeof value === 'boolean' || (typeof value === 'string' && value.length <= MAX_CALL_BYTES))
    return value
  const copying = beginCopying(MAX_RESULT_BYTES)
  const copied = copy(value, copying, '', undefined)
  if (copying.least > MAX_RESULT_BYTES) {
    throw new TooLargeError('a mapping gives a value far larger than the 32 KB that Segment takes for a call')
  }
  return copied
}

/** Whether a value is an object with named members: not an array, a `Date` or another built-in. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  try {
    // Nearly all are plain, and their prototype is cheaper to compare than their tag.
    return Object.getPrototypeOf(value) === Object.prototype || tagOf.call(value) === '[object Object]'
  } catch {
    // A proxy that throws has nothing to read.
    return false
  }
}

const tagOf = Object.prototype.toString

/**
 * Sets a member; by definition if `Object.prototype` has one of that name. There an assignment would throw if the prototype
 * is frozen, or call a setter that the application has added.
 */
export function setMember<T>(record: Record<string, T>, key: string, value: T): void {
  if (key in Object.prototype) {
    Object.defineProperty(record, key, { value, writable: true, enumerable: true, configurable: true })
  } else {
    record[key] = value
  }
}

function copy(value: unknown, copying: Copying, key: string | number, owner: Place | undefined): unknown {
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
      return isTooLongToWrite(value) ? giveUp(copying) : copy(value.toString(), copying, key, owner)
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
  if (copying.least > copying.limit) return undefined
  if (isAmong(value, owner)) return leaveOut(copying, key, owner, 'is circular and was left out')
  const depth = (owner?.depth ?? 0) + 1
  if (depth > MAX_DEPTH)
    return leaveOut(copying, key, owner, `is nested deeper than ${MAX_DEPTH} levels and was left out`)
  try {
    return copyObject(value, copying, { value, key, above: owner, depth })
  } catch {
    return leaveOutThrown(copying, key, owner)
  }
}

function copyObject(value: object, copying: Copying, place: Place): unknown {
  if (Array.isArray(value)) return copyList(value, value.length, copying, place)
  const hasClass = Object.getPrototypeOf(value) !== Object.prototype
  if (hasClass) {
    if (types.isDate(value)) return copy(isoOf(value), copying, '', place)
    if (leastBytesOfBinary(value) > copying.limit) return giveUp(copying)
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    const json: unknown = value.toJSON()
    if (json !== value) return copy(json, copying, '', place)
  } else if (hasClass) {
    if (types.isSet(value)) return copySet(value, copying, place)
    if (types.isMap(value)) return copyMap(value, copying, place)
    const primitive = unboxed(value)
    if (primitive !== undefined) return copy(primitive, copying, '', place)
  }
  return copyMembers(value, copying, place)
}

function copySet(values: ReadonlySet<unknown>, copying: Copying, place: Place): unknown {
  const size = sizeOf(values)
  return fitsList(size, copying) ? copyList(valuesOf(values), size, copying, place) : giveUp(copying)
}

/** Each entry takes a byte, and a comma or a bracket. */
function fitsList(length: number, copying: Copying): boolean {
  return copying.least + 2 * length <= copying.limit
}

function copyList(values: readonly unknown[], length: number, copying: Copying, place: Place): unknown {
  if (!fitsList(length, copying)) return giveUp(copying)
  copying.least += 1 + Math.max(1, length)
  copying.memory += OBJECT_MEMORY + length * SLOT_MEMORY
  copying.most += 2 + length
  const copied: unknown[] = []
  for (let index = 0; index < length; index++) {
    if (copying.least > copying.limit) break
    const entry = copy(values[index], copying, index, place)
    copied.push(entry)
    if (entry !== undefined) continue
    // JSON writes `null` in its place.
    copying.least += 4
    copying.most += 4
  }
  return copied
}

function copyMap(entries: ReadonlyMap<unknown, unknown>, copying: Copying, place: Place): unknown {
  const copied = beginObject(sizeOf(entries), copying)
  if (!copied) return undefined
  for (const [key, value] of entriesOf(entries)) {
    if (copying.least > copying.limit) break
    const name = nameOf(key)
    if (name === undefined)
      leaveOut(copying, '', place, 'has an entry whose key is no text, which was left out')
    else addMember(copied, name, value, copying, place)
  }
  return copied
}

/** The name of a `Map`'s entry: objects have none, except `[object Object]`. */
function nameOf(key: unknown): string | undefined {
  if (typeof key === 'bigint') return isTooLongToWrite(key) ? undefined : key.toString()
  const isText =
    key === null || (typeof key !== 'object' && typeof key !== 'function' && typeof key !== 'symbol')
  return isText ? String(key) : undefined
}

function copyMembers(value: object, copying: Copying, place: Place): unknown {
  const keys = Object.keys(value)
  const copied = beginObject(keys.length, copying)
  if (!copied) return undefined
  for (const key of keys) {
    if (copying.least > copying.limit) break
    let member: unknown
    try {
      member = value[key as keyof typeof value]
    } catch {
      leaveOutThrown(copying, key, place)
      continue
    }
    addMember(copied, key, member, copying, place)
  }
  return copied
}

function beginObject(members: number, copying: Copying): Record<string, unknown> | undefined {
  if (!countMembers(copying, members)) return undefined
  copying.memory += OBJECT_MEMORY + members * SLOT_MEMORY
  copying.least += 1
  copying.most += 2
  return {}
}

function addMember(
  copied: Record<string, unknown>,
  key: string,
  value: unknown,
  copying: Copying,
  place: Place,
): void {
  if (key === '__proto__') return
  const member = copy(value, copying, key, place)
  if (member === undefined) return
  setMember(copied, key, member)
  copying.least += key.length + 4
  copying.most += key.length * MAX_BYTES_PER_UNIT + 4
}
