import type { z } from 'zod'
import { given } from '../support/given.js'
import { writtenPath } from '../support/written-path.js'
import type { TrackingConfig } from './config.js'
import { copyConfig } from './copy.js'
import { TrackingConfigSchema } from './schema.js'

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
  const { error } = TrackingConfigSchema.safeParse(copy)
  if (error) throw new ConfigError(problemsOf(error.issues, [], copy))
}

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

function problemsOf(issues: readonly Issue[], base: Path, root: unknown): ConfigProblem[] {
  const problems = issues.flatMap((issue) => problemsOfIssue(issue, [...base, ...issue.path], root))
  // A schema and its refinement may both report one value.
  return problems.filter(({ path }, index) => problems.findIndex((other) => other.path === path) === index)
}

function problemsOfIssue(issue: Issue, path: Path, root: unknown): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    const explanations = issue.message.split('\n')
    return issue.keys.map((key, index) => problem([...path, key], explanations[index] ?? ''))
  }
  if (issue.code === 'invalid_key') return [problem(path, issue.issues[0]?.message ?? issue.message)]
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((alternative) => alternative.every(isInside))
    if (meant) return problemsOf(meant, path, root)
  }
  return [problem(path, `${given(valueAt(root, path))}, ${issue.message}`)]
}

/** The alternative of a union that was meant has its issues further inside of the value. */
function isInside(issue: Issue): boolean {
  if (issue.path.length > 0 || issue.code === 'unrecognized_keys') return true
  return issue.code === 'invalid_union' && issue.errors.some((alternative) => alternative.every(isInside))
}

function problem(path: Path, message: string): ConfigProblem {
  return { path: writtenPath(path), message }
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    root,
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
