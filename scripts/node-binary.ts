import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './entries.js'

/** The major versions of Node that are supported. */
export const SUPPORTED_NODES = ['20', '22', '24', '26']

/** @returns The binary of a major version of Node, which npm installs where it is not there yet. */
export function nodeBinary(version: string): string {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  const name = `node-${platform}-${process.arch}`
  const directory = join(root, 'node_modules/.cache/node', version)
  const binary = join(directory, 'node_modules', name, 'bin', platform === 'win' ? 'node.exe' : 'node')
  if (!existsSync(binary)) {
    execFileSync(
      'npm',
      ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', directory, `${name}@${version}`],
      { stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' },
    )
  }
  return binary
}
