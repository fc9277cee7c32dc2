import { Redis as IoRedis6 } from 'ioredis'
import { Redis as IoRedis5 } from 'ioredis5'
import { createClient as createClient6 } from 'redis'
import { createClient as createClient5 } from 'redis5'
import type { RedisClient } from '../../src/redis/index.js'

/** A client of an application, and what ends it. */
export interface Client {
  readonly client: RedisClient
  /** Sends a command, as the application does. */
  send(name: string, ...more: string[]): Promise<unknown>
  close(): void
}

/** How a client of each library is made. */
export const CLIENTS: Readonly<Record<string, (url: string) => Promise<Client>>> = {
  'redis 6': async (url) => {
    const client = createClient6({ url, socket: { reconnectStrategy: 50 } })
    client.on('error', () => {})
    await client.connect()
    return { client, send: (...command) => client.sendCommand(command), close: () => client.destroy() }
  },
  'redis 5': async (url) => {
    const client = createClient5({ url, socket: { reconnectStrategy: 50 } })
    client.on('error', () => {})
    await client.connect()
    return { client, send: (...command) => client.sendCommand(command), close: () => client.destroy() }
  },
  'ioredis 6': async (url) => {
    return connected(clientOfIoRedis(new IoRedis6(url, { retryStrategy: () => 50 })))
  },
  'ioredis 5': async (url) => {
    return connected(clientOfIoRedis(new IoRedis5(url, { retryStrategy: () => 50 })))
  },
}

/** A client of ioredis connects by itself, and does nothing that says so before it has. */
async function connected(made: Client): Promise<Client> {
  await made.send('PING')
  return made
}

/** What the clients of both versions of ioredis have in common. */
interface IoRedis extends RedisClient {
  on(event: 'error', listener: () => void): unknown
  call(name: string, ...more: string[]): Promise<unknown>
  disconnect(): void
}

/** A client of ioredis, whichever Redis it is connected to. */
export function clientOfIoRedis(client: IoRedis): Client {
  client.on('error', () => {})
  return {
    client,
    send: (name, ...more) => client.call(name, ...more),
    close: () => client.disconnect(),
  }
}
