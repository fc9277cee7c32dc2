import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const sources = {
  reqtrack: '../../src/index.ts',
  'reqtrack/express': '../../src/frameworks/express.ts',
  'reqtrack/koa': '../../src/frameworks/koa.ts',
  'reqtrack/relay': '../../src/relay/index.ts',
}

/** Packages that an application may never need. */
const LATER = /node_modules\/(@segment|zod|ajv|classic-level|cls-hooked)\//

/** Imports modules in a process of its own. Gives the addresses of all that were loaded, and the new enumerable globals. */
async function loadedBy(specifiers: readonly string[]): Promise<{ urls: string[]; globals: string[] }> {
  const hooks = `
    let port
    export const initialize = (given) => { port = given }
    export const load = (url, context, next) => {
      port.postMessage(url)
      return next(url, context)
    }`
  const script = `
    import { register } from 'node:module'
    import { setImmediate } from 'node:timers/promises'
    const { port1, port2 } = new MessageChannel()
    const urls = []
    port1.on('message', (url) => urls.push(url)).unref()
    const hooks = 'data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)})
    register(hooks, { data: port2, transferList: [port2] })
    const before = Object.keys(globalThis)
    for (const specifier of ${JSON.stringify(specifiers)}) await import(specifier)
    const globals = Object.keys(globalThis).filter((name) => !before.includes(name))
    await setImmediate()
    console.log(JSON.stringify({ urls, globals }))`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 })
  return JSON.parse(stdout)
}

describe('importing the package', () => {
  it.each(Object.entries(sources))('%s loads nothing that comes later', async (_name, source) => {
    const { urls } = await loadedBy([fileURLToPath(new URL(source, import.meta.url))])
    expect(urls.filter((url) => url.endsWith(source.slice('../..'.length)))).toHaveLength(1)
    expect(urls.filter((url) => LATER.test(url))).toEqual([])
  })

  it('reqtrack/relay loads nothing of what requests need', async () => {
    const { urls } = await loadedBy([fileURLToPath(new URL(sources['reqtrack/relay'], import.meta.url))])
    expect(
      urls.filter((url) => /\/src\/(frameworks|request|tracker|context|plan|collect|inspector)\//.test(url)),
    ).toEqual([])
  })

  it('makes no globals', async () => {
    const own = Object.values(sources).map((source) => fileURLToPath(new URL(source, import.meta.url)))
    expect((await loadedBy(own)).globals).toEqual([])
  })
})
