import type { RedisClient } from '../../src/redis/index.js'
import type { FleetRedis } from '../faults/load.js'
import { CLIENTS } from '../redis/libraries.js'
import { SENTINEL_CLIENTS } from '../redis/sentinel-clients.js'

/** The client of a process of a fleet. */
export async function fleetClient({ url, library, sentinels }: FleetRedis): Promise<RedisClient> {
  const made = sentinels ? SENTINEL_CLIENTS[library]?.(sentinels) : CLIENTS[library]?.(url)
  if (!made) throw new Error(`there is no client ${library}`)
  return (await made).client
}
