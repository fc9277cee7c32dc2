import { type ParseArgsConfig, parseArgs } from 'node:util'
import { CommandError } from './command-error.js'

/**
 * Reads a command line.
 *
 * @throws CommandError for what is not understood; what Node says of it names the option.
 */
export function readArguments<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error))
  }
}
