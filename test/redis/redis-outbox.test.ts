import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import { redisOutbox } from '../../src/redis/index.js'
import {
  arrived,
  delivering,
  expectBalance,
  keptLog,
  temporaryDirectory,
  upTo,
} from '../delivery/delivering.js'
import { hasRedis } from '../support/redis.js'
import { segmentServer } from '../support/servers.js'
import { lateToRemove } from './changed-client.js'
import { clientOf } from './clients.js'
import { fleet, waiting } from './fleet.js'
import { CLIENTS } from './libraries.js'

const NAMES_IT = 'the outbox does not answer'

describe.skipIf(!hasRedis)('an outbox on Redis', () => {
  it.each(Object.keys(CLIENTS))(
    'delivers as without one, and leaves nothing behind, with %s',
    async (library) => {
      const { segment, app, process } = await fleet({ library })
      const { tracking, trackMany } = await process()
      await trackMany(100)
      await tracking.flush()
      expect(new Set(arrived(segment))).toEqual(new Set(upTo(100)))
      expect(segment.duplicates).toEqual([])
      expect(await tracking.shutdown()).toMatchObject({
        delivered: 100,
        pending: 0,
        kept: 0,
        timedOut: false,
      })
      expect(await waiting(app)).toBe(0)
      // The application's own client is still its own.
      expect(await app.send('PING')).toBe('PONG')
    },
  )

  it('in a process that does not send is all that is written: another sends it', async () => {
    const { segment, app, process } = await fleet()
    const web = await process({}, { delivery: { send: false } })
    await web.trackMany(60)
    await web.tracking.flush()
    expect(segment.calls).toEqual([])
    expect(web.tracking.stats().calls).toMatchObject({ made: 60, relayed: 60, pending: 0, delivered: 0 })
    expect(await waiting(app)).toBe(60)
    const relay = await process()
    await segment.waitFor(60)
    // And what comes while it waits for more arrives without a poll's pause.
    await web.trackMany(5, (index) => ({ index: 60 + index }))
    await segment.waitFor(65)
    await vi.waitUntil(() => relay.tracking.stats().calls.delivered === 65)
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(65)))
    expect(await web.tracking.shutdown()).toMatchObject({ pending: 0, kept: 0, timedOut: false })
    expect(await relay.tracking.shutdown()).toMatchObject({ delivered: 65, kept: 0 })
    expect(await waiting(app)).toBe(0)
    expectBalance(relay.tracking)
  })

  it('goes on from Redis when memory holds no more, in order', async () => {
    const { segment, process } = await fleet()
    // One failure: a batch that has failed three times lets the others pass.
    segment.respondWith({ hang: true })
    const { tracking, trackMany } = await process({}, { delivery: { maxPending: 50, maxInFlight: 1 } })
    for (let load = 0; load < 5; load++) await trackMany(100, (index) => ({ index: load * 100 + index }))
    expect(tracking.stats().calls).toMatchObject({ made: 500, pending: 500 })
    segment.respondWith('ok')
    await segment.stop()
    await segment.start()
    await tracking.flush({ timeout: 15_000 })
    expect(arrived(segment)).toEqual(upTo(500))
    expect(tracking.stats().calls).toMatchObject({ delivered: 500, pending: 0, relayed: 0 })
    expect(segment.duplicates).toEqual([])
  })

  it('is sent by whoever has room: what another takes counts as relayed', async () => {
    const { segment, process } = await fleet()
    await segment.stop()
    const one = await process({}, { delivery: { maxPending: 20 } })
    await one.trackMany(200)
    await segment.start()
    const other = await process()
    await segment.waitFor(200, 15_000)
    await one.tracking.flush()
    await other.tracking.flush()
    const [mine, theirs] = [one.tracking.stats().calls, other.tracking.stats().calls]
    expect(mine.delivered + theirs.delivered).toBe(200)
    expect(mine).toMatchObject({ made: 200, pending: 0, relayed: 200 - mine.delivered })
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(200)))
    expect(segment.duplicates).toEqual([])
  })

  it('keeps what Segment does not take at the shutdown, for the next process', async () => {
    const { segment, process } = await fleet()
    await segment.stop()
    const first = await process()
    await first.trackMany(40)
    await vi.waitUntil(() => first.tracking.health().state === 'retrying')
    expect(await first.tracking.shutdown()).toMatchObject({ kept: 40, pending: 0 })
    await segment.start()
    const second = await process()
    await segment.waitFor(40)
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(40)))
    expect(await second.tracking.shutdown()).toMatchObject({ delivered: 40, kept: 0 })
    expect(segment.duplicates).toEqual([])
  })

  it.each(Object.keys(CLIENTS))(
    'goes on in memory while Redis is away, and is used again, with %s',
    async (library) => {
      const { redis, segment, app, process } = await fleet({
        library,
        redis: ['--appendonly', 'yes', '--appendfsync', 'always'],
      })
      const { lines, logger } = keptLog()
      const { tracking, trackMany } = await process({}, { logger })
      await trackMany(10)
      await tracking.flush()
      await redis.crash()
      await trackMany(20, (index) => ({ index: 10 + index }))
      await segment.waitFor(30)
      expect(tracking.health().lastError).toContain(NAMES_IT)
      await segment.stop()
      await trackMany(10, (index) => ({ index: 30 + index }))
      await redis.restart()
      await vi.waitUntil(() => tracking.health().lastError?.includes(NAMES_IT) !== true)
      await vi.waitUntil(async () => (await waiting(app)) >= 10)
      await segment.start()
      await tracking.flush()
      expect(new Set(arrived(segment))).toEqual(new Set(upTo(40)))
      expect(lines.filter(({ message }) => message.includes(NAMES_IT))).toHaveLength(1)
      expect(await tracking.shutdown()).toMatchObject({ delivered: 40, kept: 0 })
      expectBalance(tracking)
      expect(await waiting(app)).toBe(0)
    },
    30_000,
  )

  it('that hangs delays no flush for long, and no shutdown', async () => {
    const { redis, segment, process } = await fleet()
    const { tracking, trackMany } = await process()
    await trackMany(5)
    await tracking.flush()
    globalThis.process.kill(redis.pid, 'SIGSTOP')
    onTestFinished(() => void globalThis.process.kill(redis.pid, 'SIGCONT'))
    await trackMany(20, (index) => ({ index: 5 + index }))
    await segment.waitFor(25)
    await tracking.flush()
    const { durationMs } = await tracking.shutdown({ timeout: 2_000 })
    expect(durationMs).toBeLessThan(2_500)
    expectBalance(tracking)
  })

  it.each([
    ['is full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0'], /OOM/],
    [
      'takes no writes as a replica',
      ['REPLICAOF', '127.0.0.1', '1'],
      ['REPLICAOF', 'NO', 'ONE'],
      /READONLY|replica/,
    ],
    [
      'denies a command',
      ['ACL', 'SETUSER', 'default', '-xadd'],
      ['ACL', 'SETUSER', 'default', '+xadd'],
      /NOPERM|permission/,
    ],
  ])(
    'says so and goes on in memory where Redis %s',
    async (_name, begin, end, says) => {
      const { segment, app, process } = await fleet()
      const { tracking, trackMany } = await process()
      await trackMany(5)
      await tracking.flush()
      const [first = '', ...beginning] = begin
      await app.send(first, ...beginning)
      await trackMany(20, (index) => ({ index: 5 + index }))
      await segment.waitFor(25)
      await vi.waitUntil(() => tracking.health().lastError !== undefined)
      expect(tracking.health().lastError).toMatch(says)
      const [last = '', ...ending] = end
      await app.send(last, ...ending)
      await vi.waitUntil(() => tracking.health().lastError === undefined)
      await tracking.flush()
      expect(await tracking.shutdown()).toMatchObject({ delivered: 25, kept: 0 })
      expectBalance(tracking)
    },
    20_000,
  )

  it('says so where something else has the key', async () => {
    const { segment, app, process } = await fleet()
    const first = await process()
    await first.trackMany(1)
    await first.tracking.flush()
    const keys = await app.send('KEYS', 'reqtrack:*:calls')
    const key = String(Array.isArray(keys) ? keys[0] : '')
    await first.tracking.shutdown()
    await app.send('DEL', key)
    await app.send('SET', key, 'x')
    const { tracking, trackMany } = await process()
    await trackMany(20, (index) => ({ index: 1 + index }))
    await segment.waitFor(21)
    expect(tracking.health().lastError).toMatch(/WRONGTYPE/)
    await app.send('DEL', key)
    await vi.waitUntil(() => tracking.health().lastError === undefined)
  }, 20_000)

  it('that is emptied counts what this process had in it, and goes on', async () => {
    const { segment, app, process } = await fleet()
    await segment.stop()
    const { tracking, trackMany } = await process({}, { delivery: { maxPending: 20 } })
    // More than memory takes at once.
    await trackMany(600)
    await vi.waitUntil(async () => (await waiting(app)) === 600)
    await app.send('FLUSHALL')
    await trackMany(10, (index) => ({ index: 600 + index }))
    await segment.start()
    await tracking.flush()
    const { calls } = tracking.stats()
    expect(calls.pending).toBe(0)
    expect(calls.delivered + calls.failed.damaged).toBe(610)
    expect(calls.failed.damaged).toBeGreaterThan(0)
    expect(arrived(segment)).toEqual(expect.arrayContaining(upTo(10).map((index) => 600 + index)))
    expect(tracking.health().lastError).toContain('Redis has lost its data')
    expectBalance(tracking)
  }, 20_000)

  it('hands what a dead process had to a living one, and refuses the call that kills each', async () => {
    const { segment, app, process } = await fleet()
    await segment.stop()
    const first = await process()
    await first.trackMany(10)
    await vi.waitUntil(async () => (await waiting(app)) === 10)
    // As a process that ends without a word: nothing is heard of its consumer any more.
    const keys = await app.send('KEYS', 'reqtrack:*:calls')
    const key = String(Array.isArray(keys) ? keys[0] : '')
    await first.tracking.shutdown({ timeout: 100 })
    const pending = await app.send('XPENDING', key, 'reqtrack', '-', '+', '10')
    const ids = Array.isArray(pending)
      ? pending.map((row: unknown) => String(Array.isArray(row) ? row[0] : ''))
      : []
    expect(ids).toHaveLength(10)
    const [poison = ''] = ids
    await app.send(
      'XCLAIM',
      key,
      'reqtrack',
      'dead',
      '0',
      poison,
      'IDLE',
      '90000',
      'RETRYCOUNT',
      '7',
      'JUSTID',
    )
    await segment.start()
    const next = await process()
    await segment.waitFor(9)
    await vi.waitUntil(() => next.tracking.stats().calls.failed.rejected === 1)
    await next.tracking.flush()
    expect(next.tracking.stats().calls).toMatchObject({ made: 10, delivered: 9, pending: 0 })
    const aside = await app.send('XRANGE', key.replace(':calls', ':aside'), '-', '+')
    expect(JSON.stringify(aside)).toContain('have ended before its outcome')
    expect(await next.tracking.shutdown()).toMatchObject({ kept: 0 })
    expect(await waiting(app)).toBe(0)
  })

  it('keeps calls of two write keys apart, and stores neither key', async () => {
    const { segment, app, process } = await fleet()
    const web = await process({}, { settings: { writeKey: 'key-a-secret' }, delivery: { send: false } })
    await web.trackMany(5)
    await web.tracking.flush()
    const other = await process({}, { settings: { writeKey: 'key-b-secret' } })
    await other.trackMany(3, (index) => ({ index: 100 + index }))
    await segment.waitFor(3)
    await other.tracking.flush()
    expect(segment.calls).toHaveLength(3)
    const all = JSON.stringify(await app.send('KEYS', '*'))
    expect(all).not.toContain('secret')
    await vi.waitUntil(async () => (await waiting(app)) === 5)
  })

  it('gives up the oldest as `overflow` when the stream holds no more', async () => {
    const { segment, app, process } = await fleet()
    const web = await process({ maxCalls: 60 }, { delivery: { send: false } })
    for (let load = 0; load < 6; load++) {
      await web.trackMany(20, (index) => ({ index: load * 20 + index }))
      await web.tracking.flush()
    }
    await vi.waitUntil(async () => (await waiting(app)) === 60)
    // What is given up was handed over first, and is counted where it is given up.
    expect(web.tracking.stats().calls).toMatchObject({ made: 180, relayed: 120, failed: { overflow: 60 } })
    expectBalance(web.tracking)
    const relay = await process()
    await segment.waitFor(60)
    await relay.tracking.flush()
    expect(arrived(segment)).toEqual(upTo(60).map((index) => 60 + index))
  })

  it('holds no more where the answers to removals come late', async () => {
    const { app, process } = await fleet({ seen: (client) => lateToRemove(client, 30) })
    const web = await process({ maxCalls: 60 }, { delivery: { send: false } })
    for (let load = 0; load < 6; load++) {
      await web.trackMany(20, (index) => ({ index: load * 20 + index }))
      await web.tracking.flush()
    }
    await vi.waitUntil(async () => (await waiting(app)) === 60)
  })

  it('warns once of a Redis that may throw calls away, and not where it may not ask', async () => {
    const warned = async (count: number, config: string[], ...denied: string[]) => {
      const { app, process } = await fleet({ redis: config })
      if (denied.length > 0) await app.send('ACL', 'SETUSER', 'default', ...denied)
      const { lines, logger } = keptLog()
      await process({}, { logger })
      const own = () => lines.map(({ message }) => message).filter((line) => line.startsWith('redisOutbox:'))
      if (count > 0) await vi.waitUntil(() => own().length >= count)
      else await new Promise((resolve) => setTimeout(resolve, 500))
      return own()
    }
    expect(await warned(2, ['--maxmemory-policy', 'allkeys-lru'])).toEqual([
      expect.stringContaining('maxmemory-policy is allkeys-lru'),
      expect.stringContaining('neither AOF nor RDB'),
    ])
    expect(await warned(0, ['--appendonly', 'yes', '--appendfsync', 'always'])).toEqual([])
    expect(await warned(0, [], '-info', '-config')).toEqual([])
  })

  describe('with a fallback on the disk', () => {
    it('loses nothing to a dead Redis, nor to a process that is closed meanwhile', async () => {
      const { redis, segment, app, process } = await fleet({
        redis: ['--appendonly', 'yes', '--appendfsync', 'always'],
      })
      const directory = temporaryDirectory()
      const { lines, logger } = keptLog()
      const outbox = () => ({ fallback: fileOutbox({ directory, commitInterval: 0 }) })
      const first = await process(outbox(), { logger })
      await first.trackMany(10)
      await first.tracking.flush()
      await vi.waitUntil(async () => (await waiting(app)) === 0)
      await redis.crash()
      await segment.stop()
      await first.trackMany(20, (index) => ({ index: 10 + index }))
      await vi.waitUntil(() => first.tracking.health().lastError?.includes('fallback'))
      expect(await first.tracking.shutdown()).toMatchObject({ delivered: 10, kept: 20, pending: 0 })
      expect(lines.filter(({ message }) => message.includes('fallback'))).toHaveLength(1)
      await redis.restart()
      await segment.start()
      const second = await process(outbox())
      await segment.waitFor(30, 10_000)
      expect(new Set(arrived(segment))).toEqual(new Set(upTo(30)))
      expect(await second.tracking.shutdown()).toMatchObject({ delivered: 20, kept: 0 })
      expect(await waiting(app)).toBe(0)
    }, 30_000)

    it('gives a process that does not send somewhere to write, and what is there to Redis', async () => {
      const { redis, segment, app, process } = await fleet({
        redis: ['--appendonly', 'yes', '--appendfsync', 'always'],
      })
      const web = await process(
        { fallback: fileOutbox({ directory: temporaryDirectory(), commitInterval: 0 }) },
        { delivery: { send: false } },
      )
      await web.trackMany(5)
      await web.tracking.flush()
      await redis.crash()
      await web.trackMany(10, (index) => ({ index: 5 + index }))
      await vi.waitUntil(() => web.tracking.stats().calls.relayed === 15)
      await redis.restart()
      await vi.waitUntil(async () => (await waiting(app)) === 15)
      const relay = await process()
      await segment.waitFor(15)
      expect(new Set(arrived(segment))).toEqual(new Set(upTo(15)))
      await relay.tracking.shutdown()
      expect(await web.tracking.shutdown()).toMatchObject({ pending: 0, kept: 0 })
    }, 30_000)
  })

  it('without a fallback keeps what a process has that does not send, until Redis is back', async () => {
    const { redis, app, process } = await fleet({ redis: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    const web = await process({}, { delivery: { send: false } })
    await web.trackMany(5)
    await web.tracking.flush()
    await redis.crash()
    await web.trackMany(10)
    await vi.waitUntil(() => web.tracking.health().lastError !== undefined)
    expect(web.tracking.stats().calls).toMatchObject({ made: 15, relayed: 5, pending: 10 })
    await redis.restart()
    await vi.waitUntil(() => web.tracking.stats().calls.relayed === 15)
    expect(await waiting(app)).toBe(15)
    await redis.crash()
    await web.trackMany(4)
    expect(await web.tracking.shutdown({ timeout: 1_000 })).toMatchObject({
      pending: 4,
      kept: 0,
      timedOut: true,
    })
    expect(web.tracking.stats().calls).toMatchObject({ pending: 0, failed: { closed: 4 } })
  }, 30_000)

  it('refuses what is no client and no option, and `send: false` where nobody else would send', async () => {
    const none = JSON.parse('{}')
    expect(() => redisOutbox({ client: none })).toThrow(/client is a client of redis/)
    expect(() => redisOutbox(none)).toThrow(TypeError)
    const { redis } = await fleet()
    const { client } = await clientOf(redis.url)
    const wrong = JSON.parse('{ "maxcalls": 5 }')
    expect(() => redisOutbox({ client, ...wrong })).toThrow(/unknown option maxcalls/)
    expect(() => redisOutbox({ client, maxCalls: 0 })).toThrow(/maxCalls is a number from 1 on; given 0/)
    expect(() => redisOutbox({ client, prefix: 'a{b}' })).toThrow(/without braces/)
    const segment = await segmentServer()
    const fileOnly = { send: false, outbox: fileOutbox({ directory: temporaryDirectory() }) }
    await expect(delivering(segment, { delivery: fileOnly })).rejects.toThrow(/delivery\.send/)
    await expect(delivering(segment, { delivery: { send: false } })).rejects.toThrow(
      /without one nothing would ever be sent/,
    )
  })
})
