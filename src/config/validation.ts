import type { TrackingConfig } from './config.js'
import { assertFits } from './config-error.js'
import { trackingConfigSchema } from './schema.js'

/**
 * Validates a configuration. A member that is `undefined` counts as absent.
 *
 * @throws ConfigError with every problem: wrong types and values, unknown keys with the known ones that were probably
 * meant, and fields that only a walkerOS collector can honour. It quotes no string, since any may be a secret.
 *
 * @example
 * validateConfig({ settings: { writeKey: 'KEY', flushat: 20 } })
 * // ConfigError: the configuration of createTracking has a problem:
 * //   settings.flushat: unknown key, did you mean flushAt?
 */
export function validateConfig(config: unknown): asserts config is TrackingConfig {
  assertFits(trackingConfigSchema, config, 'createTracking')
}
