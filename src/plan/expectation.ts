import type { Path } from './offence.js'
import { isJsonSchema, type JsonSchema } from './standard-schema.js'

/** References lead to references; nobody writes more of them one after the other. */
const MAX_REFERENCES = 16
/** Of a long list of choices so many are named. */
const MAX_CHOICES = 10

/** A place in a JSON Schema: `false` where nothing may be, `undefined` where it says nothing. */
type Place = JsonSchema | false | undefined

/**
 * Says in words what a JSON Schema wants at a place: `a number`, `one of "free", "team"`.
 *
 * @returns `undefined` where it says nothing.
 */
export function expectedAt(schema: JsonSchema | undefined, path: Path): string | undefined {
  if (!schema) return undefined
  const root = schema
  let places: Place[] = [schema]
  for (const key of path) places = places.flatMap((place) => membersOf(place, key, root))
  const words = places.flatMap((place) => wordsOf(place, root))
  return words.length === 0 ? undefined : [...new Set(words)].join(' or ')
}

/** What a place says of one of its members; several where it gives alternatives. */
function membersOf(place: Place, key: string | number, root: JsonSchema): Place[] {
  if (!place) return []
  const schema = resolved(place, root)
  const own = ownMember(schema, key)
  const inner = alternativesOf(schema).flatMap((alternative) => membersOf(alternative, key, root))
  return own === undefined ? inner : [own, ...inner]
}

function ownMember(schema: JsonSchema, key: string | number): Place {
  if (typeof key === 'number') {
    const places = Array.isArray(schema.prefixItems) ? schema.prefixItems : schema.items
    if (!Array.isArray(places)) return placeOf(schema.items)
    return key < places.length ? placeOf(places[key]) : placeOf(schema.additionalItems)
  }
  const { properties } = schema
  if (isJsonSchema(properties) && Object.hasOwn(properties, key)) return placeOf(properties[key])
  return placeOf(schema.additionalProperties)
}

function placeOf(value: unknown): Place {
  return value === false || isJsonSchema(value) ? value : undefined
}

function alternativesOf(schema: JsonSchema): JsonSchema[] {
  return [schema.allOf, schema.anyOf, schema.oneOf].flatMap((list) =>
    Array.isArray(list) ? list.filter(isJsonSchema) : [],
  )
}

/** Follows references inside of the same document. */
export function resolved(schema: JsonSchema, root: JsonSchema): JsonSchema {
  let place = schema
  for (let left = MAX_REFERENCES; left > 0 && typeof place.$ref === 'string'; left--) {
    const target = place.$ref.startsWith('#') ? at(root, place.$ref.slice(1)) : undefined
    if (!isJsonSchema(target)) return place
    place = target
  }
  return place
}

function at(root: JsonSchema, pointer: string): unknown {
  return keysOfPointer(pointer).reduce<unknown>(
    (place, key) => (isJsonSchema(place) && Object.hasOwn(place, key) ? place[key] : undefined),
    root,
  )
}

/**
 * The keys of a JSON Pointer.
 *
 * Source: RFC 6901.
 */
export function keysOfPointer(pointer: string): string[] {
  const [, ...keys] = pointer.split('/')
  return keys.map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function wordsOf(place: Place, root: JsonSchema, depth = 0): string[] {
  if (place === false) return ['nothing of that name']
  if (!place || depth > MAX_REFERENCES) return []
  const schema = resolved(place, root)
  if (schema.const !== undefined) return [JSON.stringify(schema.const)]
  if (Array.isArray(schema.enum)) return [choiceOf(schema.enum)]
  const types = [schema.type].flat().filter((type) => typeof type === 'string')
  if (types.length > 0) return types.map((type) => `${named(type)}${limitsOf(schema, type)}`)
  return alternativesOf(schema).flatMap((alternative) => wordsOf(alternative, root, depth + 1))
}

function choiceOf(choices: readonly unknown[]): string {
  const listed = choices.slice(0, MAX_CHOICES).map((choice) => JSON.stringify(choice))
  const more = choices.length > MAX_CHOICES ? ', …' : ''
  return choices.length === 1 ? `${listed[0]}` : `one of ${listed.join(', ')}${more}`
}

/** A type of JSON Schema with its article. */
export function named(type: string): string {
  if (type === 'null') return type
  return /^[aio]/.test(type) ? `an ${type}` : `a ${type}`
}

function limitsOf(schema: JsonSchema, type: string): string {
  const limits: string[] = []
  if (type === 'string' && typeof schema.format === 'string') limits.push(`of the format ${schema.format}`)
  if (type === 'string' && typeof schema.pattern === 'string') limits.push(`like /${schema.pattern}/`)
  if (type === 'number' || type === 'integer') {
    const least = [
      ['from', schema.minimum],
      ['above', schema.exclusiveMinimum],
      ['to', schema.maximum],
      ['below', schema.exclusiveMaximum],
    ]
    for (const [word, limit] of least) {
      // Where there is no limit, zod writes the largest number that is exact.
      if (typeof limit === 'number' && Math.abs(limit) !== Number.MAX_SAFE_INTEGER)
        limits.push(`${word} ${limit}`)
    }
  }
  return limits.length === 0 ? '' : ` ${limits.join(' ')}`
}
