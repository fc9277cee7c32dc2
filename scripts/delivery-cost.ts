// What delivering an event costs, in CPU of the sending process: `npx tsx scripts/delivery-cost.ts`. The endpoint is a
// process of its own.
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Analytics } from '@segment/analytics-node'
import { createLogger } from '@walkeros/core'
import { Delivery, Ledger, limitsOf } from '../src/delivery/index.js'
import { fileOutbox } from '../src/delivery/outbox/file.js'
import { createUnrefClient } from '../src/delivery/own-client.js'
import { Unsettled } from '../src/delivery/process-end.js'
import { clientSettings } from '../src/destination/settings.js'
import type { SegmentCall } from '../src/model/segment-call.js'
import { randomId } from '../src/support/random-id.js'
import { createSegmentServer } from '../src/testing/index.js'

const CALLS = 30_000
const PER_TICK = 40
const FLUSH_AT = 100

if (process.argv[2] === 'endpoint') {
  const server = await createSegmentServer({ record: false })
  process.send?.(server.url)
} else {
  const endpoint = fork(fileURLToPath(import.meta.url), ['endpoint'], { execArgv: process.execArgv })
  const url = await new Promise<string>((resolve) =>
    endpoint.once('message', (told) => resolve(String(told))),
  )
  const directory = mkdtempSync(join(tmpdir(), 'cost-'))
  for (let round = 1; round <= 3; round++) {
    await measure('the SDK alone', () => sdk(url))
    await measure('in memory', () => delivery(url))
    await measure('with the outbox', () => delivery(url, directory))
  }
  endpoint.kill()
  rmSync(directory, { recursive: true, force: true })
}

interface Measured {
  deliver(call: SegmentCall): void
  pending(): number
  close(): Promise<unknown>
}

async function measure(name: string, open: () => Measured): Promise<void> {
  const measured = open()
  const before = process.cpuUsage()
  for (let made = 0; made < CALLS; ) {
    for (let count = 0; count < PER_TICK; count++, made++) measured.deliver(callNumber(made))
    do await new Promise((resolve) => setTimeout(resolve, 5))
    while (measured.pending() > 5_000)
  }
  await measured.close()
  const { user, system } = process.cpuUsage(before)
  console.log(`${name}: ${((user + system) / CALLS).toFixed(0)} µs of CPU an event`)
}

function callNumber(number: number): SegmentCall {
  return {
    type: 'track',
    params: {
      userId: `user-${number % 1_000}`,
      event: 'Order Completed',
      properties: { number, text: 'x'.repeat(500), items: [{ sku: 'A-1', price: 12.5 }] },
      timestamp: new Date(),
      messageId: `${randomId()}-track`,
      context: {
        userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36',
        locale: 'en',
        ip: '192.0.2.1',
      },
    },
  }
}

function sdk(host: string): Measured {
  const analytics = new Analytics({ writeKey: 'k', host, flushAt: FLUSH_AT, flushInterval: 200 })
  let pending = 0
  analytics.on('track', () => pending--)
  return {
    deliver: (call) => {
      pending++
      if (call.type === 'track') analytics.track({ ...call.params, userId: call.params.userId ?? '' })
    },
    pending: () => pending,
    close: () => analytics.closeAndFlush(),
  }
}

function delivery(host: string, directory?: string): Measured {
  const unsettled = new Unsettled(
    () => {},
    () => false,
  )
  const ledger = new Ledger(unsettled)
  const settings = clientSettings({ writeKey: 'k', host, flushAt: FLUSH_AT })
  const delivery = new Delivery({
    ledger,
    logger: createLogger(),
    listener: { hearsDelivered: false, delivered: () => {}, failed: () => {} },
    limits: limitsOf(),
    outbox: directory ? fileOutbox({ directory }) : undefined,
    sends: true,
    flushAt: FLUSH_AT,
    flushInterval: 200,
    openClient: (outcomes, gate) =>
      createUnrefClient(settings, outcomes, { gate, unsettled, observer: () => undefined }),
  })
  return {
    deliver: (call) => delivery.deliver(call),
    pending: () => ledger.stats().calls.pending,
    close: () => delivery.close(10_000),
  }
}
