import { spawnSync } from 'node:child_process'
import { bundle } from './bundle.js'

/**
 * Runs a file of this folder in a process of its own, built as the package is.
 *
 * @param entry - The file, from this folder.
 * @returns The exit code.
 */
export async function runBuilt(entry: string): Promise<number> {
  const { main } = await bundle({ main: entry }, entry.replace(/\W/g, '-'))
  return spawnSync(process.execPath, [main], { stdio: 'inherit' }).status ?? 1
}
