import { isRequestRunning } from '../context/ambient.js'
import type { SelfCheckFacts } from '../observe/self-check/index.js'
import { globalPrivacyControl, isOptOut } from '../request/consent/index.js'
import type { TrackingConfig } from './config.js'

/** What the self-check has to know of a configuration. One that turns tracking off is not looked at. */
export function selfCheckFacts(config: TrackingConfig): SelfCheckFacts {
  const { request = {}, settings, validate, disabled, mapping = {}, ambient } = config
  const isOff = disabled === true || settings.disable === true
  return {
    validate: isOff ? false : validate,
    isDevelopment: process.env.NODE_ENV === 'development',
    isDryInProduction: config.dryRun === true && process.env.NODE_ENV === 'production',
    writeKey: settings.writeKey,
    isInRequest: isRequestRunning(ambient),
    consent: {
      canGrant: [request.consent ?? globalPrivacyControl()].flat().some((reader) => !isOptOut(reader)),
      carried: Object.keys(settings.consent ?? {}),
    },
    readsProxies: request.context !== false,
    rules: Object.entries(mapping).flatMap(([entity, actions]) =>
      entity === '*' ? [] : Object.keys(actions ?? {}).map((action) => `${entity} ${action}`),
    ),
  }
}
