import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsdown'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Runs a file in a process of its own, built as the package is: a loader that compiles on the fly adds calls of its own to
 * every function.
 *
 * @param entry - The file, from the repository's root.
 * @returns The exit code.
 */
export async function runBuilt(entry: string): Promise<number> {
  const outDir = join(root, 'node_modules', '.cache', `reqtrack-${entry.replace(/\W/g, '-')}`)
  await build({
    config: false,
    cwd: root,
    entry: { main: join(root, entry) },
    outDir,
    format: 'esm',
    platform: 'node',
    fixedExtension: true,
    dts: false,
    skipNodeModulesBundle: true,
    logLevel: 'warn',
    report: false,
  })
  return spawnSync(process.execPath, [join(outDir, 'main.mjs')], { stdio: 'inherit' }).status ?? 1
}
