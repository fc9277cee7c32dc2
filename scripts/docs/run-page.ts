// Runs the blocks of one page: a process of its own, told what to do by run.ts.
import { setTimeout } from 'node:timers/promises'
import express from 'express'
import type { TrackingConfig } from '../../src/config/config.js'
import { trackingConfigSchema } from '../../src/config/schema.js'
import { expressTracking } from '../../src/frameworks/express.js'
import { createSegmentServer, formatCall, recordTracking } from '../../src/testing/index.js'
import { readCurl } from './curl.js'
import { matches } from './matches.js'
import { captureOutput, portOf, redirectConnect, redirectFetch, redirectListen } from './surroundings.js'

/** What is to be done, in order, at a line of the page. */
export type Step = { readonly line: number } & (
  | { readonly kind: 'module'; readonly url: string; readonly throws: boolean }
  /** The `curl` lines of a shell block. */
  | { readonly kind: 'requests'; readonly text: string }
  /** What the page says came of it. */
  | { readonly kind: 'expected'; readonly what: Outcome; readonly text: string }
)

/** What can be compared: the calls that arrived, what was printed, what was thrown. */
export type Outcome = 'calls' | 'output' | 'error'

/** What is told of it. */
export type Told =
  | { readonly kind: 'at'; readonly line: number }
  | { readonly kind: 'problem'; readonly line: number; readonly message: string; readonly actual?: string }
  | { readonly kind: 'done' }

/** For what happens elsewhere, such as a worker's job. */
const WAIT_MS = 2_000

type Exported = Readonly<Record<string, unknown>>
type Handler = (...args: unknown[]) => unknown

const tell = (told: Told) => process.send?.(told)
const exit = process.exit.bind(process)

const segment = await createSegmentServer()
process.env.SEGMENT_HOST = segment.url
redirectFetch(segment.url)
const servers = redirectListen()
redirectConnect(servers)
const output = captureOutput()
// Loaded when all of this is in place.
const { settled, shutDown } = await import('./redirected.js')

let line = 1
/** What the last block threw. */
let thrown: string | undefined
/** What the page tracks where a block shows a configuration and no application. */
let handler: unknown
/** What the last block exports, until a request is made of what it has started. */
let exported: Exported = {}

process.on('unhandledRejection', (error) => tell({ kind: 'problem', line, message: wordsOf(error) }))
process.on('message', (steps: Step[]) => {
  void runAll(steps)
})

async function runAll(steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    line = step.line
    tell({ kind: 'at', line })
    try {
      await run(step)
    } catch (error) {
      tell({ kind: 'problem', line, message: wordsOf(error) })
    }
  }
  await shutDown()
  await segment.close()
  tell({ kind: 'done' })
  process.disconnect?.()
  exit(0)
}

async function run(step: Step): Promise<void> {
  switch (step.kind) {
    case 'module':
      return runModule(step.url, step.throws)
    case 'requests':
      return sendAll(step.text)
    case 'expected': {
      const actual = await expectedOf(step.what, step.text.trimEnd())
      if (actual === undefined) return
      tell({ kind: 'problem', line, message: `really is:\n${actual}`, actual })
    }
  }
}

async function runModule(url: string, throws: boolean): Promise<void> {
  await settled()
  segment.clear()
  output.clear()
  exported = {}
  thrown = undefined
  try {
    exported = await import(url)
    handler = exported.handler ?? handler
  } catch (error) {
    if (!throws) throw error
    thrown = wordsOf(error)
    return
  }
  if (throws) throw new Error('the page says that this throws, and it does not')
}

async function sendAll(text: string): Promise<void> {
  output.clear()
  exported = {}
  for (const { url, init } of readCurl(text)) {
    const server = servers.get(Number(url.port))
    if (!server) throw new Error(`nothing of this page listens on port ${url.port}`)
    url.port = String(await portOf(server))
    const response = await fetch(url, init)
    output.add(await response.text())
  }
}

/**
 * Waits for what the page says: a queue's worker and a socket's messages have their time.
 *
 * @returns What really came, if that is something else.
 */
async function expectedOf(what: Outcome, text: string): Promise<string | undefined> {
  for (const end = performance.now() + WAIT_MS; ; ) {
    const actual = (await outcomeOf(what)).trimEnd()
    if (matches(text, actual)) return undefined
    if (performance.now() > end) return actual
    await setTimeout(25)
  }
}

async function outcomeOf(what: Outcome): Promise<string> {
  if (what === 'error') return thrown ?? 'nothing was thrown'
  const config = what === 'calls' ? configOf(exported) : undefined
  if (config && isHandler(handler)) return callsOfExample(config, handler)
  await settled()
  return what === 'output' ? output.text() : segment.calls.map(formatCall).join('\n')
}

/** The parts of a configuration that a block declares, by their names; none if it has neither these nor a handler. */
function configOf(exported: Exported): Partial<TrackingConfig> | undefined {
  const parts = Object.keys(trackingConfigSchema.members).filter((key) => exported[key] !== undefined)
  if (parts.length === 0 && exported.handler === undefined) return undefined
  return Object.fromEntries(parts.map((key) => [key, exported[key]]))
}

/** What the page's handler comes to with a configuration: its calls, and what was dropped. */
async function callsOfExample(config: Partial<TrackingConfig>, handle: Handler): Promise<string> {
  const recorded = recordTracking(config)
  const app = express()
  app.use(expressTracking(recorded))
  app.get('/', (req, res) => {
    Object.assign(req, { user: { id: 'u-1' } })
    handle(req, res)
    if (!res.writableEnded) res.end()
  })
  const server = app.listen(0)
  const port = await portOf(server)
  await fetch(`http://localhost:${port}`, { headers: { cookie: 'ajs_anonymous_id=a-1' } })
  await recorded.settled()
  server.close()
  const drops = recorded.drops.map(({ event, reason }) => `dropped   ${event.name}  ${reason}`)
  return [...recorded.calls.map(formatCall), ...drops].join('\n')
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function'
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
