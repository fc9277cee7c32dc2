import { basename } from 'node:path'
import { resolved } from '../expectation.js'
import { isJsonSchema, type JsonSchema } from '../standard-schema.js'
import type { PlanFile } from './plan-file.js'

/** Schemas may refer to themselves; so deep their types are written out. */
const MAX_DEPTH = 12

/**
 * Writes the events of a tracking plan as TypeScript: a module that merges them into `TrackEvents`.
 *
 * @param path - The plan's file, for who reads the module.
 */
export function declarationsOf({ events }: PlanFile, path: string): string {
  const declared = events.filter(({ name }) => !hasWildcard(name))
  const wildcards = events.filter(({ name }) => hasWildcard(name)).map(({ name }) => JSON.stringify(name))
  const members = declared.flatMap(({ name, description, data }) => [
    ...comment(description, '    '),
    `    ${JSON.stringify(name)}: ${typeOfAll(data, '    ')}`,
  ])
  return [
    `// Made from ${basename(path)} by \`npx reqtrack plan types\`: change the plan, and make it again.`,
    ...(wildcards.length > 0
      ? [`// TypeScript has no word for events such as ${wildcards.join(', ')}.`]
      : []),
    "import type {} from 'reqtrack'",
    '',
    "declare module 'reqtrack' {",
    '  interface TrackEvents {',
    ...members,
    '  }',
    '}',
    '',
  ].join('\n')
}

function hasWildcard(name: string): boolean {
  return name.split(' ').includes('*')
}

/** The type of data that keep to all of several schemas. */
function typeOfAll(schemas: readonly JsonSchema[], indent: string): string {
  const types = schemas.map((schema) => typeOf(schema, { root: schema, indent, depth: 0 }))
  const known = types.filter((type) => type !== 'unknown' && type !== ANY_OBJECT)
  return known.length === 0 ? ANY_OBJECT : intersection(known)
}

const ANY_OBJECT = 'Record<string, unknown>'

interface Writing {
  readonly root: JsonSchema
  readonly indent: string
  readonly depth: number
}

function typeOf(schema: unknown, writing: Writing): string {
  if (schema === false) return 'never'
  if (!isJsonSchema(schema) || writing.depth > MAX_DEPTH) return 'unknown'
  const inner = { ...writing, depth: writing.depth + 1 }
  const found = resolved(schema, writing.root)
  if (found !== schema) return typeOf(found, inner)
  if (schema.const !== undefined) return literal(schema.const)
  if (Array.isArray(schema.enum)) return union(schema.enum.map(literal))
  const parts = [ownType(schema, inner)]
  for (const [alternatives, join] of [
    [schema.allOf, intersection],
    [schema.anyOf, union],
    [schema.oneOf, union],
  ] as const) {
    if (Array.isArray(alternatives)) parts.push(join(alternatives.map((each) => typeOf(each, inner))))
  }
  return intersection(parts)
}

function ownType(schema: JsonSchema, writing: Writing): string {
  const { type } = schema
  if (Array.isArray(type)) return union(type.map((each) => ownType({ ...schema, type: each }, writing)))
  switch (type) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return type
    case 'integer':
      return 'number'
    case 'array':
      return listType(schema, writing)
    case 'object':
      return objectType(schema, writing)
    default:
      return isJsonSchema(schema.properties) ? objectType(schema, writing) : 'unknown'
  }
}

function listType({ items, prefixItems, additionalItems }: JsonSchema, writing: Writing): string {
  const places = Array.isArray(prefixItems) ? prefixItems : items
  if (!Array.isArray(places)) return `Array<${typeOf(places, writing)}>`
  const more = Array.isArray(prefixItems) ? items : additionalItems
  const types = places.map((place) => typeOf(place, writing))
  return `[${[...types, ...(more === false ? [] : [`...Array<${typeOf(more, writing)}>`])].join(', ')}]`
}

function objectType(schema: JsonSchema, writing: Writing): string {
  const { properties = {}, required, additionalProperties } = schema
  const members = Object.entries(isJsonSchema(properties) ? properties : {})
  if (members.length === 0) {
    if (additionalProperties === false) return 'Record<string, never>'
    return isJsonSchema(additionalProperties)
      ? `Record<string, ${typeOf(additionalProperties, writing)}>`
      : ANY_OBJECT
  }
  const indent = `${writing.indent}  `
  const isRequired = (name: string) => Array.isArray(required) && required.includes(name)
  const lines = members.flatMap(([name, member]) => [
    ...comment(isJsonSchema(member) ? member.description : undefined, indent),
    `${indent}${JSON.stringify(name)}${isRequired(name) ? '' : '?'}: ${typeOf(member, { ...writing, indent })}`,
  ])
  const isOpen = additionalProperties === true || isJsonSchema(additionalProperties)
  return ['{', ...lines, ...(isOpen ? [`${indent}[key: string]: unknown`] : []), `${writing.indent}}`].join(
    '\n',
  )
}

function union(types: readonly string[]): string {
  return types.includes('unknown') ? 'unknown' : [...new Set(types)].join(' | ') || 'never'
}

function intersection(types: readonly string[]): string {
  const different = [...new Set(types.filter((type) => type !== 'unknown'))]
  if (different.length < 2) return different[0] ?? 'unknown'
  return different.map((type) => (type.includes(' | ') ? `(${type})` : type)).join(' & ')
}

function literal(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'unknown' : JSON.stringify(value)
}

function comment(text: unknown, indent: string): string[] {
  if (typeof text !== 'string' || text.trim() === '') return []
  return [`${indent}/** ${text.trim().replace(/\s+/g, ' ').replaceAll('*/', '* /')} */`]
}
