import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type Job, QueueEvents } from 'bullmq'
import { createApp } from '../../examples/express/app.js'
import { createShopTracking } from '../../examples/express/tracking.js'
import { type InvoiceQueue, openInvoiceQueue, QUEUE } from '../../examples/worker/invoices.js'
import { root } from '../entries.js'
import { type RedisServer, startRedisServer } from '../redis-server.js'
import { invoiceJourneys } from './invoice-journeys.js'
import { FLUSH_INTERVAL_MS } from './running-shop.js'
import type { Shop } from './shops.js'

/** Milliseconds for one invoice; it takes a few. */
const JOB_TIMEOUT_MS = 10_000

/** What is there while the shop is open. */
interface Opened {
  readonly redis: RedisServer
  readonly queue: InvoiceQueue
  readonly events: QueueEvents
  readonly worker: ChildProcess
}

/** The Express shop, a Redis of its own, and its worker in another process. */
export function workerShop(): Shop {
  let opened: Opened | undefined
  const jobs: Job[] = []
  return {
    framework: 'Express with a worker for its invoices',
    script: 'demo:worker',
    hint: 'Each order is followed by an invoice: the worker, a process of its own, tracks it for the visitor who ordered.',
    journeys: invoiceJourneys,
    createTracking: createShopTracking,
    createListener: (tracking) =>
      createApp(tracking, async (order, visitor) => {
        if (opened) jobs.push(await opened.queue.request(order, visitor))
      }),
    async open(endpoint) {
      const redis = await startRedisServer()
      const connection = { url: redis.url }
      const worker = await startWorker(redis.url, endpoint).catch(async (error) => {
        await redis.stop()
        throw error
      })
      opened = {
        redis,
        worker,
        queue: openInvoiceQueue(connection),
        events: new QueueEvents(QUEUE, { connection }),
      }
      await opened.events.waitUntilReady()
    },
    async close() {
      if (!opened) return
      const { redis, queue, events, worker } = opened
      opened = undefined
      try {
        await Promise.all(jobs.map((job) => job.waitUntilFinished(events, JOB_TIMEOUT_MS)))
        worker.kill('SIGTERM')
        if (worker.exitCode === null) await once(worker, 'exit')
        if (worker.exitCode !== 0) throw new Error(`the worker ended with ${worker.exitCode}`)
      } finally {
        worker.kill('SIGKILL')
        await Promise.all([queue.close(), events.close()])
        await redis.stop()
      }
    },
  }
}

/** @returns The process of `examples/worker/worker.ts`, once it takes jobs. It ends with this one. */
async function startWorker(redis: string, endpoint: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/worker/worker.ts'], {
    cwd: root,
    env: {
      ...process.env,
      REDIS_URL: redis,
      SEGMENT_HOST: endpoint,
      SEGMENT_WRITE_KEY: 'demo',
      SEGMENT_FLUSH_INTERVAL: String(FLUSH_INTERVAL_MS),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.once('exit', () => void child.kill('SIGKILL'))
  const ready = once(child.stdout, 'data')
  const ended = once(child, 'exit')
  await Promise.race([
    ready,
    ended.then(([code]) => {
      throw new Error(`the worker ended with ${code} before it took jobs`)
    }),
  ])
  return child
}
