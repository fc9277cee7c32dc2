/** Deeper than any configuration, and far from the end of the stack. */
const MAX_DEPTH = 64
/** Longer than any list in a configuration. */
const MAX_LENGTH = 10_000

/** Paths below which objects are the application's own: they are looked at only as far as is asked for. */
const FOREIGN = new Set([
  'ambient',
  'delivery.outbox',
  'settings.httpClient',
  'settings.oauthSettings.httpClient',
])
const FOREIGN_MEMBERS_OF = 'env'

type Copied = Record<string, unknown>

/**
 * Copies a configuration so that it can be looked through without surprises: objects have no prototype, members that
 * are `undefined` are left out, and each object is copied once however often it is referred to.
 *
 * What cannot be looked at (a getter that throws, an object that contains itself, one of a built-in class) becomes a
 * symbol whose description says what it was, and which no schema takes.
 */
export function copyConfig(config: unknown): unknown {
  return copy(config, '', 0, new Map())
}

function copy(value: unknown, path: string, depth: number, copies: Map<object, unknown>): unknown {
  if (typeof value === 'symbol') return Symbol('a symbol')
  if (typeof value !== 'object' || value === null || FOREIGN.has(path)) return value
  if (copies.has(value)) return copies.get(value)
  if (depth > MAX_DEPTH) return Symbol(`an object nested deeper than ${MAX_DEPTH} levels`)
  copies.set(value, Symbol('an object that contains itself'))
  const copied = copyObject(value, path, depth, copies)
  copies.set(value, copied)
  return copied
}

function copyObject(value: object, path: string, depth: number, copies: Map<object, unknown>): unknown {
  try {
    const isList = Array.isArray(value)
    if (!isList && Object.prototype.toString.call(value) !== '[object Object]') return Symbol(kindOf(value))
    const read = (key: string | number) => copyMember(value, key, path, depth, copies)
    if (isList && value.length > MAX_LENGTH) return Symbol(`a list of more than ${MAX_LENGTH} entries`)
    if (isList) return Array.from({ length: value.length }, (_, index) => read(index))
    const copied: Copied = Object.create(null)
    for (const key of Object.keys(value)) {
      const member = read(key)
      if (member !== undefined) copied[key] = member
    }
    return copied
  } catch {
    return Symbol('an object that cannot be read')
  }
}

function copyMember(
  value: object,
  key: string | number,
  path: string,
  depth: number,
  copies: Map<object, unknown>,
): unknown {
  let member: unknown
  try {
    member = Reflect.get(value, key)
  } catch {
    return Symbol('a getter that throws')
  }
  if (path === FOREIGN_MEMBERS_OF) return member
  return copy(member, path ? `${path}.${key}` : `${key}`, depth + 1, copies)
}

function kindOf(value: object): string {
  if (value instanceof Promise) return 'a promise'
  return value instanceof Date ? 'a date' : 'an object of a built-in class'
}
