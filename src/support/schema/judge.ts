/** Whether a value has a method of that name. A getter that throws counts as none. */
export function hasMethod(value: unknown, name: string): boolean {
  try {
    const hasMembers = (typeof value === 'object' && value !== null) || typeof value === 'function'
    return hasMembers && typeof Reflect.get(value, name) === 'function'
  } catch {
    return false
  }
}

/** Whether a value is JSON without conversion. */
export function isJson(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return false
  return Object.values(value).every(isJson)
}
