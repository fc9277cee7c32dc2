/** Bytes of an object or list without members, as V8 lays it out. */
const OBJECT_BYTES = 56
const SLOT_BYTES = 8
const STRING_BYTES = 16
const DATE_BYTES = 96

/**
 * About how many bytes of memory a plain JSON value takes. A list of empty objects takes twenty times as many as its JSON.
 *
 * @param limit - Counting ends where the value takes more.
 */
export function memoryOf(value: unknown, limit: number): number {
  if (typeof value === 'string') return STRING_BYTES + value.length
  if (typeof value !== 'object' || value === null) return SLOT_BYTES
  if (value instanceof Date) return DATE_BYTES
  let bytes = OBJECT_BYTES
  for (const key in value) {
    if (bytes > limit) break
    bytes += SLOT_BYTES + memoryOf(value[key as keyof typeof value], limit - bytes)
  }
  return bytes
}
