// The zod schemas of the destination's configuration.
export { COLLECTOR_FIELDS, ConfigSchema, EnvSchema } from './config.js'
export {
  ConsentSchema,
  DataSchema,
  IncludeSchema,
  MappingSchema,
  PolicySchema,
  RuleSchema,
  RulesSchema,
  ValueConfigSchema,
  ValueSchema,
} from './mapping.js'
export { SettingsSchema } from './settings.js'
