import { expect, onTestFinished } from 'vitest'
import { type RedisOutboxOptions, redisOutbox } from '../../src/redis/index.js'
import { createRelay, type Relay, type RelayConfig } from '../../src/relay/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { delivering } from '../delivery/delivering.js'
import { lateToClose } from '../redis/changed-client.js'
import { clientOf } from '../redis/clients.js'
import { redisServer } from '../support/redis.js'
import { segmentServer } from '../support/servers.js'

/** What a test of relays changes of a relay's configuration. */
export type RelayChanges = Omit<Partial<RelayConfig>, 'settings' | 'outbox'> & {
  readonly settings?: Partial<RelayConfig['settings']>
  readonly redis?: Partial<RedisOutboxOptions>
  /** Milliseconds by which the connection of its waiting read ends late. */
  readonly closesLate?: number
}

/** A relay that logs nothing, shut down when the test ends. */
export async function relayTo(
  segment: SegmentServer,
  url: string,
  changes: RelayChanges = {},
): Promise<Relay> {
  const { client } = await clientOf(url)
  const { redis, settings, closesLate, ...config } = changes
  const relay = createRelay({
    logger: { handler: () => {} },
    ...config,
    settings: { writeKey: 'test-key', host: segment.url, flushInterval: 50, ...settings },
    outbox: redisOutbox({
      client: closesLate === undefined ? client : lateToClose(client, closesLate),
      commitInterval: 5,
      ...redis,
    }),
  })
  onTestFinished(async () => {
    await relay.shutdown({ timeout: 1_000 })
  })
  return relay
}

/** A Redis and a Segment, a process that writes, and what makes relays. */
export async function fleet(options: { readonly redis?: readonly string[] } = {}) {
  const redis = await redisServer({ options: options.redis ?? [] })
  const segment = await segmentServer()
  const app = await clientOf(redis.url)
  const { client } = await clientOf(redis.url)
  const web = await delivering(segment, {
    delivery: { outbox: redisOutbox({ client, commitInterval: 5 }), send: false },
  })
  return {
    redis,
    segment,
    app,
    web,
    /** Lets the web process write so many calls. */
    async write(count: number, from = 0) {
      await web.trackMany(count, (index) => ({ index: from + index }))
      await web.tracking.flush()
    },
    relay: (changes?: RelayChanges) => relayTo(segment, redis.url, changes),
  }
}

/** Every call ends in one column. */
export function expectBalance(relay: Relay): void {
  const { calls } = relay.stats()
  const failed = Object.values(calls.failed).reduce((all, count) => all + count, 0)
  expect(calls.made).toBe(calls.delivered + calls.pending + calls.relayed + failed)
}
