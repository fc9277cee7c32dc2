import { Redis as IoRedis6 } from 'ioredis'
import { Redis as IoRedis5 } from 'ioredis5'
import { createSentinel as createSentinel6 } from 'redis'
import { createSentinel as createSentinel5 } from 'redis5'
import type { Client } from './libraries.js'
import { MASTER } from './sentinel-servers.js'

const HOST = '127.0.0.1'

/** How a client of each library is made that asks sentinels which Redis is the master. */
export const SENTINEL_CLIENTS: Readonly<Record<string, (ports: readonly number[]) => Promise<Client>>> = {
  'redis 6': async (ports) => {
    const client = createSentinel6({ name: MASTER, sentinelRootNodes: nodesOf(ports) })
    client.on('error', () => {})
    await client.connect()
    return {
      client,
      send: (...command) => client.sendCommand(false, command),
      close: () => void client.destroy(),
    }
  },
  'redis 5': async (ports) => {
    const client = createSentinel5({ name: MASTER, sentinelRootNodes: nodesOf(ports) })
    client.on('error', () => {})
    await client.connect()
    return {
      client,
      send: (...command) => client.sendCommand(false, command),
      close: () => void client.destroy(),
    }
  },
  'ioredis 6': async (ports) => {
    const client = new IoRedis6({ sentinels: nodesOf(ports), name: MASTER })
    client.on('error', () => {})
    return {
      client,
      send: (name: string, ...more: string[]) => client.call(name, ...more),
      close: () => client.disconnect(),
    }
  },
  'ioredis 5': async (ports) => {
    const client = new IoRedis5({ sentinels: nodesOf(ports), name: MASTER })
    client.on('error', () => {})
    return {
      client,
      send: (name: string, ...more: string[]) => client.call(name, ...more),
      close: () => client.disconnect(),
    }
  },
}

function nodesOf(ports: readonly number[]) {
  return ports.map((port) => ({ host: HOST, port }))
}
