import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsdown'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Where the suite keeps what it makes. */
export const cache = join(root, 'node_modules', '.cache', 'reqtrack-bench')

/**
 * Builds the suite's child processes as the package itself is built: a loader that compiles on the fly adds calls of its
 * own to every function, and other versions of Node have none.
 *
 * @param entries - Files of this folder by the name of their process.
 * @param folder - Where they are built, under {@link cache}.
 * @returns The built file of each.
 */
export async function bundle<N extends string>(
  entries: Readonly<Record<N, string>>,
  folder = 'built',
): Promise<Record<N, string>> {
  const outDir = join(cache, folder)
  await build({
    config: false,
    cwd: root,
    entry: Object.fromEntries(
      Object.entries<string>(entries).map(([name, file]) => [name, join(root, 'bench', file)]),
    ),
    outDir,
    format: 'esm',
    platform: 'node',
    fixedExtension: true,
    dts: false,
    skipNodeModulesBundle: true,
    logLevel: 'warn',
    report: false,
  })
  const names = Object.keys(entries) as N[]
  return Object.fromEntries(names.map((name) => [name, join(outDir, `${name}.mjs`)])) as Record<N, string>
}
