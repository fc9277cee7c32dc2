import { Redis as IoRedis6 } from 'ioredis'
import { Redis as IoRedis5 } from 'ioredis5'
import { createSentinel as createSentinel6 } from 'redis'
import { createSentinel as createSentinel5 } from 'redis5'
import type { RedisClient } from '../../src/redis/index.js'
import { type Client, clientOfIoRedis } from './libraries.js'
import { MASTER } from './sentinel-servers.js'

const HOST = '127.0.0.1'

/** Where clients find what the sentinels name by another address: `host:port` to a port. */
export type Moved = Readonly<Record<string, number>>

/** Makes a client that asks sentinels which Redis is the master. */
export type OpenSentinelClient = (ports: readonly number[], moved?: Moved) => Promise<Client>

/** How a client of each library is made. */
export const SENTINEL_CLIENTS: Readonly<Record<string, OpenSentinelClient>> = {
  'redis 6': (ports, moved) =>
    clientOfSentinel(
      createSentinel6({ name: MASTER, sentinelRootNodes: nodesOf(ports), nodeAddressMap: mapOf(moved) }),
    ),
  'redis 5': (ports, moved) =>
    clientOfSentinel(
      createSentinel5({
        name: MASTER,
        sentinelRootNodes: nodesOf(ports),
        nodeAddressMap: mapOf(moved),
        // Otherwise it tries for ever to reach a master that is dead, but that the sentinels still name when it asks them.
        nodeClientOptions: { socket: { reconnectStrategy: false } },
      }),
    ),
  'ioredis 6': async (ports, moved) =>
    clientOfIoRedis(new IoRedis6({ sentinels: nodesOf(ports), name: MASTER, natMap: mapOf(moved) })),
  'ioredis 5': async (ports, moved) =>
    clientOfIoRedis(new IoRedis5({ sentinels: nodesOf(ports), name: MASTER, natMap: mapOf(moved) })),
}

/** What the Sentinel clients of both versions of node-redis have in common. */
interface Sentinel extends RedisClient {
  on(event: 'error', listener: () => void): unknown
  connect(): Promise<unknown>
  sendCommand(isReadonly: boolean, command: string[]): Promise<unknown>
  destroy(): unknown
}

async function clientOfSentinel(client: Sentinel): Promise<Client> {
  client.on('error', () => {})
  await client.connect()
  return {
    client,
    send: (...command) => client.sendCommand(false, command),
    close: () => void client.destroy(),
  }
}

function nodesOf(ports: readonly number[]) {
  return ports.map((port) => ({ host: HOST, port }))
}

function mapOf(moved: Moved = {}) {
  return Object.fromEntries(Object.entries(moved).map(([of, port]) => [of, { host: HOST, port }]))
}
