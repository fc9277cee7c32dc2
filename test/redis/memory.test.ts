import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { type RedisMemoryOptions, redisMemory, redisOutbox } from '../../src/redis/index.js'
import { keptLog } from '../delivery/delivering.js'
import { relayTo } from '../relay/relaying.js'
import { hasRedis, redisServer } from '../support/redis.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'
import { clientOf } from './clients.js'
import { CLIENTS } from './libraries.js'

const DAY_MS = 24 * 60 * 60 * 1_000
const NOT_ASKED = 'the shared memory of people cannot be asked: people may be identified once more'

/** A Redis, a Segment, and what makes processes of them that share a memory. */
async function fleet(library?: string) {
  const redis = await redisServer()
  const segment = await segmentServer()
  const app = await clientOf(redis.url, library)
  const process = async (
    options: Partial<RedisMemoryOptions> = {},
    config: Parameters<typeof trackingTo>[1] = {},
  ) => {
    const { client } = await clientOf(redis.url, library)
    const tracking = trackingTo(segment, {
      logger: { handler: () => {} },
      request: { context: false },
      // A busy machine keeps Redis waiting, too: what a late answer does is a subject of its own.
      memory: { ...redisMemory({ client, ...options }), answerWithin: 10_000 },
      ...config,
      settings: {
        identify: { map: { traits: 'user.traits' } },
        group: { map: { groupId: 'data.company' } },
        maxRetries: 0,
        ...config.settings,
      },
    })
    onTestFinished(() => void tracking.shutdown({ timeout: 100 }))
    const inRequest = await requestsOf(tracking)
    return {
      tracking,
      /** Tracks in a request of its own, and waits until its calls have their outcome. */
      async visit(id: string, traits: object = { plan: 'free' }, data: object = {}, device?: string) {
        await inRequest(
          (tracker) => tracker.track('page view', { ...data }, { user: { id, traits: { ...traits } } }),
          device === undefined ? {} : visitor(device),
        )
        await tracking.flush()
      },
      inRequest,
    }
  }
  const told = (type: 'identify' | 'group' | 'track') =>
    segment.calls.filter((call) => call.type === type).map(({ userId }) => userId)
  const keys = async () => [await app.send('KEYS', 'reqtrack:*:person:*')].flat().map(String)
  const lifetimes = async () =>
    Promise.all((await keys()).map(async (key) => Number(await app.send('PTTL', key))))
  return { redis, segment, app, process, told, keys, lifetimes }
}

describe.skipIf(!hasRedis)('a memory of people in Redis', () => {
  it.each(Object.keys(CLIENTS))('has each person told once, of all processes, with %s', async (library) => {
    const { process, told, keys, app, lifetimes } = await fleet(library)
    const processes = [await process(), await process(), await process()]
    for (const { visit } of processes)
      for (const id of ['alice', 'robert']) await visit(id, { plan: 'free' }, { company: 'acme' })
    expect(told('identify')).toEqual(['alice', 'robert'])
    expect(told('group')).toEqual(['alice', 'robert'])
    expect(told('track')).toHaveLength(6)
    expect(processes.map(({ tracking }) => tracking.stats().calls.deduplicated)).toEqual([0, 4, 4])
    for (const lifetime of await lifetimes()) expect(lifetime).toBeGreaterThan(29 * DAY_MS)
    const stored = await Promise.all((await keys()).map((key) => app.send('HGETALL', key)))
    const all = JSON.stringify([await keys(), stored])
    for (const secret of ['alice', 'robert', 'free', 'acme', 'test-key']) expect(all).not.toContain(secret)
  })

  it('has a change of traits told, a new device, and whatever tracker.identify() says', async () => {
    const { process, told } = await fleet()
    const [one, other, third] = [await process(), await process(), await process()]
    await one.visit('alice', { plan: 'free' }, {}, 'phone')
    await other.visit('alice', { plan: 'paid' }, {}, 'phone')
    expect(told('identify')).toHaveLength(2)
    await third.visit('alice', { plan: 'paid' }, {}, 'phone')
    expect(told('identify')).toHaveLength(2)
    await third.visit('alice', { plan: 'paid' }, {}, 'laptop')
    expect(told('identify')).toHaveLength(3)
    await other.visit('alice', { plan: 'paid' }, {}, 'laptop')
    expect(told('identify')).toHaveLength(3)
    await one.inRequest((tracker) => tracker.identify('alice', { plan: 'paid' }))
    await one.tracking.flush()
    expect(told('identify')).toHaveLength(4)
    await (await process()).visit('alice', { plan: 'paid' })
    expect(told('identify')).toHaveLength(4)
  })

  it('does not take a user for a visitor with the same id', async () => {
    const { process, told } = await fleet()
    const [one, other] = [await process(), await process()]
    await one.visit('alice')
    await other.inRequest((tracker) =>
      tracker.track('page view', {}, { user: { session: 'alice', traits: { plan: 'free' } } }),
    )
    await other.tracking.flush()
    expect(told('identify')).toEqual(['alice', undefined])
  })

  it('asks once for all people of a turn', async () => {
    const { process, app, told } = await fleet()
    const { tracking } = await process()
    const calls = async () => {
      const info = String(await app.send('INFO', 'commandstats'))
      return Number(/cmdstat_eval:calls=(\d+)/.exec(info)?.[1] ?? 0)
    }
    tracking.run({}, (tracker) => {
      for (let index = 0; index < 50; index++)
        tracker.track('page view', {}, { user: { id: 'alice', traits: { plan: 'free' } } })
    })
    await tracking.flush()
    const before = await calls()
    expect(before).toBeLessThanOrEqual(2)
    for (let index = 0; index < 200; index++) {
      tracking.run({ user: { id: `u-${index}`, traits: { plan: 'free' } } }, (tracker) =>
        tracker.track('page view'),
      )
    }
    await tracking.flush()
    expect(told('identify')).toHaveLength(201)
    // To ask takes one script for each slot of a cluster; to tell, for each answer of Segment.
    expect((await calls()) - before).toBeLessThan(200)
  })

  it('forgets in all processes what has failed, and what was withheld', async () => {
    const { process, told, segment } = await fleet()
    const [one, other] = [await process(), await process()]
    segment.respondWith({ status: 400 })
    await one.visit('alice', { plan: 'free' }, { company: 'acme' })
    expect(one.tracking.stats().calls.failed.rejected).toBe(3)
    segment.respondWith('ok')
    segment.clear()
    await other.visit('alice', { plan: 'free' }, { company: 'acme' })
    expect(told('identify')).toEqual(['alice'])
    expect(told('group')).toEqual(['alice'])
    const strict = await process({}, { beforeSend: (call) => (call.type === 'track' ? call : null) })
    await strict.visit('bob', { plan: 'free' }, { company: 'acme' })
    expect(told('identify')).toEqual(['alice'])
    await other.visit('bob', { plan: 'free' }, { company: 'acme' })
    expect(told('identify')).toEqual(['alice', 'bob'])
    expect(told('group')).toEqual(['alice', 'bob'])
  })

  it('keeps what a newer call has said when an older one fails', async () => {
    const { process, told } = await fleet()
    const refusing = await segmentServer()
    const [other, third] = [await process(), await process()]
    const slow = await process({}, { settings: { host: refusing.url } })
    let failing = Promise.resolve()
    await new Promise<void>((resolve) => {
      refusing.respondWith(() => {
        resolve()
        return { status: 400, delay: 100 }
      })
      failing = slow.visit('alice', { plan: 'free' })
    })
    await other.visit('alice', { plan: 'paid' })
    await failing
    expect(slow.tracking.stats().calls.failed.rejected).toBe(2)
    await third.visit('alice', { plan: 'paid' })
    expect(told('identify')).toHaveLength(1)
  })

  it('lets nobody be silenced by a process that dies: after the time of a claim the next event tells', async () => {
    const { process, told, segment, lifetimes } = await fleet()
    const short = { claimAfter: 1_000 }
    const [dying, other] = [
      await process(short, { settings: { host: 'http://127.0.0.1:1' } }),
      await process(short),
    ]
    await dying.inRequest((tracker) =>
      tracker.track('page view', {}, { user: { id: 'alice', traits: { plan: 'free' } } }),
    )
    await vi.waitUntil(async () => (await lifetimes()).length === 1)
    for (const lifetime of await lifetimes()) expect(lifetime).toBeLessThanOrEqual(1_000)
    // As long as it may still tell, no other does, and none waits.
    await other.visit('alice')
    expect(told('identify')).toEqual([])
    expect(told('track')).toEqual(['alice'])
    await vi.waitUntil(async () => (await lifetimes()).length === 0)
    await other.visit('alice')
    expect(told('identify')).toEqual(['alice'])
    segment.clear()
    await other.visit('alice')
    expect(told('identify')).toEqual([])
  })

  it('keeps for long what an outbox has, and forgets it where another process fails with it', async () => {
    const { process, told, segment, lifetimes, redis } = await fleet()
    const outbox = async () => redisOutbox({ client: (await clientOf(redis.url)).client, commitInterval: 5 })
    const writers = { delivery: { send: false, outbox: await outbox() } }
    const web = await process({}, writers)
    await web.visit('alice', { plan: 'free' }, { company: 'acme' })
    expect(web.tracking.stats().calls).toMatchObject({ made: 3, relayed: 3 })
    for (const lifetime of await lifetimes()) expect(lifetime).toBeGreaterThan(29 * DAY_MS)
    segment.respondWith({ status: 400 })
    const memory = redisMemory({ client: (await clientOf(redis.url)).client })
    const relay = await relayTo(segment, redis.url, { memory })
    await vi.waitUntil(() => relay.stats().calls.failed.rejected === 3)
    await vi.waitUntil(async () => (await lifetimes()).length === 0)
    segment.respondWith('ok')
    await (await process()).visit('alice', { plan: 'free' }, { company: 'acme' })
    expect(told('identify')).toEqual(['alice'])
    expect(told('group')).toEqual(['alice'])
  })

  it('has what waits in memory forgotten at a shutdown, and what an outbox keeps remembered', async () => {
    const { process, told, keys, redis } = await fleet()
    const away = { host: 'http://127.0.0.1:1' }
    const losing = await process({}, { settings: away })
    const outbox = redisOutbox({ client: (await clientOf(redis.url)).client, commitInterval: 60_000 })
    const keeping = await process({}, { settings: away, delivery: { outbox } })
    const user = { traits: { plan: 'free' } }
    await losing.inRequest((tracker) => tracker.track('page view', {}, { user: { ...user, id: 'alice' } }))
    await keeping.inRequest((tracker) => tracker.track('page view', {}, { user: { ...user, id: 'bob' } }))
    await vi.waitUntil(async () => (await keys()).length === 2)
    expect(await losing.tracking.shutdown({ timeout: 200 })).toMatchObject({ pending: 2 })
    expect(await keeping.tracking.shutdown()).toMatchObject({ kept: 2 })
    const next = await process()
    await next.visit('alice')
    await next.visit('bob')
    expect(told('identify')).toEqual(['alice'])
  })

  it('keeps apart the people of two write keys', async () => {
    const { process, told } = await fleet()
    const [one, other] = [await process(), await process({}, { settings: { writeKey: 'other-key' } })]
    await one.visit('alice')
    await other.visit('alice')
    expect(told('identify')).toEqual(['alice', 'alice'])
  })

  it('serves several tenants of a process with one client, each apart', async () => {
    const { redis, segment, told } = await fleet()
    const { client } = await clientOf(redis.url)
    const memory = { ...redisMemory({ client }), answerWithin: 10_000 }
    const tenant = (writeKey: string) =>
      trackingTo(segment, { memory, settings: { writeKey, identify: { map: { traits: 'user.traits' } } } })
    for (const writeKey of ['tenant-a', 'tenant-b', 'tenant-a', 'tenant-b']) {
      const tracking = tenant(writeKey)
      tracking.run({ user: { id: 'alice', traits: { plan: 'free' } } }, (tracker) =>
        tracker.track('page view'),
      )
      await tracking.flush()
    }
    expect(told('identify')).toEqual(['alice', 'alice'])
  })

  it('knows huge traits, and ids and groups of any characters', async () => {
    const { process, told } = await fleet()
    const [one, other] = [await process(), await process()]
    const traits = { bio: 'é'.repeat(7_000), list: Array.from({ length: 500 }, (_, index) => index) }
    const ids = ['{a}', 'a b\r\n', '*', '😀', 'x'.repeat(500)]
    for (const id of ids) await one.visit(id, traits, { company: `${id} ${id}` })
    for (const id of ids) await other.visit(id, traits, { company: `${id} ${id}` })
    expect(told('identify')).toEqual(ids)
    expect(told('group')).toEqual(ids)
  })

  describe('where Redis is in trouble', () => {
    it('lets each process decide for itself, at once, and says so once', async () => {
      const { process, told, redis } = await fleet()
      const { lines, logger } = keptLog()
      const [one, other] = [await process({}, { logger }), await process()]
      await redis.crash()
      await vi.waitUntil(async () => {
        await one.visit('warm-up')
        return lines.some(({ message }) => message === NOT_ASKED)
      })
      const startedAt = performance.now()
      for (let visit = 0; visit < 3; visit++) {
        await one.visit('alice')
        await other.visit('alice')
      }
      expect(performance.now() - startedAt).toBeLessThan(3_000)
      expect(told('identify').filter((id) => id === 'alice')).toHaveLength(2)
      expect(lines.filter(({ message }) => message === NOT_ASKED)).toHaveLength(1)
      await redis.restart()
      // What was told meanwhile is remembered by all when Redis is back.
      await vi.waitUntil(() => lines.some(({ message }) => message.endsWith('can be asked again')))
      await (await process()).visit('alice')
      expect(told('identify').filter((id) => id === 'alice')).toHaveLength(2)
    }, 20_000)

    it('waits 50 ms for one that hangs, and then for nothing until it answers', async () => {
      const { process, told, redis, segment } = await fleet()
      const { lines, logger } = keptLog()
      const { client } = await clientOf(redis.url)
      const one = await process({}, { logger, memory: redisMemory({ client }) })
      await one.visit('warm-up')
      global.process.kill(redis.pid, 'SIGSTOP')
      try {
        const startedAt = performance.now()
        one.tracking.run({}, (tracker) => {
          for (let index = 0; index < 40; index++)
            tracker.track('page view', {}, { user: { id: `u-${index}`, traits: { plan: 'free' } } })
        })
        await segment.waitFor(2 + 80)
        // 40 people, one after the other: only the first of them waits.
        expect(performance.now() - startedAt).toBeLessThan(1_500)
        expect(lines.filter(({ message }) => message === NOT_ASKED)).toHaveLength(1)
      } finally {
        global.process.kill(redis.pid, 'SIGCONT')
      }
      await vi.waitUntil(() => lines.some(({ message }) => message.endsWith('can be asked again')))
      const other = await process()
      await vi.waitUntil(async () => {
        await one.tracking.flush()
        return true
      })
      segment.clear()
      await other.visit('u-39')
      expect(told('identify')).toEqual([])
    }, 20_000)

    it('goes on where it was emptied: people are told once more, and remembered again', async () => {
      const { process, told, app } = await fleet()
      const [one, other, third] = [await process(), await process(), await process()]
      await one.visit('alice')
      await app.send('FLUSHALL')
      await other.visit('alice')
      await third.visit('alice')
      await one.visit('alice')
      expect(told('identify')).toEqual(['alice', 'alice'])
    })

    it.each([
      [
        'keys of another type',
        (key: string) => [
          ['DEL', key],
          ['SET', key, 'nonsense'],
        ],
      ],
      ['fields with nonsense', (key: string) => [['HSET', key, 'identify', 'nonsense '.repeat(10_000)]]],
      [
        'a claim until the end of time',
        (key: string) => [['HSET', key, 'identify', `- - - x - y ${'9'.repeat(300)}`]],
      ],
      ['numbers that are none', (key: string) => [['HSET', key, 'identify', 'a b c d e f nan']]],
    ])('has a call made once more where it has %s', async (_name, spoil) => {
      const { process, told, app, keys } = await fleet()
      await (await process()).visit('alice')
      for (const key of await keys())
        for (const [name = '', ...more] of spoil(key)) await app.send(name, ...more)
      const { lines, logger } = keptLog()
      const other = await process({}, { logger })
      await other.visit('alice')
      await other.visit('alice')
      expect(told('identify')).toEqual(['alice', 'alice'])
      for (const { message, context } of lines) {
        expect(message).toBe(NOT_ASKED)
        expect(JSON.stringify(context)).toContain('WRONGTYPE')
      }
    })

    it('goes on where a user may not run scripts', async () => {
      const { process, told, app } = await fleet()
      const { lines, logger } = keptLog()
      const one = await process({}, { logger })
      await app.send('ACL', 'SETUSER', 'default', '-eval')
      await one.visit('alice')
      await one.visit('alice')
      expect(told('identify')).toEqual(['alice'])
      expect(lines.map(({ message }) => message)).toEqual([NOT_ASKED])
    })
  })

  it('refuses what is no client and no option', async () => {
    const none = JSON.parse('{}')
    expect(() => redisMemory(none)).toThrow(/client is a client of redis/)
    const { redis } = await fleet()
    const { client } = await clientOf(redis.url)
    const wrong = JSON.parse('{ "TTL": 5 }')
    expect(() => redisMemory({ client, ...wrong })).toThrow(
      /unknown option TTL, known are client, prefix, ttl/,
    )
    expect(() => redisMemory({ client, ttl: 0 })).toThrow(/ttl is a whole number of milliseconds from 1/)
    expect(() => redisMemory({ client, ttl: Number.NaN })).toThrow(/given NaN/)
    expect(() => redisMemory({ client, prefix: 'a{b}' })).toThrow(/without braces/)
  })
})
