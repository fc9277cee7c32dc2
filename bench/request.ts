import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'tsdown'

// What reading a request costs. It is measured in a process of its own, and built as the package is: a loader that
// compiles on the fly adds calls of its own to every function.

const root = fileURLToPath(new URL('..', import.meta.url))
const outDir = join(root, 'node_modules', '.cache', 'reqtrack-bench-request')

await build({
  config: false,
  cwd: root,
  entry: { reading: join(root, 'bench/request/reading.ts') },
  outDir,
  format: 'esm',
  platform: 'node',
  fixedExtension: true,
  dts: false,
  skipNodeModulesBundle: true,
  logLevel: 'warn',
  report: false,
})
const { status } = spawnSync(process.execPath, [join(outDir, 'reading.mjs')], { stdio: 'inherit' })
process.exitCode = status ?? 1
