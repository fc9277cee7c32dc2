/**
 * A process that only delivers what others have written.
 *
 * @packageDocumentation
 */

export { ConfigError, type ConfigProblem } from '../config/config-error.js'
export type { RelayCallbacks, RelayConfig } from './config.js'
export { createRelay, type Relay, type RelayHealth, type RelayStats } from './relay.js'
export type { RequestCounts } from './requests.js'
