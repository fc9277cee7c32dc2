import { type RedisClient, type RedisOutboxOptions, redisOutbox } from '../../src/redis/index.js'
import { delivering } from '../delivery/delivering.js'
import { redisServer } from '../support/redis.js'
import { segmentServer } from '../support/servers.js'
import { clientOf } from './clients.js'
import type { Client } from './libraries.js'

/** A Redis, a Segment, and what makes processes of them. */
export async function fleet(
  options: {
    readonly library?: string
    readonly redis?: readonly string[]
    /** What the processes see of their clients. */
    readonly seen?: (client: RedisClient) => RedisClient
  } = {},
) {
  const redis = await redisServer({ options: options.redis ?? [] })
  const segment = await segmentServer()
  const app = await clientOf(redis.url, options.library)
  const process = async (
    outbox: Partial<RedisOutboxOptions> = {},
    config: Parameters<typeof delivering>[1] = {},
  ) => {
    const { client: own } = await clientOf(redis.url, options.library)
    const client = options.seen?.(own) ?? own
    return delivering(segment, {
      ...config,
      delivery: {
        ...config.delivery,
        outbox: redisOutbox({ client, claimAfter: 800, commitInterval: 5, ...outbox }),
      },
    })
  }
  return { redis, segment, app, process }
}

/** The stream of the one write key of a test. */
export async function streamOf({ send }: Client): Promise<string> {
  return String([await send('KEYS', 'reqtrack:*:calls')].flat()[0] ?? '')
}

/** The ids of what processes hold of a stream. */
export async function heldIds({ send }: Client, key: string): Promise<string[]> {
  const rows = [await send('XPENDING', key, 'reqtrack', '-', '+', '100')].flat()
  return rows.map((row) => (Array.isArray(row) ? String(row[0]) : ''))
}

/** How many entries there are of all write keys. */
export async function waiting({ send }: Client): Promise<number> {
  let count = 0
  for (const key of [await send('KEYS', 'reqtrack:*:calls')].flat())
    count += Number(await send('XLEN', String(key)))
  return count
}
