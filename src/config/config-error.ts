import { isRecord } from '../model/values.js'
import { problemsOf, type Schema } from '../support/schema/index.js'
import { writtenPath } from '../support/written-path.js'
import { copyConfig } from './copy.js'

/** A problem of a configuration. */
export interface ConfigProblem {
  /** Its path: `settings.flushAt`, `mapping.order.complete[0].data`; empty for the configuration itself. */
  readonly path: string
  /** What was given, what was expected, and what to do. Of values it quotes numbers and booleans only. */
  readonly message: string
}

/** The error of `createTracking` and `createRelay` for an invalid configuration: it lists every problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  /**
   * @param problems - All problems; the message has a line for each.
   * @param maker - What was given the configuration.
   */
  constructor(problems: readonly ConfigProblem[], maker = 'createTracking') {
    const lines = problems.map(({ path, message }) => `  ${path || 'config'}: ${message}`)
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    super(`the configuration of ${maker} has ${count}:\n${lines.join('\n')}`)
    this.problems = problems
  }
}

/**
 * Holds a configuration against its schema.
 *
 * @param maker - What was given the configuration.
 * @throws ConfigError with every problem.
 */
export function assertFits(schema: Schema, config: unknown, maker: string): void {
  const copy = copyConfig(config)
  // Without settings the error should name the missing write key.
  if (isRecord(copy) && copy.settings === undefined) copy.settings = {}
  const problems = problemsOf(schema, copy)
  if (problems.length === 0) return
  throw new ConfigError(
    problems.map(({ path, message }) => ({ path: writtenPath(path), message })),
    maker,
  )
}
