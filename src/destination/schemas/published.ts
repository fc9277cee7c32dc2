import { z } from 'zod'
import { ConfigSchema, MappingSchema, RuleSchema, SettingsSchema } from './index.js'

export {
  ConfigSchema,
  ConsentSchema,
  DataSchema,
  EnvSchema,
  IncludeSchema,
  MappingSchema,
  PolicySchema,
  RuleSchema,
  RulesSchema,
  SettingsSchema,
  ValueConfigSchema,
  ValueSchema,
} from './index.js'

/** JSON Schema, draft 7, as walkerOS packages publish it. Functions accept anything, since JSON Schema has none. */
type JsonSchema = Record<string, unknown>

/** JSON Schema of the destination's settings. */
export const settings: JsonSchema = toJsonSchema(SettingsSchema)
/** JSON Schema of the `settings` of a mapping rule. */
export const mapping: JsonSchema = toJsonSchema(MappingSchema)
/** JSON Schema of the part of a mapping rule that needs no collector. */
export const rule: JsonSchema = toJsonSchema(RuleSchema)
/** JSON Schema of the part of the destination config that needs no collector. */
export const config: JsonSchema = toJsonSchema(ConfigSchema)

function toJsonSchema(schema: z.ZodType): JsonSchema {
  const { '~standard': _, ...json } = z.toJSONSchema(schema, { target: 'draft-7', unrepresentable: 'any' })
  return json
}
