// A relay, as a process of its own: delivers until it is told to stop, or is killed. It tells what a load tells.
import { subscribe } from 'node:diagnostics_channel'
import { writeSync } from 'node:fs'
import { redisOutbox } from '../../src/redis/index.js'
import { createRelay } from '../../src/relay/index.js'
import type { LoadOptions, Told } from '../faults/load.js'
import { fleetClient } from './client.js'

const { segment, settings, delivery, redis, shutdownMs }: LoadOptions = JSON.parse(process.env.LOAD ?? '{}')

function tell(told: Told): void {
  let left = Buffer.from(`${JSON.stringify(told)}\n`)
  // A signal can cut a write short.
  while (left.length > 0) left = left.subarray(writeSync(1, left))
}

/** The options of a web process that mean nothing to a relay. */
const { send: _send, outbox: _outbox, ...options } = delivery ?? {}
if (!redis) throw new Error('a relay needs a Redis')
const client = await fleetClient(redis)
const errors: string[] = []
const relay = createRelay({
  settings: { writeKey: 'test-key', host: segment, flushAt: 50, flushInterval: 200, ...settings },
  outbox: redisOutbox({ client, claimAfter: redis.claimAfter }),
  delivery: options,
  logger: { level: 'ERROR', handler: (_level, message) => errors.push(message) },
  on: {
    shutdown: (report) => {
      tellDelivered()
      const { lastError } = relay.health()
      const peakMb = Math.round(process.memoryUsage().heapUsed / 1024 / 1024)
      tell({ end: { stats: relay.stats(), report, tracked: 0, lastError, errors, peakMb } })
    },
  },
})
subscribe('reqtrack:failed', (message) => {
  const { call, reason } = message as { call: { params: { messageId?: string } }; reason: string }
  tell({ failed: call.params.messageId ?? '', reason })
})
let delivered: string[] = []
subscribe('reqtrack:delivered', (message) => {
  const { call } = message as { call: { params: { messageId?: string } } }
  if (delivered.push(call.params.messageId ?? '') === 1) setImmediate(tellDelivered)
})
function tellDelivered(): void {
  if (delivered.length === 0) return
  tell({ delivered })
  delivered = []
}
relay.shutdownOnSignals({ timeout: shutdownMs })
tell({ ready: true })
