import { rm } from 'node:fs/promises'
import type { Fault, SegmentServer } from '../../src/testing/index.js'
import type { LoadOptions } from './load.js'
import type { Load } from './process.js'

/** What a case works with. */
export interface Stage {
  readonly segment: SegmentServer
  /** Starts an application; its calls are in the balance. */
  start(options?: Partial<LoadOptions>): Promise<Load>
  /** The outbox's directory, where the case runs with one. */
  readonly outbox: string | undefined
}

/** One fault, and what it does to an application under load. */
export interface Case {
  readonly name: string
  /** The events a second. */
  readonly rate: number
  readonly settings?: LoadOptions['settings']
  readonly delivery?: LoadOptions['delivery']
  /** What may be lost without an outbox, and why; nothing by default. */
  readonly mayLose?: string
  /** Only with an outbox. */
  readonly needsOutbox?: boolean
  /** Only in the long run. */
  readonly isLong?: boolean
  run(stage: Stage): Promise<void>
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** A while of a fault, between a while before and a while after it. */
function during(fault: Fault, ms = 4_000): Case['run'] {
  return async ({ segment, start }) => {
    const load = await start()
    await sleep(1_000)
    segment.respondWith(fault)
    await sleep(ms)
    segment.respondWith('ok')
    await sleep(1_000)
    await load.stop()
  }
}

/** Segment is away for so long. */
function outage(ms: number): Case['run'] {
  return async ({ segment, start }) => {
    const load = await start()
    await sleep(1_000)
    await segment.stop()
    await sleep(ms)
    await segment.start()
    await load.stop()
  }
}

/** The faults that a delivery has to survive. */
export const cases: readonly Case[] = [
  { name: 'no fault', rate: 200, run: during({ delay: 0 }) },
  { name: 'outage of 6 s', rate: 200, run: outage(6_000) },
  {
    name: 'outage of 60 s, 200 events/s',
    rate: 200,
    isLong: true,
    delivery: { maxPending: 20_000 },
    run: outage(60_000),
  },
  { name: 'outage of 10 min, 10 events/s', rate: 10, isLong: true, run: outage(600_000) },
  {
    name: 'flapping: 0.5 s up, 0.5 s away',
    rate: 200,
    async run({ segment, start }) {
      const load = await start()
      for (let times = 0; times < 6; times++) {
        await segment.stop()
        await sleep(500)
        await segment.start()
        await sleep(500)
      }
      await load.stop()
    },
  },
  { name: '500', rate: 200, run: during({ status: 500 }) },
  {
    name: '301 with Location',
    rate: 200,
    run: during({ status: 301, redirect: 'http://127.0.0.1:9/v1/batch' }),
  },
  { name: 'reset', rate: 200, run: during({ reset: true }) },
  { name: 'reset after Segment took the calls', rate: 200, run: during({ reset: true, record: true }) },
  { name: 'half an answer', rate: 200, run: during({ half: true }) },
  {
    name: 'slow loris: one byte each 100 ms',
    rate: 200,
    settings: { httpRequestTimeout: 1_000 },
    run: during({ drip: 100, record: false }),
  },
  {
    name: 'hanging connections',
    rate: 200,
    settings: { httpRequestTimeout: 1_000 },
    run: during({ hang: true }),
  },
  { name: '429 with Retry-After: 1', rate: 200, run: during({ status: 429, retryAfter: 1 }) },
  { name: '429 without Retry-After', rate: 200, run: during({ status: 429 }) },
  { name: '401 for a while', rate: 200, run: during({ status: 401 }) },
  {
    name: 'one poisoned event in 10,000',
    rate: 2_000,
    async run({ segment, start }) {
      let poison: string | undefined
      const load = await start()
      segment.respondWith(({ messageIds }) => {
        poison ??= messageIds[messageIds.length >> 1]
        return poison !== undefined && messageIds.includes(poison) ? { status: 400 } : undefined
      })
      while (load.made.size < 10_000) await sleep(100)
      await load.stop()
    },
  },
  {
    name: 'endpoint at a tenth of the load',
    rate: 1_000,
    settings: { flushAt: 20 },
    delivery: { maxPending: 3_000 },
    mayLose: 'overflow',
    async run({ segment, start }) {
      let free = 0
      segment.respondWith(({ messageIds }) => {
        // As one worker that takes 100 calls a second.
        free = Math.max(free, Date.now()) + messageIds.length * 10
        return { delay: Math.min(8_000, free - Date.now()) }
      })
      const load = await start()
      await sleep(6_000)
      segment.respondWith('ok')
      await load.stop()
    },
  },
  {
    name: 'SIGTERM while Segment is away',
    rate: 200,
    mayLose: 'closed',
    async run({ segment, start }) {
      const load = await start({ shutdownMs: 1_000 })
      await sleep(1_000)
      await segment.stop()
      await sleep(1_000)
      await load.stop()
      await segment.start()
    },
  },
  {
    name: 'kill -9 at random instants, then a restart',
    rate: 400,
    needsOutbox: true,
    async run({ segment, start }) {
      segment.respondWith({ delay: 20 })
      const until = performance.now() + 6_000
      for (let times = 0; times < 5 || performance.now() < until; times++) {
        const load = await start()
        await sleep(Math.random() * 600)
        await load.kill()
      }
      const last = await start({ rate: 1 })
      await sleep(1_500)
      await last.stop()
    },
  },
  {
    name: 'two processes on one outbox, one killed',
    rate: 200,
    needsOutbox: true,
    async run({ segment, start }) {
      segment.respondWith({ status: 503 })
      const [one, other] = await Promise.all([start(), start()])
      await sleep(2_000)
      await one.kill()
      segment.respondWith('ok')
      // The other looks for what the dead have left every five seconds.
      await sleep(7_000)
      await other.stop()
    },
  },
  {
    name: "the outbox's directory vanishes",
    rate: 200,
    needsOutbox: true,
    async run({ start, outbox }) {
      const load = await start()
      await sleep(1_000)
      if (outbox) await rm(outbox, { recursive: true, force: true })
      await sleep(6_500)
      await load.stop()
    },
  },
]
