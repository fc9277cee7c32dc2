import { describe, expect, it, vi } from 'vitest'
import { arrived, expectBalance, upTo } from '../delivery/delivering.js'
import { hasRedis } from '../support/redis.js'
import { fleet, streamOf, waiting } from './fleet.js'

describe.skipIf(!hasRedis)('a call of a fleet arrives once', () => {
  it.each([
    ['is full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
    ['denies writes', ['ACL', 'SETUSER', 'default', '-xadd'], ['ACL', 'SETUSER', 'default', '+xadd']],
  ])(
    'although it was sent from memory while Redis %s, and another process reads',
    async (_name, begin, end) => {
      const { segment, app, process } = await fleet()
      const web = await process()
      const relay = await process()
      await web.trackMany(5)
      await web.tracking.flush()
      const [first = '', ...beginning] = begin
      await app.send(first, ...beginning)
      for (let from = 5; from < 105; from += 10) {
        await web.trackMany(10, (index) => ({ index: from + index }))
        await segment.waitFor(from + 10)
      }
      const [last = '', ...ending] = end
      await app.send(last, ...ending)
      await vi.waitUntil(() => web.tracking.health().lastError === undefined)
      await web.trackMany(20, (index) => ({ index: 105 + index }))
      await segment.waitFor(125)
      await web.tracking.flush()
      expect(await web.tracking.shutdown()).toMatchObject({ kept: 0, pending: 0 })
      expect(await relay.tracking.shutdown()).toMatchObject({ kept: 0, pending: 0 })
      expect(new Set(arrived(segment))).toEqual(new Set(upTo(125)))
      expect(segment.duplicates).toEqual([])
      expect(await waiting(app)).toBe(0)
      expectBalance(web.tracking)
      expectBalance(relay.tracking)
    },
    30_000,
  )

  it('although Redis has written it so late that it was sent from memory', async () => {
    const { segment, app, process } = await fleet()
    const { tracking, trackMany } = await process()
    await trackMany(5)
    await tracking.flush()
    await app.send('CLIENT', 'PAUSE', '4000', 'WRITE')
    await trackMany(20, (index) => ({ index: 5 + index }))
    await segment.waitFor(25)
    await vi.waitUntil(() => tracking.health().lastError === undefined)
    await tracking.flush()
    await vi.waitUntil(async () => (await waiting(app)) === 0)
    expect(segment.duplicates).toEqual([])
    expect(await tracking.shutdown()).toMatchObject({ delivered: 25, kept: 0, pending: 0 })
  }, 20_000)

  it('and is removed as soon as it has, although Redis takes nothing new', async () => {
    const { segment, app, process } = await fleet()
    await segment.stop()
    const { trackMany } = await process()
    await trackMany(10)
    await vi.waitUntil(async () => (await waiting(app)) === 10)
    await app.send('ACL', 'SETUSER', 'default', '-xadd')
    await trackMany(5, (index) => ({ index: 10 + index }))
    await segment.start()
    await segment.waitFor(15)
    await vi.waitUntil(async () => (await waiting(app)) === 0)
  }, 20_000)

  it('although it is in the stream twice, for the process that has sent it lately', async () => {
    const { segment, app, process } = await fleet()
    await segment.stop()
    const { tracking, trackMany } = await process()
    await trackMany(3)
    await vi.waitUntil(async () => (await waiting(app)) === 3)
    const key = await streamOf(app)
    const entries = [await app.send('XRANGE', key, '-', '+')].flat()
    const copies = entries.map((entry) => (Array.isArray(entry) ? [entry[1]].flat().map(String) : []))
    await segment.start()
    await segment.waitFor(3)
    await tracking.flush()
    for (const fields of copies) await app.send('XADD', key, '*', ...fields)
    await vi.waitUntil(() => tracking.stats().calls.deduplicated === 3)
    await vi.waitUntil(async () => (await waiting(app)) === 0)
    expect(segment.duplicates).toEqual([])
    expect(tracking.stats().calls).toMatchObject({ made: 3, delivered: 3 })
    expectBalance(tracking)
  })

  it('by the process that was handed it, where the answer that said so was lost', async () => {
    const { redis, segment, app, process } = await fleet({
      redis: ['--appendonly', 'yes', '--appendfsync', 'always'],
    })
    const web = await process({}, { delivery: { send: false } })
    await web.trackMany(1)
    await web.tracking.flush()
    const relay = await process({ claimAfter: 4_000 })
    await segment.waitFor(1)
    await relay.tracking.flush()
    await vi.waitUntil(async () => (await waiting(app)) === 0)
    const key = await streamOf(app)
    const consumers = JSON.stringify(await app.send('XINFO', 'CONSUMERS', key, 'reqtrack'))
    const consumer = /"name"[:,]"([^"]+)"/.exec(consumers)?.[1] ?? ''
    expect(consumer).not.toBe('')
    const other = await process({ claimAfter: 4_000 })
    // What is written and read in one transaction wakes no reader.
    const script = `redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))
      return redis.call('XREADGROUP', 'GROUP', 'reqtrack', ARGV[1], 'STREAMS', KEYS[1], '>')`
    await app.send('EVAL', script, '1', key, consumer, ...fieldsOfCall('m-lost', 1))
    await redis.crash()
    await vi.waitUntil(() => relay.tracking.health().lastError !== undefined)
    await redis.restart()
    await segment.waitFor(2)
    await vi.waitUntil(() => relay.tracking.stats().calls.delivered === 2)
    await vi.waitUntil(async () => (await waiting(app)) === 0)
    expect(other.tracking.stats().calls.made).toBe(0)
  }, 20_000)

  it('although another process begins as soon as Redis is back', async () => {
    const { redis, segment, app, process } = await fleet({
      redis: ['--appendonly', 'yes', '--appendfsync', 'always'],
    })
    await segment.stop()
    const claimAfter = 2_000
    const web = await process({ claimAfter })
    await web.trackMany(30)
    await vi.waitUntil(async () => (await waiting(app)) === 30)
    await redis.crash()
    // A pause that only doubles has come to three seconds by then, and has just begun.
    await new Promise((resolve) => setTimeout(resolve, 4_000))
    await redis.restart()
    const other = await process({ claimAfter })
    await new Promise((resolve) => setTimeout(resolve, claimAfter))
    await segment.start()
    await segment.waitFor(30)
    await web.tracking.flush()
    await other.tracking.flush()
    expect(segment.calls).toHaveLength(30)
    expect(other.tracking.stats().calls.made).toBe(0)
  }, 20_000)

  it('although a process has been away with Redis for longer than the claim time', async () => {
    const { redis, segment, app, process } = await fleet({
      redis: ['--appendonly', 'yes', '--appendfsync', 'always'],
    })
    await segment.stop()
    // Half of it is what a living process has to renew when Redis is back.
    const claimAfter = 3_000
    const web = await process({ claimAfter })
    const other = await process({ claimAfter })
    await web.trackMany(30)
    await vi.waitUntil(async () => (await waiting(app)) === 30)
    await redis.crash()
    await new Promise((resolve) => setTimeout(resolve, claimAfter + 500))
    await redis.restart()
    await segment.start()
    await segment.waitFor(30)
    await Promise.all([web.tracking.flush(), other.tracking.flush()])
    expect(web.tracking.stats().calls.delivered + other.tracking.stats().calls.delivered).toBe(30)
    expect(segment.duplicates).toEqual([])
  }, 20_000)
})

/** The fields of an entry as this version writes them. */
function fieldsOfCall(messageId: string, index: number): string[] {
  const params = { userId: 'u-1', event: 'E', messageId, timestamp: new Date(), properties: { index } }
  return ['v', '1', 't', 'track', 'm', messageId, 'a', String(Date.now()), 'p', JSON.stringify(params)]
}
