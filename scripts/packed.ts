import { join } from 'node:path'
import { readPage } from './docs/pages.js'
import { commandEntries, libraryEntries, root } from './entries.js'
import { checkFiles } from './package-files.js'
import { packedLinkProblems } from './packed-links.js'
import { run } from './run-command.js'

/** What `npm publish` would send. */
export interface Packed {
  /** The file. */
  readonly tarball: string
  readonly fileCount: number
  /** Bytes, compressed. */
  readonly size: number
}

/**
 * Packs what was built, as `npm publish` does after its build.
 *
 * @param directory - Where to.
 * @throws If a file is missing or does not belong there, or a page in the package links to what is not in it.
 */
export async function packBuilt(directory: string): Promise<Packed> {
  const { stdout } = await run(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', directory],
    root,
  )
  const [packed]: { filename: string; size: number; files: { path: string }[] }[] = JSON.parse(stdout)
  if (!packed) throw new Error(`npm pack made nothing: ${stdout}`)
  const files = packed.files.map((file) => file.path)
  checkFiles(files, libraryEntries(), commandEntries())
  const problems = packedLinkProblems(files, readPage)
  if (problems.length > 0) throw new Error(`links of packed pages lead nowhere:\n${problems.join('\n')}`)
  return { tarball: join(directory, packed.filename), fileCount: packed.files.length, size: packed.size }
}
