import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const DEFAULT_TIMEOUT_MS = 180_000
const exec = promisify(execFile)

/** A command that failed or took too long, with everything that it said. */
export class CommandError extends Error {
  /** What it wrote, both streams. */
  readonly output: string

  constructor(command: string, output: string) {
    super(`${command}\n${output}`)
    this.output = output
  }
}

/** How a command is run. */
export interface RunOptions {
  /** Laid over this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Milliseconds until it is killed. Defaults to three minutes, since the machine may be busy. */
  readonly timeout?: number
}

/**
 * Runs a command to its end.
 *
 * @returns What it wrote to its standard output, and both streams together.
 * @throws CommandError if it fails or takes too long.
 */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  { env, timeout = DEFAULT_TIMEOUT_MS }: RunOptions = {},
): Promise<{ stdout: string; output: string }> {
  try {
    const { stdout, stderr } = await exec(command, args, {
      cwd,
      timeout,
      env: { ...process.env, ...env },
      maxBuffer: 2 ** 24,
    })
    return { stdout, output: `${stdout}${stderr}` }
  } catch (error) {
    const { stdout = '', stderr = '', killed = false } = Object(error)
    const how = killed ? `took more than ${timeout / 1000} s` : 'failed'
    throw new CommandError(`${command} ${args.join(' ')} ${how}`, `${stdout}${stderr}`)
  }
}

/** Runs a script on this Node. */
export function node(args: readonly string[], cwd: string, options?: RunOptions) {
  return run(process.execPath, args, cwd, options)
}
