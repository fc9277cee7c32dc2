// An application under load, as a process of its own: tracks at a rate until it is told to stop, or is killed.
import { subscribe } from 'node:diagnostics_channel'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTracking, type TrackingConfig } from '../../src/index.js'

/** What the load is to be. */
export interface LoadOptions {
  readonly segment: string
  readonly settings?: Partial<TrackingConfig['settings']>
  readonly delivery?: TrackingConfig['delivery']
  /** The outbox's directory, if it has one. */
  readonly outbox?: string
  /** Events a second. */
  readonly rate: number
  /** Milliseconds that the shutdown may take. */
  readonly shutdownMs: number
}

/** What the load tells, a line of JSON each. */
export type Told =
  /** Calls were made: their messageIds. */
  | { readonly made: readonly string[] }
  /** The process ends by itself. */
  | {
      readonly stats: ReturnType<ReturnType<typeof createTracking>['stats']>
      readonly kept: number
      readonly peakMb: number
    }

const TICK_MS = 50
const options: LoadOptions = JSON.parse(process.env.LOAD ?? '{}')
const outbox = options.outbox
  ? (await import('../../src/outbox-file.js')).fileOutbox({ directory: options.outbox })
  : undefined
const tracking = createTracking({
  settings: {
    writeKey: 'test-key',
    host: options.segment,
    flushAt: 50,
    flushInterval: 200,
    ...options.settings,
  },
  request: {
    userId: ({ headers }) => String(headers['x-user']),
    anonymousId: () => undefined,
    context: false,
  },
  delivery: { ...options.delivery, ...(outbox && { outbox }) },
  logger: { handler: () => {} },
})

let made: string[] = []
subscribe('reqtrack:dispatch', (message) => {
  const { call } = message as { call: { params: { messageId: string } } }
  made.push(call.params.messageId)
})
const tell = (told: Told) => process.stdout.write(`${JSON.stringify(told)}\n`)

let count = 0
const server = createServer((req, res) => {
  const tracker = tracking.handle(req, res)
  for (let left = Number(req.headers['x-count']); left > 0; left--) {
    tracker.track('order complete', { count: count++, text: 'x'.repeat(400) })
  }
  res.end()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo

let peakMb = 0
let due = 0
const ticks = setInterval(() => {
  due += (options.rate * TICK_MS) / 1_000
  const some = Math.floor(due)
  due -= some
  if (some > 0) {
    get({ port, host: '127.0.0.1', headers: { 'x-count': some, 'x-user': `u-${count % 97}` } }, (res) =>
      res.resume(),
    )
  }
  if (made.length > 0) tell({ made })
  made = []
  peakMb = Math.max(peakMb, process.memoryUsage().heapUsed / 1024 / 1024)
}, TICK_MS)

async function end(): Promise<void> {
  clearInterval(ticks)
  server.close()
  server.closeIdleConnections()
  const { kept } = await tracking.shutdown({ timeout: options.shutdownMs })
  if (made.length > 0) tell({ made })
  tell({ stats: tracking.stats(), kept, peakMb: Math.round(peakMb) })
  process.exit(0)
}
process.once('SIGTERM', () => void end())
