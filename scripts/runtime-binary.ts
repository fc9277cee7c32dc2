import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './entries.js'

interface RuntimePackage {
  /** The major version that is installed. */
  readonly version: string
  /** Where the package has its binary, below `node_modules`. */
  readonly file: string
  /** What its command line wants before a script. */
  readonly parameters: readonly string[]
}

/** The runtimes beside Node, as npm has them. */
const RUNTIMES = {
  bun: { version: '1', file: 'bun/bin/bun.exe', parameters: [] },
  deno: {
    version: '2',
    file: `deno/deno${process.platform === 'win32' ? '.exe' : ''}`,
    parameters: ['run', '--allow-all', '--no-prompt'],
  },
} as const satisfies Record<string, RuntimePackage>

export type Runtime = keyof typeof RUNTIMES

export const RUNTIME_NAMES: readonly Runtime[] = ['bun', 'deno']

/** How a script is run. */
export interface RuntimeCommand {
  readonly binary: string
  readonly parameters: readonly string[]
  /** The runtime and its version, for people. */
  readonly version: string
}

/**
 * Finds a runtime. Where it is not there yet it is installed from npm beside the dependencies: its binary has a hundred
 * megabytes, which nobody needs who only runs the tests.
 *
 * @returns `undefined`, after a line that says why, where npm has none for this platform or cannot be reached.
 */
export function findRuntime(name: Runtime): RuntimeCommand | undefined {
  const { version, file, parameters } = RUNTIMES[name]
  const directory = join(root, 'node_modules/.cache', name)
  const binary = join(directory, 'node_modules', file)
  try {
    if (!existsSync(binary)) install(directory, `${name}@${version}`)
    const said = execFileSync(binary, ['--version'], { encoding: 'utf8' }).split('\n', 1)[0] ?? ''
    return { binary, parameters, version: said.startsWith(name) ? said : `${name} ${said}` }
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
    console.log(`${name} cannot be had here, and what it would run is left out: ${why}`)
    return undefined
  }
}

function install(directory: string, specifier: string): void {
  console.log(`${specifier} comes from npm, into ${directory}`)
  execFileSync(
    'npm',
    [
      'install',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts=false',
      '--prefix',
      directory,
      specifier,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], shell: process.platform === 'win32' },
  )
}
