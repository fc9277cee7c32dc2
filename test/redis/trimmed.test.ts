import { describe, expect, it, vi } from 'vitest'
import { arrived, expectBalance, keptLog, upTo } from '../delivery/delivering.js'
import { hasRedis } from '../support/redis.js'
import { beforeRedis7 } from './before-redis-7.js'
import { fleet as fleetOf, heldIds, streamOf, waiting } from './fleet.js'

const SAYS_SO = 'are gone from the stream'

/** Redis as it is, and as it answers before Redis 7, whichever it is. */
const SEEN = { 'is there': undefined, 'answers as before Redis 7': beforeRedis7 }

describe.skipIf(!hasRedis).each(Object.entries(SEEN))(
  'what somebody else removes from the stream, on the Redis that %s',
  (_name, seen) => {
    const fleet = () => fleetOf(seen ? { seen } : {})

    it('is stored again while a process holds it, and said once', async () => {
      const { segment, app, process } = await fleet()
      await segment.stop()
      const { lines, logger } = keptLog()
      const first = await process({}, { logger })
      await first.trackMany(20)
      await vi.waitUntil(async () => (await waiting(app)) === 20)
      const key = await streamOf(app)
      await app.send('XTRIM', key, 'MAXLEN', '0')
      await vi.waitUntil(async () => (await waiting(app)) === 20)
      await app.send('XTRIM', key, 'MAXLEN', '5')
      await vi.waitUntil(async () => (await waiting(app)) === 20)
      expect(lines.filter(({ message }) => message.includes(SAYS_SO))).toHaveLength(1)
      expect(first.tracking.health().lastError).toContain(SAYS_SO)
      expect(await first.tracking.shutdown()).toMatchObject({ kept: 20, pending: 0 })
      expectBalance(first.tracking)
      await segment.start()
      const second = await process()
      await segment.waitFor(20)
      await second.tracking.flush()
      expect(new Set(arrived(segment))).toEqual(new Set(upTo(20)))
      expect(segment.duplicates).toEqual([])
      expect(await heldIds(app, key)).toEqual([])
    }, 20_000)

    it.each([
      ['overflow', 0],
      ['expired', 24 * 60 * 60 * 1_000],
    ] as const)(
      'from under an ended process counts as `%s` where it is claimed',
      async (reason, ageMs) => {
        const { segment, app, process } = await fleet()
        const web = await process({}, { delivery: { send: false } })
        await web.trackMany(1)
        await web.tracking.flush()
        const key = await streamOf(app)
        // A stream takes no id that is older than its last one.
        await app.send('DEL', key)
        await app.send('XGROUP', 'CREATE', key, 'reqtrack', '0', 'MKSTREAM')
        for (let index = 0; index < 10; index++) {
          const params = { userId: 'u', event: 'E', messageId: `m-${index}`, properties: { index } }
          const text = JSON.stringify({ ...params, timestamp: new Date() })
          const call = ['v', '1', 't', 'track', 'm', `m-${index}`, 'a', String(Date.now()), 'p', text]
          await app.send('XADD', key, `${Date.now() - ageMs}-${index + 1}`, ...call)
        }
        await app.send('XREADGROUP', 'GROUP', 'reqtrack', 'dead', 'STREAMS', key, '>')
        const ids = await heldIds(app, key)
        expect(ids).toHaveLength(10)
        // From the front, and from between others.
        await app.send('XDEL', key, ...[0, 1, 4, 7].flatMap((at) => ids[at] ?? []))
        const { lines, logger } = keptLog()
        const { tracking } = await process({ claimAfter: 300 }, { logger })
        await segment.waitFor(6)
        await tracking.flush()
        expect(arrived(segment)).toEqual([2, 3, 5, 6, 8, 9])
        await vi.waitUntil(() => tracking.stats().calls.failed[reason] === 4)
        expect(lines.filter(({ message }) => message.includes(SAYS_SO))).toHaveLength(1)
        expect(tracking.stats().calls).toMatchObject({ made: 10, delivered: 6, pending: 0 })
        expectBalance(tracking)
        expect(await heldIds(app, key)).toEqual([])
      },
      20_000,
    )
  },
)
