import { once } from 'node:events'
import { Cluster as IoCluster6 } from 'ioredis'
import { createCluster as createCluster6 } from 'redis'
import { onTestFinished } from 'vitest'
import type { RedisClient } from '../../src/redis/index.js'

/** How a client of a cluster is made, which ends with the test. */
export const CLUSTER_CLIENTS: Readonly<Record<string, (ports: readonly number[]) => Promise<RedisClient>>> = {
  'redis 6': async (ports) => {
    const client = createCluster6({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) })
    client.on('error', () => {})
    await client.connect()
    onTestFinished(() => client.destroy())
    return client
  },
  'ioredis 6': async (ports) => {
    const client = new IoCluster6(ports.map((port) => ({ host: '127.0.0.1', port })))
    client.on('error', () => {})
    onTestFinished(() => client.disconnect())
    await once(client, 'ready')
    return client
  },
}
