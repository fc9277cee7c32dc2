import { isJsonSchema, type JsonSchema } from '../standard-schema.js'

/** The schema of a member, with the definitions that it may refer to. */
export function memberSchema(document: JsonSchema, member: string | undefined): JsonSchema {
  if (member === undefined) return withoutDialect(document)
  const { properties, definitions, $defs } = document
  const own: unknown = isJsonSchema(properties) ? properties[member] : undefined
  return {
    ...(isJsonSchema(own) && own),
    ...(definitions !== undefined && { definitions }),
    ...($defs !== undefined && { $defs }),
  }
}

/** Segment names draft-07, and its older exports 04 or 06, whose rules for events are the same. */
export function withoutDialect({ $schema, $id, id, ...document }: JsonSchema): JsonSchema {
  return document
}
