import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Entry, readManifest, root } from './entries.js'

/** Beside the code: what a package tells about itself. */
const DOCUMENTS = [
  'package.json',
  'README.md',
  'LICENSE',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'dist/walkerOS.json',
  'dist/config.schema.json',
]
/** The pages and what they show: links lead to each other in the package, too. */
const PAGES =
  /^(?:docs\/[\w-]+\.md|docs\/images\/[\w-]+\.(?:png|svg)|examples\/[\w/.-]+\.(?:ts|js|css|json))$/
const REQUIRED_DOCUMENTS = ['package.json', 'README.md', 'LICENSE']
/** The walkerOS types that the declarations refer to; walkeros-declarations.ts makes them. */
const ROLLED_UP = 'dist/walkeros-core.d.cts'

/**
 * Compares the tarball's files with what belongs in it: each entry in both module kinds, what entries share, and the
 * declarations of sources.
 *
 * @param files - Paths below the package's directory.
 * @throws If a file is missing, or does not belong there.
 */
export function checkFiles(
  files: readonly string[],
  library: readonly Entry[],
  commands: readonly Entry[],
): void {
  const required = [
    ...REQUIRED_DOCUMENTS,
    ROLLED_UP,
    ...library.flatMap(({ stem }) =>
      ['js', 'cjs', 'd.ts', 'd.cts'].map((extension) => `dist/${stem}.${extension}`),
    ),
    ...commands.map(({ stem }) => `dist/${stem}.js`),
    ...ownImports(),
  ]
  const missing = required.filter((file) => !files.includes(file))
  const allowed = new Set([...required, ...DOCUMENTS])
  const unexpected = files.filter(
    (file) =>
      !allowed.has(file) && !PAGES.test(file) && !isCode(file, allowed) && !isDeclarationOfSource(file),
  )
  if (missing.length > 0) throw new Error(`missing in the package: ${missing.join(', ')}`)
  if (unexpected.length > 0) throw new Error(`does not belong in the package: ${unexpected.join(', ')}`)
}

/** The files that the package imports by a name of its own. */
function ownImports(): string[] {
  const targets = Object.values(readManifest().imports).flatMap((conditions) => Object.values(conditions))
  return targets.map((target) => target.replace(/^\.\//, ''))
}

/** A file that entries share, or the source map of either. */
function isCode(file: string, allowed: ReadonlySet<string>): boolean {
  const code = file.replace(/\.map$/, '')
  return /^dist\/chunks\/[\w-]+\.c?js$/.test(code) || (code !== file && allowed.has(code))
}

function isDeclarationOfSource(file: string): boolean {
  const stem = /^dist\/(.+)\.d\.cts$/.exec(file)?.[1]
  return stem !== undefined && existsSync(join(root, 'src', `${stem}.ts`))
}
