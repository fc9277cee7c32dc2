import { isRecord } from '../model/values.js'

/** Names the kind of a value for a message, without quoting the value. */
export function kindOf(value: unknown): string {
  if (value === '') return 'an empty string'
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'object') return isRecord(value) ? 'an object' : 'an array or another special object'
  return `a ${typeof value}`
}

/** Says what was given instead of an id, and what to write. */
export function expectedId(value: unknown): string {
  return `${kindOf(value)}: expected a non-empty string${adviceFor(value)}`
}

/** Databases give ids as objects: an object never becomes an id by itself, since most would be `[object Object]`. */
function adviceFor(value: unknown): string {
  try {
    if (typeof value !== 'object' || value === null) return ''
    if ('toHexString' in value && typeof value.toHexString === 'function') return '; write id.toHexString()'
    if (value.toString !== Object.prototype.toString && typeof value.toString === 'function') {
      return '; write String(id) if that is the id'
    }
  } catch {
    // A value that throws when it is looked at has no advice to give.
  }
  return ''
}
