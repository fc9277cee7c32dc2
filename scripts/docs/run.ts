import { fork } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { libraryEntries, root } from '../entries.js'
import { toJavaScript } from './compile.js'
import { type BlockModule, nameOf, STAND_INS } from './modules.js'
import type { Page } from './pages.js'
import type { Problem } from './problem.js'
import type { Step, Told } from './run-page.js'

const FOLDER = join(root, 'node_modules', '.cache', 'reqtrack-docs')
/** A page's blocks take seconds; one that never ends is a fault. */
const TIMEOUT_MS = 60_000
const AT_ONCE = 2

/** What running a page came to. */
export interface PageRun {
  readonly page: Page
  readonly problems: readonly Problem[]
  /** What really came where the page says something else, by the line of the block. */
  readonly corrections: ReadonlyMap<number, string>
  /** How many blocks were run. */
  readonly ran: number
}

/** Runs the TypeScript blocks of pages, each page in a process of its own, against a local Segment endpoint. */
export async function runPages(
  pages: readonly Page[],
  modules: readonly BlockModule[],
  standIns: string,
): Promise<PageRun[]> {
  const waiting = pages.filter(({ path }) => modules.some(({ block }) => block.page === path))
  const runs: PageRun[] = []
  const work = async () => {
    for (let page = waiting.shift(); page; page = waiting.shift()) {
      const { path } = page
      const own = modules.filter(({ block }) => block.page === path)
      runs.push(await runPage(page, own, standIns))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return runs
}

async function runPage(page: Page, modules: readonly BlockModule[], standIns: string): Promise<PageRun> {
  const folder = join(FOLDER, `${nameOf(page.path)}-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  try {
    return await runSteps(page, stepsOf(page, modules, standIns, folder))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Writes the modules to a folder from which packages are found, and says what to do in which order. */
function stepsOf(page: Page, modules: readonly BlockModule[], standIns: string, folder: string): Step[] {
  const leftOut = new Set<string>()
  let isLeftOut = false
  return page.blocks.flatMap((block): Step[] => {
    const { language, words, line, text } = block
    const module = modules.find((candidate) => candidate.block === block)
    if (module) {
      isLeftOut = isWithoutRedis(module, leftOut)
      if (isLeftOut) leftOut.add(module.file)
      if (isLeftOut || isIncomplete(module)) return []
      const file = join(folder, module.file.replace(/\.mts$/, '.mjs'))
      writeFileSync(file, withFileUrls(toJavaScript(module), standIns))
      return [{ kind: 'module', line, url: pathToFileURL(file).href, throws: words.includes('throws') }]
    }
    // What a block has not done cannot be asked of it.
    if (isLeftOut) return []
    if (language === 'sh' && text.includes('curl ')) return [{ kind: 'requests', line, text }]
    const [what] = words
    if (language === 'text' && (what === 'calls' || what === 'output' || what === 'error')) {
      return [{ kind: 'expected', line, what, text }]
    }
    return []
  })
}

/** Where a comment such as `// … the application's own …` stands for code, the block is compiled and no more. */
function isIncomplete({ block }: BlockModule): boolean {
  return /^\s*\/\/ …/m.test(block.text)
}

/** Whether a block has to have a Redis: the one that is started for the check, at `REDIS_URL`. */
export function needsRedis({ block }: BlockModule): boolean {
  return block.text.includes('process.env.REDIS_URL')
}

/** Whether there is no Redis for it, or for a block that it takes something from. */
function isWithoutRedis(module: BlockModule, leftOut: ReadonlySet<string>): boolean {
  if (needsRedis(module) && process.env.REDIS_URL === undefined) return true
  return [...leftOut].some((file) => module.text.includes(`'./${file.replace(/\.mts$/, '.mjs')}'`))
}

/** Points imports of this package at its sources, and those of `reqtrack` at what keeps calls on this machine. */
function withFileUrls(javaScript: string, standIns: string): string {
  const places = new Map(libraryEntries().map(({ specifier, source }) => [specifier, source]))
  places.set('reqtrack', join(root, 'scripts', 'docs', 'redirected.ts'))
  places.set('reqtrack/outbox-file', join(root, 'scripts', 'docs', 'redirected-outbox.ts'))
  places.set(STAND_INS, standIns)
  return javaScript.replace(
    /(\bfrom\s+|\bimport\s*\(?\s*)(['"])([\w/-]+)\2/g,
    (whole, keyword: string, quote: string, specifier: string) => {
      const place = places.get(specifier)
      return place === undefined ? whole : `${keyword}${quote}${pathToFileURL(place).href}${quote}`
    },
  )
}

function runSteps(page: Page, steps: readonly Step[]): Promise<PageRun> {
  const problems: Problem[] = []
  const corrections = new Map<number, string>()
  const child = fork(join(root, 'scripts', 'docs', 'run-page.ts'), {
    cwd: root,
    env: { ...process.env, NODE_ENV: '', FORCE_COLOR: '0', SEGMENT_WRITE_KEY: 'test' },
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  return new Promise((resolve) => {
    let isDone = false
    let last = 1
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS)
    child.on('message', (told: Told) => {
      if (told.kind === 'at') last = told.line
      else if (told.kind === 'done') isDone = true
      else {
        problems.push({ page: page.path, line: told.line, message: told.message })
        if (told.actual !== undefined) corrections.set(told.line, told.actual)
      }
    })
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      if (!isDone)
        problems.push({ page: page.path, line: last, message: `its process ended here (${signal ?? code})` })
      const ran = steps.filter(({ kind }) => kind === 'module').length
      resolve({ page, problems, corrections, ran })
    })
    child.send(steps)
  })
}
