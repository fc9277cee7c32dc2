import { z } from 'zod'
import type { Member, Members, MembersOf, ObjectSchema, Schema } from '../../support/schema/index.js'
import { explainKey } from '../../support/unknown-key.js'

/** The zod schema of an object type. A declaration file cannot name the type that zod would infer. */
export type ZodObject<T, Config extends z.core.$ZodObjectConfig = z.core.$strict> = z.ZodObject<
  { [K in keyof T]-?: z.ZodType<T[K]> },
  Config
>

type Of<K extends Schema['kind']> = Extract<Schema, { readonly kind: K }>

const made = new WeakMap<Schema, z.ZodType>()

/** Makes the zod schema that takes the same values and expects them in the same words. */
export function zodOf<T>(schema: Schema<T>): z.ZodType<T>
export function zodOf(schema: Schema): z.ZodType {
  const known = made.get(schema)
  if (known) return known
  const zod = make(schema)
  made.set(schema, zod)
  return zod
}

/** Makes the zod schema of an object without unknown members. */
export function zodObjectOf<T>(schema: ObjectSchema<MembersOf<T>>): ZodObject<T>
export function zodObjectOf(schema: Of<'object'>): z.ZodObject {
  return strictOf(schema)
}

/** Makes the zod schema of an object that may have other members, too. */
export function looseZodObjectOf<T>(schema: ObjectSchema<MembersOf<T>>): ZodObject<T, z.core.$loose>
export function looseZodObjectOf(schema: Of<'object'>): z.ZodObject {
  return looseOf(schema)
}

function strictOf({ expected, members, keys }: Of<'object'>): z.ZodObject {
  return z.strictObject(shapeOf(members), {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => explainKey(key, keys)).join('\n')
        : `expected ${expected}`,
  })
}

function looseOf({ expected, members }: Of<'object'>): z.ZodObject {
  return z.looseObject(shapeOf(members), { error: `expected ${expected}` })
}

function shapeOf(members: Members): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(members).map(([key, member]) => [key, memberOf(member)]))
}

function memberOf({ schema, isOptional, description, fallback }: Member): z.ZodType {
  const zod = zodOf(schema)
  const documented = { description, ...(fallback !== undefined && { default: fallback }) }
  return (isOptional ? zod.optional() : zod).meta(documented)
}

function make(schema: Schema): z.ZodType {
  const error = { error: `expected ${schema.expected}` }
  switch (schema.kind) {
    case 'text':
      return schema.pattern ? z.string(error).regex(schema.pattern, error) : z.string(error)
    case 'number':
      return numberOf(schema, error)
    case 'boolean':
      return z.boolean(error)
    case 'constant':
      return z.literal([...schema.values], error)
    case 'opaque':
      return z.custom(schema.accepts, error)
    case 'list':
      return z.array(zodOf(schema.of), error)
    case 'pair':
      return z.tuple([zodOf(schema.of[0]), zodOf(schema.of[1])], error)
    case 'record':
      return z.record(keysOf(schema), zodOf(schema.of), error)
    case 'object':
      return schema.isOpen ? looseOf(schema) : strictOf(schema)
    case 'union':
      return z.union(schema.of.map(zodOf), error)
    case 'lazy':
      return z.lazy(() => zodOf(schema.of()))
    case 'refined':
      return refinedOf(schema)
  }
}

function numberOf({ isInteger, above, least, most }: Of<'number'>, error: { error: string }): z.ZodType {
  let zod: z.ZodNumber = isInteger ? z.int(error) : z.number(error)
  if (above !== undefined) zod = zod.gt(above, error)
  if (least !== undefined) zod = zod.min(least, error)
  if (most !== undefined) zod = zod.max(most, error)
  return zod
}

function keysOf({ keys }: Of<'record'>): z.ZodString {
  return keys ? z.string().regex(keys.pattern, keys.problem) : z.string()
}

function refinedOf(schema: Of<'refined'>): z.ZodType {
  const path = schema.member === undefined ? [] : [schema.member]
  return zodOf(schema.of).superRefine((value, context) => {
    const expected = schema.expects(value)
    if (expected !== undefined) context.addIssue({ code: 'custom', path, message: `expected ${expected}` })
  })
}
