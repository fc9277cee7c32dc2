import { expect, it, vi } from 'vitest'
import { expectBalance } from '../delivery/delivering.js'
import { hasRedis } from '../support/redis.js'
import { fleet, heldIds, streamOf } from './fleet.js'

const GROUP = 'reqtrack'
const LONG_AGO = '60000'

it.skipIf(!hasRedis)(
  'refuses calls with which many processes ended, whatever else a process has between them',
  async () => {
    const { segment, app, process } = await fleet()
    await segment.stop()
    const web = await process({}, { delivery: { send: false } })
    await web.trackMany(22)
    await web.tracking.flush()
    const key = await streamOf(app)
    await app.send('XREADGROUP', 'GROUP', GROUP, 'dead', 'STREAMS', key, '>')
    const ids = await heldIds(app, key)
    expect(ids).toHaveLength(22)
    const poison = [ids[0] ?? '', ids[21] ?? '']
    const ended = async (which: string[], times: string) => {
      const said = ['IDLE', LONG_AGO, 'RETRYCOUNT', times, 'JUSTID']
      await app.send('XCLAIM', key, GROUP, 'dead', '0', ...which, ...said)
    }
    const { tracking } = await process({ claimAfter: 2_000 })
    await ended(ids.slice(1, 21), '1')
    await vi.waitUntil(() => tracking.stats().calls.made === 20)
    await ended(poison, '9')
    await vi.waitUntil(() => tracking.stats().calls.made === 22)
    await segment.start()
    await segment.waitFor(20)
    await tracking.flush()
    expect(tracking.stats().calls).toMatchObject({ delivered: 20, failed: { rejected: 2 } })
    expectBalance(tracking)
  },
)
