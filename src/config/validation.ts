import { problemsOf } from '../support/schema/index.js'
import { writtenPath } from '../support/written-path.js'
import type { TrackingConfig } from './config.js'
import { copyConfig } from './copy.js'
import { trackingConfigSchema } from './schema.js'

/** A problem of a configuration. */
export interface ConfigProblem {
  /** Its path: `settings.flushAt`, `mapping.order.complete[0].data`; empty for the configuration itself. */
  readonly path: string
  /** What was given, what was expected, and what to do. Of values it quotes numbers and booleans only. */
  readonly message: string
}

/** The error of `createTracking` for an invalid configuration: it lists every problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  /** @param problems - All problems; the message has a line for each. */
  constructor(problems: readonly ConfigProblem[]) {
    const lines = problems.map(({ path, message }) => `  ${path || 'config'}: ${message}`)
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    super(`the configuration of createTracking has ${count}:\n${lines.join('\n')}`)
    this.problems = problems
  }
}

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
  const copy = copyConfig(config)
  // Without settings the error should name the missing write key.
  if (isObject(copy) && copy.settings === undefined) copy.settings = {}
  const problems = problemsOf(trackingConfigSchema, copy)
  if (problems.length === 0) return
  throw new ConfigError(problems.map(({ path, message }) => ({ path: writtenPath(path), message })))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
