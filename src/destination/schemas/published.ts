import type { Mapping, WalkerOS } from '@walkeros/core'
import { z } from 'zod'
import type { MappingSettings } from '../rule.js'
import type { Rules } from '../rules-of-events.js'
import type { Env, SegmentDestinationConfig, Settings } from '../settings.js'
import {
  configSchema,
  consentSchema,
  dataSchema,
  envSchema,
  includeSchema,
  mappingSchema,
  policySchema,
  ruleSchema,
  rulesSchema,
  settingsSchema,
  valueConfigSchema,
  valueSchema,
} from './index.js'
import type { OwnRule } from './mapping.js'
import { looseZodObjectOf, type ZodObject, zodObjectOf, zodOf } from './zod.js'

/** The destination's settings. */
export const SettingsSchema: ZodObject<Settings> = zodObjectOf(settingsSchema)
/** The part of walkerOS's destination config that needs no collector. */
export const ConfigSchema: ZodObject<SegmentDestinationConfig> = zodObjectOf(configSchema)
/** Replacements for the destination's own parts. It takes unknown members, since walkerOS leaves the object open. */
export const EnvSchema: ZodObject<Pick<Env, 'analytics'>, z.core.$loose> = looseZodObjectOf(envSchema)
/** The `settings` of a mapping rule. */
export const MappingSchema: ZodObject<MappingSettings> = zodObjectOf(mappingSchema)
/** A mapping rule, as far as it needs no collector. */
export const RuleSchema: ZodObject<OwnRule> = zodObjectOf(ruleSchema)
/** Mapping rules by entity and action. */
export const RulesSchema: z.ZodType<Rules> = zodOf(rulesSchema)
/** The object form of a mapping value. */
export const ValueConfigSchema: z.ZodType<Mapping.ValueConfig> = zodOf(valueConfigSchema)
/** A walkerOS mapping value: a path, a config, or a list of alternatives, of which the first with a result is taken. */
export const ValueSchema: z.ZodType<Mapping.Value> = zodOf(valueSchema)
/** The mapping of data: a mapping value, or a list of alternatives, of which the first with a result is taken. */
export const DataSchema: z.ZodType<Mapping.Data> = zodOf(dataSchema)
/** Changes to an event, by path. */
export const PolicySchema: z.ZodType<Mapping.Policy> = zodOf(policySchema)
/** Consent keys of which one has to be granted. */
export const ConsentSchema: z.ZodType<WalkerOS.Consent> = zodOf(consentSchema)
/** Sections of the event to add to the properties. */
export const IncludeSchema: z.ZodType<string[]> = zodOf(includeSchema)

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
