// Follows the documentation as a person does: in an empty project with the packed package, each page's commands, files
// and parts in their order. What docs-check.ts proves of the blocks, with the repository around them, this proves of what
// a reader has: nothing is there that the page, or docs/README.md, does not say.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPages } from './docs/pages.js'
import { deedsOf } from './docs/paste/deeds.js'
import { yours } from './docs/paste/merge.js'
import { type Followed, follow } from './docs/paste/person.js'
import { makeProject, makeWorkshop } from './docs/paste/project.js'
import { unknownNames } from './docs/paste/unknown-names.js'
import { startRedisFor } from './docs/redis.js'
import { run } from './run-command.js'

const AT_ONCE = 3

const started = performance.now()
const [, , ...only] = process.argv
const pages = readPages().filter(({ path, blocks }) => isFollowed(path) && blocks.length > 0)
const begin = pages.find(({ path }) => path === 'docs/getting-started.md')
const first = begin && deedsOf(begin).find((deed) => deed.kind === 'type')
const application = begin && deedsOf(begin).find((deed) => deed.kind === 'save')
if (first?.kind !== 'type' || application?.kind !== 'save')
  throw new Error('Getting started does not begin with an install and a file')

const folder = mkdtempSync(join(tmpdir(), 'reqtrack-paste-'))
const chosen = pages.filter(({ path }) => only.length === 0 || only.includes(path))
const redis = await startRedisFor(chosen.filter(({ text }) => text.includes('process.env.REDIS_URL')).length)
try {
  const workshop = await makeWorkshop(folder)
  const template = makeProject(workshop, 'template')
  // What npx fetches by itself, what editors know of Node, and what comes with the package: npm places it beside.
  const commands = `${first.text}\nnpm install tsx @types/node @segment/analytics-node @walkeros/core\n`
  await run('bash', ['-e', '-c', commands], template.folder, { env: template.env })
  const followed: Followed[] = []
  const waiting = [...chosen].sort((a, b) => b.blocks.length - a.blocks.length)
  const work = async () => {
    for (let page = waiting.shift(); page; page = waiting.shift()) {
      const project = makeProject(workshop, page.path.replace(/\W+/g, '-'))
      cpSync(join(template.folder, 'shop'), project.folder, { recursive: true, verbatimSymlinks: true })
      writeFileSync(join(project.folder, 'yours.ts'), yours)
      followed.push(await follow(page, project, application.text))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  const versions = followed.flatMap((each) => each.versions)
  const problems = [...followed.flatMap((each) => each.problems), ...unknownNames(versions)]
  for (const { page, line, message } of problems) console.error(`${page}:${line}: ${message}\n`)
  const sum = (count: (each: Followed) => number) => followed.reduce((total, each) => total + count(each), 0)
  console.log(
    `${chosen.length} pages followed, ${sum((each) => each.applications)} applications and ${versions.length} parts started, ` +
      `${sum((each) => each.compared)} results compared: ${problems.length} problems ` +
      `(${((performance.now() - started) / 1000).toFixed(0)} s)`,
  )
  process.exitCode = problems.length === 0 ? 0 : 1
} finally {
  await redis?.stop()
  rmSync(folder, { recursive: true, force: true })
}

/** The pages for users. */
function isFollowed(path: string): boolean {
  return path === 'README.md' || path.startsWith('docs/')
}
