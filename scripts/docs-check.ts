// Proves the documentation: every TypeScript block compiles and runs, every link leads somewhere, generated parts are as
// the sources have them. With `--update`, what blocks really print is written into the pages.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkTypes } from './docs/compile.js'
import { checkGenerated } from './docs/generated.js'
import { checkLinks } from './docs/links.js'
import { modulesOf, outsideNames } from './docs/modules.js'
import { readPages } from './docs/pages.js'
import type { Problem } from './docs/problem.js'
import { startRedisFor } from './docs/redis.js'
import { needsRedis, type PageRun, runPages } from './docs/run.js'
import { root } from './entries.js'
import { ensureInspectorPage } from './inspector-page.js'

const standIns = join(root, 'scripts', 'docs', 'stand-ins.ts')
const [, , ...args] = process.argv
const isUpdate = args.includes('--update')
const only = args.filter((arg) => !arg.startsWith('-'))

/** Pages whose applications are shown in parts, which belong together. */
const inParts = new Set(['docs/nestjs.md', 'docs/other-places.md'])

const pages = readPages()
const chosen = pages.filter(({ path }) => only.length === 0 || only.includes(path))
const outside = outsideNames(standIns)
const modules = chosen.flatMap((page) => modulesOf(page.blocks, outside, !inParts.has(page.path)))

await ensureInspectorPage()
const redis = await startRedisFor(modules.filter(needsRedis).length)
const running = runPages(chosen, modules, standIns)
const problems: Problem[] = [
  ...(await checkGenerated(pages)),
  ...checkLinks(pages),
  ...checkTypes(modules, standIns),
]
const runs = await running
await redis?.stop()
problems.push(...runs.flatMap((run) => run.problems))
if (isUpdate) runs.forEach(correct)

for (const { page, line, message } of problems) console.error(`${page}:${line}: ${message}\n`)
const ran = runs.reduce((total, run) => total + run.ran, 0)
console.log(
  `${pages.length} pages, ${modules.length} blocks compiled, ${ran} run: ${problems.length} problems`,
)
process.exitCode = problems.length === 0 ? 0 : 1

/** Writes into a page what came of its blocks. */
function correct({ page, corrections }: PageRun): void {
  if (corrections.size === 0) return
  const lines = readFileSync(join(root, page.path), 'utf8').split('\n')
  for (const [line, actual] of [...corrections].sort(([a], [b]) => b - a)) {
    const block = page.blocks.find((candidate) => candidate.line === line)
    if (block) lines.splice(line - 1, block.text.split('\n').length - 1, ...actual.trimEnd().split('\n'))
  }
  writeFileSync(join(root, page.path), lines.join('\n'))
}
