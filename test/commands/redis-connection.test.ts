import { describe, expect, it } from 'vitest'
import {
  connectRedis,
  ioRedis,
  nodeRedis,
  type OpenClient,
  type RedisLibraries,
} from '../../src/commands/redis-connection.js'
import { connectionOf } from '../../src/redis/client.js'
import { changedMethod } from '../redis/changed-client.js'
import { clusterServers } from '../redis/cluster-servers.js'
import { hasRedis, redisServer } from '../support/redis.js'

const LIBRARIES: RedisLibraries = {
  'redis 6': async () => nodeRedis(await import('redis')),
  'redis 5': async () => nodeRedis(await import('redis5')),
  'ioredis 6': async () => ioRedis(await import('ioredis')),
  'ioredis 5': async () => ioRedis(await import('ioredis5')),
}
const missing = (name: string) => async () => {
  throw Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' })
}

/** Only one of the libraries is installed. */
function only(name: string): RedisLibraries {
  const load = LIBRARIES[name]
  if (!load) throw new Error(`there is no library ${name}`)
  return { redis: missing('redis'), [name]: load }
}

it('says what to install where there is no client of Redis', async () => {
  const none = { redis: missing('redis'), ioredis: missing('ioredis') }
  await expect(connectRedis('redis://127.0.0.1:1', none)).rejects.toThrow(
    'a client of Redis is needed, and neither redis nor ioredis is installed: npm install redis',
  )
})

it('says so where a client is installed and broken', async () => {
  const broken = async () => {
    throw new SyntaxError('Unexpected token')
  }
  await expect(connectRedis('redis://127.0.0.1:1', { redis: broken })).rejects.toThrow('Unexpected token')
})

it.each(['redis:/', 'http://shop', 'redis://u:secret@[', '/var/lib/outbox', 'redis://h:notaport'])(
  'refuses %s, which is no URL of a Redis, without quoting it',
  async (url) => {
    const failed = connectRedis(url).catch((error: unknown) => String(error))
    expect(await failed).toBe(
      'Error: the URL of a Redis is redis://host:port or, with TLS, rediss://host:port',
    )
  },
)

describe.skipIf(!hasRedis).each(Object.keys(LIBRARIES))('a connection of a command, with %s', (library) => {
  it('is to the Redis that the URL names, as the user that it names', async () => {
    const redis = await redisServer({ options: ['--requirepass', 'se/cret'] })
    const url = new URL(redis.url)
    url.password = encodeURIComponent('se/cret')
    const { client, close } = await connectRedis(url.href, only(library))
    expect(await connectionOf(client).send(['PING'])).toBe('PONG')
    close()
  })

  it('says in one line why there is none, and no password', async () => {
    const redis = await redisServer({ options: ['--requirepass', 'other'] })
    const url = new URL(redis.url)
    url.password = 'my-secret'
    const refused = String(await connectRedis(url.href, only(library)).catch((error: unknown) => error))
    expect(refused).toMatch(`there is no connection to Redis at ${url.host}: WRONGPASS`)
    await redis.stop()
    const away = String(await connectRedis(url.href, only(library)).catch((error: unknown) => error))
    expect(away).toMatch(`there is no connection to Redis at ${url.host}:`)
    expect(away).toMatch('ECONNREFUSED')
    expect(refused + away).not.toContain('my-secret')
  }, 20_000)

  it('is to a whole cluster where the URL names a part of one', async () => {
    const { ports } = await clusterServers()
    const { client, close } = await connectRedis(`redis://127.0.0.1:${ports[0]}`, only(library))
    const connection = connectionOf(client)
    // Keys of different nodes.
    for (const key of ['a', 'b', 'c', 'd']) {
      expect(await connection.send(['SET', key, '1'], key)).toBe('OK')
      expect(await connection.transaction([['GET', key]], key)).toEqual(['1'])
    }
    close()
  }, 30_000)
})

it.skipIf(!hasRedis)(
  'is to a whole cluster of Valkey, too, which says so in another field',
  async () => {
    const { ports } = await clusterServers()
    const asked: boolean[] = []
    const valkey = async (): Promise<OpenClient> => {
      const open = nodeRedis(await import('redis'))
      return (url, isCluster) => {
        asked.push(isCluster)
        const made = open(url, isCluster)
        const said = async (reply: unknown) => String(await reply).replace(/^redis_mode:/m, 'server_mode:')
        return isCluster ? made : { ...made, client: changedMethod(made.client, 'sendCommand', said) }
      }
    }
    const { close } = await connectRedis(`redis://127.0.0.1:${ports[0]}`, { redis: valkey })
    close()
    expect(asked).toEqual([false, true])
  },
  30_000,
)
