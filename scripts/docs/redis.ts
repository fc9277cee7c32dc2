import { ensureRedis } from '../ensure-redis.js'
import { type RedisServer, startRedisServer } from '../redis-server.js'

/**
 * Starts a Redis for what needs one, and sets `REDIS_URL`. Where there can be none, a line says what is left out.
 *
 * @param count - How many need it.
 */
export async function startRedisFor(count: number): Promise<RedisServer | undefined> {
  delete process.env.REDIS_URL
  if (count === 0) return undefined
  try {
    ensureRedis()
  } catch (error) {
    const how = error instanceof Error ? error.message : String(error)
    console.warn(`What needs Redis (${count}) is compiled, and not run. ${how}`)
    return undefined
  }
  const server = await startRedisServer()
  process.env.REDIS_URL = server.url
  return server
}
