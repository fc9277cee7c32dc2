import { expectedAt, resolved } from './expectation.js'
import { isJsonSchema, type JsonSchema } from './standard-schema.js'

/** Schemas may refer to themselves. */
const MAX_DEPTH = 8

/**
 * What a JSON Schema wants, in the form of the data that it is about: `{ "id": "a string", "total?": "a number" }`. A name
 * that ends in `?` may be missing.
 */
export function shapeOf(schema: JsonSchema): unknown {
  return shapeIn(schema, schema, 0)
}

function shapeIn(schema: JsonSchema, root: JsonSchema, depth: number): unknown {
  const found = resolved(schema, root)
  const { allOf, items, type } = found
  if (depth > MAX_DEPTH) return '…'
  if (Array.isArray(allOf)) return merged(allOf.filter(isJsonSchema), root, depth)
  const members = membersOf(found)
  if (members.length > 0) {
    const { required } = found
    const isRequired = (name: string) => Array.isArray(required) && required.includes(name)
    return Object.fromEntries(
      members.map(([name, member]) => [
        isRequired(name) ? name : `${name}?`,
        isJsonSchema(member) ? shapeIn(member, root, depth + 1) : 'anything',
      ]),
    )
  }
  if (type === 'array' && isJsonSchema(items)) return [shapeIn(items, root, depth + 1)]
  return expectedAt({ ...root, ...found }, []) ?? 'anything'
}

/** The members of an object's schema; also those that are only required. */
function membersOf({ properties, required }: JsonSchema): [string, unknown][] {
  const known = isJsonSchema(properties) ? Object.entries(properties) : []
  const more = Array.isArray(required) ? required.map(String) : []
  const unknown = more.filter((name) => !known.some(([other]) => other === name))
  return [...known, ...unknown.map((name): [string, unknown] => [name, {}])]
}

function merged(parts: readonly JsonSchema[], root: JsonSchema, depth: number): unknown {
  const shapes = parts.map((part) => shapeIn(part, part.definitions || part.$defs ? part : root, depth + 1))
  const objects = shapes.filter(isJsonSchema)
  return objects.length === shapes.length ? Object.assign({}, ...objects) : shapes
}
