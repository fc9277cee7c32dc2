/**
 * Whether a value is an instance of a class. It never throws: what applications throw can be a revoked proxy, of which
 * `instanceof` throws.
 */
export function isInstance<T>(value: unknown, type: abstract new (...given: never[]) => T): value is T {
  try {
    return value instanceof type
  } catch {
    return false
  }
}

/** More entries than anything that is written by hand has. */
const MAX_LENGTH = 10_000

/** Whether a value is a list of some values, and not of none. */
export function isListOf<T>(value: unknown, accepts: (entry: unknown) => entry is T): value is readonly T[] {
  return isShortList(value) && value.length > 0 && value.every(accepts)
}

/**
 * Whether a value is a list that can be gone through. Its length says nothing of what is in it, and can be billions: whatever
 * goes through such a list goes on for minutes.
 */
export function isShortList(value: unknown): value is readonly unknown[] {
  return isList(value) && value.length <= MAX_LENGTH
}

/** Whether a value is an array. It never throws, as `Array.isArray` does of a revoked proxy. */
export function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}
