/** Deeper than any configuration, and far from the end of the stack. */
const MAX_DEPTH = 64
/** Longer than any list in a configuration. */
const MAX_LENGTH = 10_000

/** Paths of the application's own objects: kept as they are, since only their methods matter. */
const UNCOPIED = new Set([
  'ambient',
  'delivery.outbox',
  'memory',
  'outbox',
  'plan',
  'settings.httpClient',
  'settings.oauthSettings.httpClient',
])
const UNCOPIED_MEMBERS_OF = 'env'

type Copied = Record<string, unknown>

/**
 * Copies a configuration, so that validation can read it safely: copies have no prototype and no members that are
 * `undefined`, and an object that is referred to twice is copied once.
 *
 * A getter that throws, an object that contains itself, and an instance of a built-in class each become a symbol. Its
 * description names them, and no schema accepts it.
 */
export function copyConfig(config: unknown): unknown {
  return copy(config, '', 0, new Map())
}

function copy(value: unknown, path: string, depth: number, copies: Map<object, unknown>): unknown {
  if (typeof value === 'symbol') return Symbol('a symbol')
  if (typeof value !== 'object' || value === null || UNCOPIED.has(path)) return value
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
  if (path === UNCOPIED_MEMBERS_OF) return member
  return copy(member, path ? `${path}.${key}` : `${key}`, depth + 1, copies)
}

function kindOf(value: object): string {
  if (value instanceof Promise) return 'a promise'
  return value instanceof Date ? 'a date' : 'an object of a built-in class'
}
