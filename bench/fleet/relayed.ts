import { ensureRedis } from '../../scripts/ensure-redis.js'
import { startRedisServer } from '../../scripts/redis-server.js'
import { start } from '../processes.js'
import type { RelayCommands } from './relay.js'

/** A Redis, and a relay that sends what is in it. */
export interface Relayed {
  readonly url: string
  close(): Promise<void>
}

/**
 * Starts both.
 *
 * @param host - Where Segment is.
 */
export async function openRelayed(
  { files, node }: { readonly files: { readonly relay: string }; readonly node: string },
  host: string,
): Promise<Relayed> {
  ensureRedis()
  const redis = await startRedisServer()
  const relay = start<RelayCommands>(files.relay, [], node)
  await relay.ask('deliver', { redis: redis.url, host })
  return {
    url: redis.url,
    async close() {
      await relay.end()
      await redis.stop()
    },
  }
}
