// An application under load, as a process of its own: tracks at a rate until it is told to stop, or is killed.
import { subscribe } from 'node:diagnostics_channel'
import { writeSync } from 'node:fs'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileOutbox, type Outbox } from '../../src/delivery/outbox/file.js'
import {
  createTracking,
  type Health,
  type ShutdownReport,
  type TrackingConfig,
  type TrackingStats,
} from '../../src/index.js'
import { redisOutbox } from '../../src/redis/index.js'
import { fleetClient } from '../fleet/client.js'
import { laterClient } from '../fleet/later-client.js'
import { changed } from '../support/outboxes.js'
import { setClock } from './clock.js'

/** What the load is to be. */
export interface LoadOptions {
  readonly segment: string
  readonly settings?: Partial<TrackingConfig['settings']>
  readonly delivery?: TrackingConfig['delivery']
  /** The outbox's directory, if it has one. */
  readonly outbox?: string
  /** The Redis of its fleet, if it is one of a fleet. */
  readonly redis?: FleetRedis
  /** Events a second. */
  readonly rate: number
  /** Milliseconds that the shutdown may take. */
  readonly shutdownMs: number
  /** How far its clock is off, in milliseconds. */
  readonly clockMs?: number
}

/** How a process of a fleet uses its Redis. */
export interface FleetRedis {
  readonly url: string
  readonly library: string
  readonly claimAfter: number
  /** The ports of sentinels that know which Redis is the master, in place of the URL. */
  readonly sentinels?: readonly number[]
  /** The directory of a fallback. */
  readonly fallback?: string
  /** Whether calls are written as by a later version. Only with a library `redis`. */
  readonly isLater?: boolean
}

/** What the load tells, a line of JSON each. */
export type Told =
  /** It can be told to stop. */
  | { readonly ready: true }
  /** Calls were made: their messageIds, and when, in milliseconds since 1970. */
  | { readonly made: readonly string[]; readonly at: number }
  /** Calls are on disk. */
  | { readonly committed: readonly string[] }
  /** Segment has taken calls. */
  | { readonly delivered: readonly string[] }
  /** A call was given up. */
  | { readonly failed: string; readonly reason: string }
  /** `tracking.health()` says something new. */
  | { readonly health: Pick<Health, 'state' | 'lastError'> }
  /** The process ends by itself. */
  | { readonly end: LoadEnd }

/** What a load says at its end. */
export interface LoadEnd {
  readonly stats: TrackingStats
  readonly report: ShutdownReport
  /** The events that its handlers tracked. */
  readonly tracked: number
  /** What its health says last. */
  readonly lastError?: string
  /** The lines of its log, errors only. */
  readonly errors: readonly string[]
  /** The largest heap, in MB. */
  readonly peakMb: number
}

const TICK_MS = 50
const AN_HOUR_MS = 60 * 60 * 1_000
const options: LoadOptions = JSON.parse(process.env.LOAD ?? '{}')
if (options.clockMs) setClock(options.clockMs)
process.on('SIGUSR2', () => setClock(-AN_HOUR_MS))

/** `process.stdout` may still have something to write when the process exits. */
function tell(told: Told): void {
  let left = Buffer.from(`${JSON.stringify(told)}\n`)
  // A signal can cut a write short.
  while (left.length > 0) left = left.subarray(writeSync(1, left))
}
let made: string[] = []
let count = 0
let peakMb = 0
const errors: string[] = []
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
  delivery: {
    ...options.delivery,
    ...(options.outbox && { outbox: telling(fileOutbox({ directory: options.outbox })) }),
    ...(options.redis && { outbox: telling(await fleetOutbox(options.redis)) }),
  },
  logger: { level: 'ERROR', handler: (_level, message) => errors.push(message) },
  on: {
    shutdown: (report) => {
      // The last calls can be answered before their immediate has its turn.
      tellMade()
      tellDelivered()
      tell({
        end: {
          stats: tracking.stats(),
          report,
          tracked: count,
          lastError: tracking.health().lastError,
          errors,
          peakMb: Math.round(peakMb),
        },
      })
    },
  },
})

async function fleetOutbox(redis: FleetRedis): Promise<Outbox> {
  const { claimAfter, fallback, isLater } = redis
  const client = await fleetClient(redis)
  return redisOutbox({
    client: isLater ? laterClient(client) : client,
    claimAfter,
    ...(fallback && { fallback: fileOutbox({ directory: fallback, commitInterval: 0 }) }),
  })
}

/** An outbox that tells when a group of calls is on disk: what it has told by then has to survive. */
function telling(outbox: Outbox): Outbox {
  return changed(outbox, ({ write }) => ({
    async write(calls, room) {
      // A process that is killed right after it has written calls has told of them.
      tellMade()
      const taken = await write(calls, room)
      tell({ committed: calls.map(({ messageId }) => messageId) })
      return taken
    },
  }))
}

/** What is told of a call by the tracking's channels. */
interface Message {
  readonly call: { readonly params: { readonly messageId?: string } }
  readonly reason?: string
}
subscribe('reqtrack:dispatch', (message) => {
  if (made.push((message as Message).call.params.messageId ?? '') === 1) setImmediate(tellMade)
})
subscribe('reqtrack:failed', (message) => {
  const { call, reason = '' } = message as Message
  tell({ failed: call.params.messageId ?? '', reason })
})
let delivered: string[] = []
subscribe('reqtrack:delivered', (message) => {
  if (delivered.push((message as Message).call.params.messageId ?? '') === 1) setImmediate(tellDelivered)
})
function tellDelivered(): void {
  if (delivered.length === 0) return
  tell({ delivered })
  delivered = []
}
function tellMade(): void {
  if (made.length === 0) return
  tell({ made, at: performance.timeOrigin + performance.now() })
  made = []
}

const server = createServer((req, res) => {
  const tracker = tracking.handle(req, res)
  for (let left = Number(req.headers['x-count']); left > 0; left--) {
    tracker.track('order complete', { count: count++, text: 'x'.repeat(400) })
  }
  res.end()
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo

let due = 0
let lastHealth = ''
const ticks = setInterval(() => {
  due += (options.rate * TICK_MS) / 1_000
  const some = Math.floor(due)
  due -= some
  if (some > 0) {
    get({ port, host: '127.0.0.1', headers: { 'x-count': some, 'x-user': `u-${count % 97}` } }, (res) =>
      res.resume(),
    ).on('error', () => {})
  }
  peakMb = Math.max(peakMb, process.memoryUsage().heapUsed / 1024 / 1024)
  const { state, lastError } = tracking.health()
  if (`${state} ${lastError}` !== lastHealth) tell({ health: { state, lastError } })
  lastHealth = `${state} ${lastError}`
}, TICK_MS)

process.once('SIGTERM', () => clearInterval(ticks))
tracking.shutdownOnSignals({ server, timeout: options.shutdownMs })
tell({ ready: true })
