import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Browser, BrowserContext } from 'playwright-core'
import { launchChromium } from '../inspector/browser.js'
import { requestWith } from '../request/consent-request.js'
import type { Library, State } from './library.js'
import type { Installed } from './packages.js'

/** A name for which libraries may set cookies, on every level. Chromium is told that it is this machine. */
const HOST = 'www.shop.example'
const TIMEOUT_MS = 20_000
const STATE_MS = 60_000

/** What came of a state. */
export interface Result {
  /** The `Cookie` header that the server got. */
  readonly header: string
  readonly expected: unknown
  readonly read: unknown
}

/** A server with the libraries' pages, and a browser for their visitors. */
export interface Stage {
  readonly play: (library: Library, state: State) => Promise<Result>
  readonly close: () => Promise<void>
}

/** Starts the server and the browser. */
export async function openStage(installed: Installed): Promise<Stage> {
  const pages = new Map<string, string>()
  const making = new Map<string, Promise<void>>()
  const headers = new Map<string, string>()
  const server = createServer((req, res) => answer(req, res, { pages, headers, modules: installed.modules }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port }: AddressInfo = Object(server.address())
  const origin = `http://${HOST}:${port}`
  const browser = await launchChromium([`--host-resolver-rules=MAP ${HOST} 127.0.0.1`])
  return {
    play: async (library, state) => {
      const path = `/${library.packages[0].as ?? library.packages[0].name}`
      const made = making.get(path) ?? pageOf(library, installed).then((page) => void pages.set(path, page))
      making.set(path, made)
      await made
      return inTime(play({ browser, origin, path, headers }, library, state))
    },
    close: async () => {
      await browser.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A page can wait for itself without an end. */
function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`took longer than ${STATE_MS} ms`)), STATE_MS)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

interface Served {
  readonly pages: ReadonlyMap<string, string>
  /** The last `Cookie` header of each path. */
  readonly headers: Map<string, string>
  readonly modules: string
}

function answer(req: IncomingMessage, res: ServerResponse, { pages, headers, modules }: Served): void {
  const { pathname } = new URL(req.url ?? '/', `http://${HOST}`)
  const page = pages.get(pathname)
  headers.set(pathname, req.headers.cookie ?? '')
  if (page !== undefined) res.setHeader('content-type', 'text/html; charset=utf-8').end(page)
  else if (pathname.startsWith('/modules/')) sendFile(res, join(modules, pathname.slice('/modules/'.length)))
  // Whatever libraries tell their own servers, they tell this one.
  else res.setHeader('content-type', 'application/json').end('{}')
}

function sendFile(res: ServerResponse, file: string): void {
  const type = file.endsWith('.css') ? 'text/css' : 'text/javascript'
  res.setHeader('content-type', `${type}; charset=utf-8`)
  createReadStream(file)
    .on('error', () => res.writeHead(404).end())
    .pipe(res)
}

async function pageOf(library: Library, installed: Installed): Promise<string> {
  const loaded = library.scripts?.map((file) => `<script src="/modules/${file}"></script>`).join('\n')
  // An end tag inside of a script would end its element.
  const script =
    loaded ?? `<script>${(await installed.bundle(library)).replaceAll('</script', '<\\/script')}</script>`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>shop</title></head>
<body><h1>shop</h1>
<div id="root"></div>
<script>${library.before ?? ''}</script>
${script}
<script>window.ready = (async () => { ${library.setup} })()</script>
</body></html>`
}

interface Visit {
  readonly browser: Browser
  readonly origin: string
  readonly path: string
  readonly headers: ReadonlyMap<string, string>
}

async function play(visit: Visit, library: Library, state: State): Promise<Result> {
  const { browser, origin, path, headers } = visit
  const context = await browser.newContext()
  try {
    context.setDefaultTimeout(TIMEOUT_MS)
    await answerOthers(context, origin, library)
    const page = await context.newPage()
    const ready = () => page.evaluate('window.ready')
    await page.goto(origin + path)
    await ready()
    for (const step of state.steps) {
      await step(page)
      await ready()
    }
    const expected = typeof state.expected === 'function' ? await state.expected(page) : state.expected
    const asked = `/cookie/${randomUUID()}`
    await page.goto(origin + asked)
    const header = headers.get(asked) ?? ''
    return { header, expected, read: (state.reader ?? library.reader)(requestWith(header)) }
  } finally {
    await context.close()
  }
}

/** Nothing leaves this machine. */
async function answerOthers(
  context: BrowserContext,
  origin: string,
  { answers = {} }: Library,
): Promise<void> {
  await context.route(
    (url) => url.origin !== origin,
    (route) => {
      const url = route.request().url()
      const known = Object.entries(answers).find(([part]) => url.includes(part))
      return known
        ? route.fulfill({ json: known[1], headers: { 'access-control-allow-origin': '*' } })
        : route.abort()
    },
  )
}
