import { writtenPath } from '../../support/written-path.js'
import { GIVEN_PARTS } from '../from-json/contract.js'
import { FORMATS } from '../from-json/formats.js'
import type { SegmentRule } from '../from-json/segment-rules.js'
import { isJsonSchema, type JsonSchema } from '../standard-schema.js'

/** A place of a plan that nothing can be held to, and why. */
export interface Unenforced {
  readonly path: string
  readonly why: string
}

/** Keywords that only say something about a value, as far as events are concerned. */
const SAYS_NOTHING = new Set([
  '$comment',
  '$defs',
  '$id',
  '$schema',
  'default',
  'definitions',
  'description',
  'examples',
  'id',
  'title',
])

/** What JSON Schema has for whole values. */
const HOLDS = new Set([
  ...[
    'additionalProperties',
    'allOf',
    'anyOf',
    'dependencies',
    'dependentRequired',
    'dependentSchemas',
    'if',
  ],
  ...['maxProperties', 'minProperties', 'not', 'oneOf', 'patternProperties', 'propertyNames'],
])

/** What of a rule of Segment's cannot be held: all but the properties, or the traits, that a handler gives. */
export function unenforcedOfRule({ type, jsonSchema, path }: SegmentRule): Unenforced[] {
  const isTraits = type === 'IDENTIFY' || type === 'GROUP'
  const enforced = type === 'COMMON' ? ['properties', 'traits'] : [isTraits ? 'traits' : 'properties']
  return unenforced(jsonSchema, [...path, 'jsonSchema'], enforced, ['properties', 'traits', 'context'])
}

/** What of a contract's schema cannot be held: all but the parts of an event that a handler gives. */
export function unenforcedOfEvent(schema: JsonSchema, path: readonly PropertyKey[]): Unenforced[] {
  return unenforced(schema, path, GIVEN_PARTS, GIVEN_PARTS)
}

/**
 * @param enforced - The members that are held.
 * @param always - The members that a call always has, so that it is no use to require them.
 */
function unenforced(
  schema: JsonSchema,
  path: readonly PropertyKey[],
  enforced: readonly string[],
  always: readonly string[],
): Unenforced[] {
  const found: Unenforced[] = []
  const tell = (place: readonly PropertyKey[], why: string) =>
    found.push({ path: writtenPath([...path, ...place]), why })
  const { properties, required } = schema
  for (const [member, own] of Object.entries(isJsonSchema(properties) ? properties : {})) {
    const place = ['properties', member]
    if (enforced.includes(member)) found.push(...unknownFormats(own, [...path, ...place]))
    else if (!isTrivial(own)) tell(place, 'a handler does not give it')
  }
  for (const member of Array.isArray(required) ? required.map(String) : []) {
    if (!always.includes(member)) tell(['required'], `a handler does not give ${member}`)
  }
  for (const keyword of Object.keys(schema)) {
    if (HOLDS.has(keyword)) tell([keyword], 'it is about the whole call, of which a handler gives a part')
  }
  return found
}

/** Whether any object is right. */
function isTrivial(schema: unknown): boolean {
  if (schema === true) return true
  if (!isJsonSchema(schema)) return false
  return Object.entries(schema).every(([keyword, value]) => {
    if (keyword === 'type') return [value].flat().includes('object')
    if (keyword === 'required') return Array.isArray(value) && value.length === 0
    if (keyword === 'properties') return isJsonSchema(value) && Object.values(value).every(isAnything)
    return SAYS_NOTHING.has(keyword) || !(HOLDS.has(keyword) || VALIDATES.has(keyword))
  })
}

const VALIDATES = new Set(['$ref', 'const', 'contains', 'enum', 'format', 'items', 'pattern'])

function isAnything(schema: unknown): boolean {
  return isJsonSchema(schema) && Object.keys(schema).every((keyword) => SAYS_NOTHING.has(keyword))
}

function unknownFormats(schema: unknown, path: readonly PropertyKey[]): Unenforced[] {
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([key, value]: [string, unknown]) => {
    const place = [...path, Array.isArray(schema) ? Number(key) : key]
    if (key !== 'format' || typeof value !== 'string') return unknownFormats(value, place)
    return Object.hasOwn(FORMATS, value)
      ? []
      : [{ path: writtenPath(place), why: `the format ${JSON.stringify(value)} is not known` }]
  })
}
