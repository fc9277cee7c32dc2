import { isRecord } from '../../src/model/values.js'

/** One request of a corpus, and what has to be read from it. */
export interface Item {
  readonly id: string
  /** Lower-case names, values as a Node server has them. */
  readonly headers: Readonly<Record<string, string>>
  /** What middleware before the tracker and the connection say. */
  readonly auth: Readonly<Record<string, unknown>>
  /** What the expectations assume. */
  readonly options: Readonly<Record<string, unknown>>
  /** The right answers. */
  readonly expect: Readonly<Record<string, unknown>>
  /** Whether the answers must hold; those of low confidence are a choice of policy. */
  readonly isBinding: boolean
}

const CONFIDENCES = ['high', 'medium', 'low']

/** The fields of an item that this program knows; those of `expect` have checks of their own. */
const FIELDS = {
  item: ['id', 'kind', 'headers', 'auth', 'options', 'expect', 'confidence', 'notes', 'source'],
  auth: ['express', 'koa', 'socket', 'url', 'expressTrustProxy'],
  options: ['categoryMap', 'anonymousIdFrom', 'anonymizeIp', 'reader'],
}

/**
 * Takes an item of a corpus apart.
 *
 * @throws TypeError where it is none, saying what it lacks.
 */
export function toItem(value: unknown, index: number): Item {
  if (!isRecord(value)) throw new TypeError(`item ${index} is not an object`)
  const { id, headers, auth = {}, options = {}, expect, confidence } = value
  if (typeof id !== 'string') throw new TypeError(`item ${index} has no id`)
  if (!isHeaders(headers)) throw new TypeError(`${id}: headers is not an object of strings`)
  if (!isRecord(auth)) throw new TypeError(`${id}: auth is not an object`)
  if (!isRecord(options)) throw new TypeError(`${id}: options is not an object`)
  if (!isRecord(expect)) throw new TypeError(`${id}: expect is not an object`)
  if (typeof confidence !== 'string' || !CONFIDENCES.includes(confidence)) {
    throw new TypeError(
      `${id}: confidence is ${JSON.stringify(confidence)}, expected one of ${CONFIDENCES.join(', ')}`,
    )
  }
  return { id, headers, auth, options, expect, isBinding: confidence !== 'low' }
}

/**
 * The fields of an item that nothing here reads, by their paths.
 *
 * @param expectations - The fields of `expect` that are known.
 */
export function unknownFields(value: unknown, expectations: readonly string[]): string[] {
  if (!isRecord(value)) return []
  return [
    ...unknownKeys(value, FIELDS.item, ''),
    ...unknownKeys(value.auth, FIELDS.auth, 'auth.'),
    ...unknownKeys(value.options, FIELDS.options, 'options.'),
    ...unknownKeys(value.expect, expectations, 'expect.'),
    ...unknownMarkers(value.auth, 'auth'),
  ]
}

/** What stands for a value that JSON has not: `{"$fn": X}` and `{"$undefined": true}`. */
const MARKERS = ['$fn', '$undefined']

/** Turns what stands for functions and `undefined` into them. */
export function revived(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revived)
  if (!isRecord(value)) return value
  if (Object.hasOwn(value, '$undefined')) return undefined
  if (Object.hasOwn(value, '$fn')) {
    const result = revived(value.$fn)
    return () => result
  }
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, revived(member)]))
}

function isHeaders(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((header) => typeof header === 'string')
}

function unknownKeys(value: unknown, known: readonly string[], prefix: string): string[] {
  if (!isRecord(value)) return []
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => prefix + key)
}

function unknownMarkers(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, member]) => [
    ...(key.startsWith('$') && !MARKERS.includes(key) ? [`${path}.${key}`] : []),
    ...unknownMarkers(member, `${path}.${key}`),
  ])
}
