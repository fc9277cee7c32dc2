import { onTestFinished } from 'vitest'
import { findRedis } from '../../scripts/ensure-redis.js'
import { type RedisServer, type RedisServerOptions, startRedisServer } from '../../scripts/redis-server.js'

/** Whether tests that need a Redis can run here: `describe.skipIf(!hasRedis)`. The setup of all tests says why not. */
export const hasRedis = findRedis() !== undefined

/** A Redis server of the test's own, which ends with it. */
export async function redisServer(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedisServer(options)
  onTestFinished(() => server.stop())
  return server
}
