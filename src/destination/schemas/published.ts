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

/** JSON Schema, draft 7, as walkerOS packages publish it. Functions have none: they count as anything. */
type JsonSchema = Record<string, unknown>

/** JSON Schema of the destination's settings. */
export const settings: JsonSchema = toJsonSchema(SettingsSchema)
/** JSON Schema of what a mapping rule can say under `settings`. */
export const mapping: JsonSchema = toJsonSchema(MappingSchema)
/** JSON Schema of a mapping rule, as far as it needs no collector. */
export const rule: JsonSchema = toJsonSchema(RuleSchema)
/** JSON Schema of the destination config, as far as it needs no collector. */
export const config: JsonSchema = toJsonSchema(ConfigSchema)

function toJsonSchema(schema: z.ZodType): JsonSchema {
  const { '~standard': _, ...json } = z.toJSONSchema(schema, { target: 'draft-7', unrepresentable: 'any' })
  return json
}
