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

/** Whether a value is an array. It never throws, as `Array.isArray` does of a revoked proxy. */
export function isList(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value)
  } catch {
    return false
  }
}
