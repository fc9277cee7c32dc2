import { Redis as IoRedis6 } from 'ioredis'
import { Redis as IoRedis5 } from 'ioredis5'
import { createSentinel as createSentinel6 } from 'redis'
import { createSentinel as createSentinel5 } from 'redis5'
import type { RedisClient } from '../../src/redis/index.js'
import { type Client, clientOfIoRedis } from './libraries.js'
import { MASTER } from './sentinel-servers.js'

const HOST = '127.0.0.1'

/** How a client of each library is made that asks sentinels which Redis is the master. */
export const SENTINEL_CLIENTS: Readonly<Record<string, (ports: readonly number[]) => Promise<Client>>> = {
  'redis 6': (ports) =>
    clientOfSentinel(createSentinel6({ name: MASTER, sentinelRootNodes: nodesOf(ports) })),
  'redis 5': (ports) =>
    clientOfSentinel(createSentinel5({ name: MASTER, sentinelRootNodes: nodesOf(ports) })),
  'ioredis 6': async (ports) => clientOfIoRedis(new IoRedis6({ sentinels: nodesOf(ports), name: MASTER })),
  'ioredis 5': async (ports) => clientOfIoRedis(new IoRedis5({ sentinels: nodesOf(ports), name: MASTER })),
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
