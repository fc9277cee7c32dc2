import { z } from 'zod'
import { DeliverySchema, RequestSchema, TrackingConfigSchema } from '../../src/config/schema.js'
import { DEFAULT_LIMITS } from '../../src/delivery/limits.js'
import {
  COLLECTOR_FIELDS,
  ConfigSchema,
  EnvSchema,
  MappingSchema,
  RuleSchema,
  SettingsSchema,
  ValueConfigSchema,
  ValueSchema,
} from '../../src/destination/schemas/index.js'

type Shape = Readonly<Record<string, unknown>>
/** Where more is said about an option, by its name. */
type Places = Readonly<Record<string, string>>

const SECTIONS: Places = {
  settings: '#settings',
  mapping: 'mapping.md',
  data: 'mapping.md#data',
  policy: 'mapping.md#policy',
  include: 'mapping.md#include',
  globals: 'mapping.md#globals',
  beforeSend: 'mapping.md#before-sending',
  request: '#request',
  delivery: '#delivery',
  on: '#on',
  logger: '#logger',
  env: '#env',
}

/** The headings of the mapping page. That every field has one is seen to by these links. */
const RULE_PLACES = placesOf(RuleSchema.shape, { skip: 'skip-and-silent', silent: 'skip-and-silent' })
const VALUE_PLACES = placesOf(shapeOf(ValueConfigSchema), {
  condition: 'condition-of-a-value',
  consent: 'consent-of-a-value',
})

/** The parts of the configuration reference that are made from the schemas, by the name of their place in the page. */
export const configurationParts: Readonly<Record<string, () => string>> = {
  config: () => table(TrackingConfigSchema.shape, {}, SECTIONS),
  settings: () => table(SettingsSchema.shape),
  oauthSettings: () => table(shapeOf(SettingsSchema.shape.oauthSettings)),
  request: () => table(RequestSchema.shape, {}, { context: '#requestcontext' }),
  context: () => table(shapeOf(RequestSchema.shape.context)),
  delivery: () => table(DeliverySchema.shape, DEFAULT_LIMITS),
  on: () => table(shapeOf(TrackingConfigSchema.shape.on)),
  logger: () => table(shapeOf(ConfigSchema.shape.logger)),
  env: () => table(EnvSchema.shape),
  rule: () => table(RuleSchema.shape, {}, RULE_PLACES),
  'rule settings': () => table(MappingSchema.shape),
  value: () => table(shapeOf(ValueConfigSchema), {}, VALUE_PLACES),
  'collector fields': () =>
    rows([['field', 'why, and what to do'], ...Object.entries(COLLECTOR_FIELDS).map(fieldRow)]),
}

function placesOf(shape: Shape, others: Places): Places {
  return Object.fromEntries(Object.keys(shape).map((name) => [name, `mapping.md#${others[name] ?? name}`]))
}

function fieldRow([name, why]: [string, string]): string[] {
  return [`\`${name}\``, escaped(why)]
}

function table(shape: Shape, fallbacks: Shape = {}, more: Places = {}): string {
  const options = Object.entries(shape).map(([name, schema]) => {
    if (!(schema instanceof z.ZodType)) throw new Error(`${name} has no schema`)
    const { description, default: known } = schema.meta() ?? {}
    if (description === undefined) throw new Error(`${name} is not described`)
    const fallback = known ?? fallbacks[name]
    const named = more[name] === undefined ? `\`${name}\`` : `[\`${name}\`](${more[name]})`
    return [named, expectedBy(schema), defaultOf(schema, fallback), escaped(description)]
  })
  return rows([['option', 'takes', 'default', ''], ...options])
}

function rows([head = [], ...body]: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** What an option takes, in the words of the error for whoever gives it something else. */
function expectedBy(schema: z.ZodType): string {
  const message = messageOf(schema)
  const value = messageOf(ValueSchema)
  const escapedMessage = escaped(message.replace(value, 'a VALUE'))
  return escapedMessage.replace('a VALUE', 'a [mapping value](mapping.md#mapping-values)')
}

function messageOf(schema: z.ZodType): string {
  const message = schema.safeParse(Symbol('nothing that any option takes')).error?.issues[0]?.message ?? ''
  if (!message.startsWith('expected ')) throw new Error(`a schema does not say what it expects: ${message}`)
  return message.slice('expected '.length).replace(/\{.*\}|\[[^\]]*\]/g, '`$&`')
}

function defaultOf(schema: z.ZodType, fallback: unknown): string {
  if (fallback !== undefined)
    return `\`${typeof fallback === 'string' ? `'${fallback}'` : String(fallback)}\``
  return schema.safeParse(undefined).success ? '' : '**required**'
}

/** The members of an object's schema, which may be optional, one of several alternatives, or made when it is needed. */
function shapeOf(schema: unknown): Shape {
  if (schema instanceof z.ZodObject) return schema.shape
  if (schema instanceof z.ZodOptional) return shapeOf(schema.unwrap())
  if (schema instanceof z.ZodUnion)
    return shapeOf(schema.options.find((option) => option instanceof z.ZodObject))
  throw new Error('this is not the schema of an object')
}

/** A table's cells end at a bar, and Markdown takes what looks like a tag for one. */
function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replace(/<(?=[a-z/])/gi, '&lt;')
}
