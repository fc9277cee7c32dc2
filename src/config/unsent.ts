import { isRecord } from '../model/values.js'

/** The client wants a write key even if it sends nothing. */
const UNUSED_KEY = 'unused'

/**
 * Gives a configuration that sends nothing a write key if it has none: an environment without Segment, such as a
 * developer's, has no key either.
 *
 * @param config - A configuration that nobody has validated.
 */
export function withUnusedKey<T>(config: T): T {
  try {
    return sendsNothing(config)
      ? { ...config, settings: { ...config.settings, writeKey: UNUSED_KEY } }
      : config
  } catch {
    // The validation reports a getter that throws.
    return config
  }
}

function sendsNothing(config: unknown): config is { readonly settings?: object } {
  if (!isRecord(config)) return false
  const { disabled, dryRun, settings = {} } = config
  if (!isRecord(settings) || (disabled !== true && dryRun !== true && settings.disable !== true)) return false
  return settings.writeKey === undefined || settings.writeKey === ''
}
