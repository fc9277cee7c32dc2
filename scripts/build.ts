import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build, type InlineConfig } from 'tsdown'
import { writeDeclarations } from './declarations.js'
import { commandEntries, type Entry, libraryEntries, root } from './entries.js'
import { ensureInspectorPage } from './inspector-page.js'

const dist = join(root, 'dist')
const library = libraryEntries()
const commands = commandEntries()

const shared: InlineConfig = {
  config: false,
  cwd: root,
  outDir: dist,
  clean: false,
  platform: 'node',
  fixedExtension: false,
  hash: false,
  sourcemap: true,
  // The compiler writes them: see declarations.ts.
  dts: false,
  // `import.meta.url` in CommonJS.
  shims: true,
  // Requiring works from Node 20.19 on, yet not in Jest, which many users test with.
  checks: { legacyCjs: false },
  // What other packages export has to be imported from them, not copied into this one.
  skipNodeModulesBundle: true,
  logLevel: 'warn',
  report: false,
  failOnWarn: true,
}

await ensureInspectorPage()
rmSync(dist, { recursive: true, force: true })
await build({
  ...shared,
  format: 'esm',
  entry: byStem([...library, ...commands]),
  outputOptions: chunks('js'),
})
await build({ ...shared, format: 'cjs', entry: byStem(library), outputOptions: chunks('cjs') })
await writeDeclarations(library, commands, dist)
runIfPresent('scripts/walkeros-json.ts')

function byStem(entries: readonly Entry[]): Record<string, string> {
  return Object.fromEntries(entries.map(({ stem, source }) => [stem, source]))
}

/** What entries share is in files of its own, so that no module is there twice. */
function chunks(extension: string): InlineConfig['outputOptions'] {
  return { chunkFileNames: `chunks/[name].${extension}`, exports: 'named', esModule: true }
}

function runIfPresent(script: string): void {
  if (!existsSync(join(root, script))) return
  const { status } = spawnSync(process.execPath, ['--import', 'tsx', script], { cwd: root, stdio: 'inherit' })
  if (status !== 0) throw new Error(`${script} failed`)
}
