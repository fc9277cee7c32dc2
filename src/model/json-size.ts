/**
 * The largest call that Segment's HTTP API takes, in bytes of JSON.
 *
 * Source: Segment, HTTP Tracking API, "Max request size".
 */
export const MAX_CALL_BYTES = 32 * 1024

/** A JSON string takes at most six bytes for each UTF-16 unit (`\u0000`). */
export const MAX_BYTES_PER_UNIT = 6
/** Digits, sign, point and exponent of the longest number in JSON. */
export const MAX_NUMBER_BYTES = 25

/** Bounds of the bytes that a value takes as JSON. */
export interface SizeBounds {
  readonly least: number
  readonly most: number
}

/**
 * Whether a plain JSON value takes more bytes than a limit. Writes it out only if its shape does not answer that.
 *
 * @param value - A plain JSON value; `Date`s count as the ISO strings they become.
 * @param limit - Bytes of UTF-8 JSON.
 */
export function isLargerThan(value: unknown, limit: number): boolean {
  return bytesWithin(value, limit) === undefined
}

/**
 * An upper bound of the bytes that a plain JSON value takes: about five times the true size of ordinary text.
 *
 * @param value - A plain JSON value; `Date`s count as the ISO strings they become.
 * @param limit - Bytes of UTF-8 JSON.
 * @returns `undefined` if it takes more than the limit.
 */
export function bytesWithin(value: unknown, limit: number): number | undefined {
  const most = mostBytes(value, limit)
  if (most <= limit) return most
  const bounds = { least: 0, most, limit }
  measureLeast(value, bounds)
  return exceeds(value, bounds, limit) ? undefined : limit
}

/** Decides by the bounds of a plain JSON value whether it is larger than a limit; writes it out only between them. */
export function exceeds(value: unknown, { least, most }: SizeBounds, limit: number): boolean {
  if (most <= limit) return false
  if (least > limit) return true
  return Buffer.byteLength(JSON.stringify(value) ?? '') > limit
}

/** An upper bound of the bytes that a value takes. Stops when it exceeds the room. */
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
