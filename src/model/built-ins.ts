// Reads built-in objects by their internal slots: those of another realm, too, and whatever their own properties say.
import * as types from 'node:util/types'

/** 2 ** 108,850 has more digits than a call has bytes. To write a much longer number takes minutes. */
const TOO_LONG_TO_WRITE = 1n << 108_850n
/** JSON writes an element of a typed array as `"0":1,` and one of a `Buffer` as `1,`. */
const BYTES_PER_ELEMENT = 6
const BYTES_PER_OCTET = 2

const tagOf = Object.prototype.toString

/** The ISO string of a `Date`; `null` for an invalid one, as JSON has it. */
export function isoOf(date: Date): string | null {
  return Number.isNaN(Date.prototype.getTime.call(date)) ? null : Date.prototype.toISOString.call(date)
}

/** A lower bound of the bytes that binary data take as JSON, where a `Blob` counts by its content; 0 for other objects. */
export function leastBytesOfBinary(value: object): number {
  if (Buffer.isBuffer(value)) return value.length * BYTES_PER_OCTET
  if (types.isTypedArray(value)) return value.length * BYTES_PER_ELEMENT
  if (types.isDataView(value)) return value.byteLength
  if (types.isAnyArrayBuffer(value)) return value.byteLength
  const tag = tagOf.call(value)
  const isBlob = tag === '[object Blob]' || tag === '[object File]'
  return isBlob && 'size' in value && typeof value.size === 'number' ? value.size : 0
}

/** Whether a `BigInt` has more digits than a call has bytes. */
export function isTooLongToWrite(value: bigint): boolean {
  return value >= TOO_LONG_TO_WRITE || value <= -TOO_LONG_TO_WRITE
}

/** How many entries a collection has. */
export function sizeOf(collection: ReadonlySet<unknown> | ReadonlyMap<unknown, unknown>): number {
  const prototype = types.isSet(collection) ? Set.prototype : Map.prototype
  const size: unknown = Reflect.get(prototype, 'size', collection)
  return Number(size)
}

/** The entries of a `Map`, even of a subclass that iterates differently. */
export function entriesOf(map: ReadonlyMap<unknown, unknown>): IterableIterator<[unknown, unknown]> {
  return Map.prototype.entries.call(map)
}

/** The entries of a `Set`, even of a subclass that iterates differently. */
export function valuesOf(set: ReadonlySet<unknown>): unknown[] {
  return [...Set.prototype.values.call(set)]
}

/** The primitive in a boxed one; `undefined` for other objects, and for a boxed symbol. */
export function unboxed(value: object): string | number | boolean | bigint | undefined {
  if (!types.isBoxedPrimitive(value)) return undefined
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value)
  if (types.isNumberObject(value)) return Number.prototype.valueOf.call(value)
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value)
  return types.isBigIntObject(value) ? BigInt.prototype.valueOf.call(value) : undefined
}
