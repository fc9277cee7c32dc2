// What a start loads and leaves behind, imported and required: nothing that an application may never need.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What is loaded when it is first used, if ever. */
const LATER = ['@segment/analytics-node', 'zod', 'ajv', 'classic-level', 'cls-hooked']

/** The doors of the entries, what they share, and the helpers of the build. */
const MOST_FILES = 10

const entries = ['reqtrack', 'reqtrack/express', 'reqtrack/koa']
const create = "createTracking({ settings: { writeKey: 'start' } })"
const starts = {
  import: `Object.assign({}, ...(await Promise.all(${JSON.stringify(entries)}.map((entry) => import(entry))))).${create}`,
  require: `Object.assign({}, ...${JSON.stringify(entries)}.map((entry) => require(entry))).${create}`,
}

const directory = mkdtempSync(join(tmpdir(), 'reqtrack-start-'))

/** Runs a start in a process of its own. Node's hooks see the modules that are imported, its cache has those that are required. */
function run(start) {
  const list = join(directory, 'imported')
  const hooks = `
    import { appendFileSync } from 'node:fs'
    export async function load(url, context, next) {
      appendFileSync(${JSON.stringify(list)}, url + '\\n')
      return next(url, context)
    }`
  const script = `
    require('node:module').register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}))
    const before = Object.keys(globalThis)
    const start = async () => {
      ${start}
      const globals = Object.keys(globalThis).filter((name) => !before.includes(name))
      console.log(JSON.stringify({ globals, required: Object.keys(require.cache) }))
    }
    start()`
  rmSync(list, { force: true })
  const { globals, required } = JSON.parse(
    execFileSync(process.execPath, ['--eval', script], { encoding: 'utf8' }),
  )
  const imported = start === starts.import ? readFileSync(list, 'utf8').split('\n') : []
  return { globals: globals.sort(), files: [...imported, ...required] }
}

for (const kind of ['import', 'require']) {
  const started = run(starts[kind])
  const packages = new Set(
    started.files.map((file) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]),
  )
  assert.ok(packages.has('reqtrack'), `${kind}: nothing was listed`)
  const own = started.files.filter((file) => /node_modules\/reqtrack\/dist\/.*\.c?js$/.test(file))
  assert.ok(own.length <= MOST_FILES, `${kind}: a start reads ${own.length} files: ${own}`)
  const wide = own.filter((file) => /[^\0-\xff]/.test(readFileSync(file.replace('file://', ''), 'utf8')))
  assert.deepEqual(wide, [], `${kind}: V8 keeps these files with two bytes a character`)
  const early = LATER.filter((name) => packages.has(name))
  assert.deepEqual(early, [], `${kind}: a start loads what comes later`)
  assert.deepEqual(started.globals, [], `${kind}: a start makes globals`)
}
rmSync(directory, { recursive: true })
