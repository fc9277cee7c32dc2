// The schemas of the destination's configuration.
export { COLLECTOR_FIELDS, configMembers, configSchema, envSchema, loggerSchema } from './config.js'
export {
  consentSchema,
  dataSchema,
  includeSchema,
  mappingSchema,
  policySchema,
  ruleSchema,
  rulesSchema,
  valueConfigSchema,
  valueSchema,
} from './mapping.js'
export { oauthSchema, settingsSchema } from './settings.js'
