import { isList } from './instance.js'

/** Names the kind of a value that was given, for a message. It quotes numbers and booleans only: a string may be a secret. */
export function given(value: unknown): string {
  switch (typeof value) {
    case 'undefined':
      return 'missing'
    case 'number':
      return `given the number ${value}`
    case 'boolean':
      return `given ${value}`
    case 'string':
      return value.trim() === '' ? 'given an empty string' : 'given a string'
    case 'symbol':
      return `given ${value.description}`
    case 'object':
      if (value === null) return 'given null'
      return isList(value) ? 'given a list' : 'given an object'
    default:
      return `given a ${typeof value}`
  }
}
