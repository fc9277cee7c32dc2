// The zod schemas of what the destination is configured with.
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
