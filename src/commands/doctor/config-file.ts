import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { TrackingConfig } from '../../config/config.js'
import { ConfigError } from '../../config/config-error.js'
import { withUnusedKey } from '../../config/unsent.js'
import { validateConfig } from '../../config/validation.js'
import { hasInternals } from '../../frameworks/adapter.js'
import { isRecord } from '../../model/values.js'
import { nameOf } from '../../support/log.js'
import { CommandError } from '../command-error.js'
import type { Finding } from './report.js'

/** A configuration from a file, and whether it is valid. */
export interface ReadConfig {
  readonly finding: Finding
  /** `undefined` where the file has none that is valid. */
  readonly config: TrackingConfig | undefined
}

/**
 * Reads a configuration: a JSON file, or a module that exports it as `config` or by default. A module may also make the
 * tracking itself, and throws then if its configuration is wrong.
 *
 * @throws CommandError without such a file.
 */
export async function readConfigFile(path: string): Promise<ReadConfig> {
  if (!existsSync(path)) throw new CommandError(`${path} does not exist`)
  let loaded: unknown
  try {
    loaded = path.endsWith('.json') ? JSON.parse(readFileSync(path, 'utf8')) : await importFile(path)
  } catch (error) {
    return wrong(path, problemsOf(error))
  }
  const places = isRecord(loaded) ? [loaded.config, loaded.default, ...Object.values(loaded), loaded] : []
  if (places.some(hasInternals)) return { finding: ok(`${path} makes a tracking`), config: undefined }
  const config = places.find(looksLikeConfig)
  if (!config)
    return wrong(path, [
      'it has no configuration: expected an export config, or one by default, with settings',
    ])
  try {
    const { $schema: _, ...given } = config
    const complete = withUnusedKey(given)
    validateConfig(complete)
    return { finding: ok(`${path} is valid`), config: complete }
  } catch (error) {
    return wrong(path, problemsOf(error))
  }
}

function looksLikeConfig(place: unknown): place is Readonly<Record<string, unknown>> {
  if (!isRecord(place)) return false
  return ['settings', 'mapping', 'dryRun', 'disabled'].some((key) => key in place)
}

async function importFile(path: string): Promise<unknown> {
  return { ...(await import(pathToFileURL(resolve(path)).href)) }
}

/** What a module of the application throws may quote anything, so it is named and not quoted. */
function problemsOf(error: unknown): string[] {
  if (isConfigError(error))
    return error.problems.map(({ path, message }) => `${path || 'config'}: ${message}`)
  return [`it cannot be loaded (${nameOf(error)}): run it with node to see why`]
}

/** The application may have a copy of this package of its own. */
function isConfigError(error: unknown): error is Pick<ConfigError, 'problems'> {
  return error instanceof ConfigError || (nameOf(error) === 'ConfigError' && 'problems' in Object(error))
}

function ok(line: string): Finding {
  return { state: 'ok', about: 'config', lines: [line] }
}

function wrong(path: string, problems: readonly string[]): ReadConfig {
  return { finding: { state: 'wrong', about: 'config', lines: [path, ...problems] }, config: undefined }
}
