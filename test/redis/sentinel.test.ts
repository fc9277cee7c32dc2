import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { redisOutbox } from '../../src/redis/index.js'
import { checkOutbox } from '../../src/testing/index.js'
import { arrived, delivering, expectBalance, upTo } from '../delivery/delivering.js'
import { proxyTo } from '../fleet/proxy.js'
import { hasRedis, redisServer } from '../support/redis.js'
import { segmentServer } from '../support/servers.js'
import { type Moved, SENTINEL_CLIENTS } from './sentinel-clients.js'
import { watchedBySentinels } from './sentinel-servers.js'

const IDLE = fileURLToPath(new URL('fixtures/idle.ts', import.meta.url))

/** A master, its replica and three sentinels, and clients of a library, which end with the test. */
async function watched(library: string) {
  const master = await redisServer()
  const { ports, replica } = await watchedBySentinels(master, redisServer)
  const client = async (moved?: Moved) => {
    const open = SENTINEL_CLIENTS[library]
    if (!open) throw new Error(`there is no client ${library}`)
    const made = await open(ports, moved)
    onTestFinished(() => made.close())
    return made
  }
  return { master, replica, ports, client }
}

describe.skipIf(!hasRedis).each(Object.keys(SENTINEL_CLIENTS))(
  'an outbox behind sentinels, with %s',
  (library) => {
    it('keeps the contract of every engine', async () => {
      const { client } = await (await watched(library)).client()
      const { kept } = await checkOutbox(() => redisOutbox({ client, claimAfter: 400, commitInterval: 0 }), {
        takeoverMs: 8_000,
        settleMs: 150,
      })
      expect(kept.length).toBeGreaterThan(9)
    }, 60_000)

    it('goes on with the replica when the master is killed', async () => {
      const { master, replica, client } = await watched(library)
      const segment = await segmentServer()
      const process = async (send: boolean) => {
        const { client: own } = await client()
        const outbox = redisOutbox({ client: own, claimAfter: 800, commitInterval: 5 })
        return delivering(segment, { delivery: { outbox, send } })
      }
      const [web, relay] = [await process(false), await process(true)]
      const { send } = await client()
      await web.trackMany(20)
      await segment.waitFor(20, 20_000)
      // What waits is on the replica, too, before the master dies.
      await segment.stop()
      await web.trackMany(20, (index) => ({ index: 20 + index }))
      await web.tracking.flush()
      await send('WAIT', '1', '5000')
      await master.crash()
      await web.trackMany(20, (index) => ({ index: 40 + index }))
      await vi.waitUntil(() => web.tracking.health().lastError?.includes('outbox') === true)
      await segment.start()
      await segment.waitFor(60, 40_000)
      expect(String(await send('INFO', 'server'))).toContain(`tcp_port:${replica.port}`)
      // The relay's waiting read has found the new master.
      await web.trackMany(20, (index) => ({ index: 60 + index }))
      await segment.waitFor(80, 20_000)
      expect(new Set(arrived(segment))).toEqual(new Set(upTo(80)))
      expect(await web.tracking.shutdown()).toMatchObject({ pending: 0, kept: 0 })
      expect(await relay.tracking.shutdown()).toMatchObject({ pending: 0, kept: 0 })
      expectBalance(web.tracking)
      expectBalance(relay.tracking)
    }, 90_000)

    it('goes on with the replica, although the sentinels have named a master that could not be reached', async () => {
      const { master, replica, client } = await watched(library)
      const wire = await proxyTo(master.port)
      onTestFinished(() => wire.close())
      const { client: own, send } = await client({ [`${master.host}:${master.port}`]: wire.port })
      const segment = await segmentServer()
      const outbox = redisOutbox({ client: own, commitInterval: 5 })
      const { tracking, trackMany } = await delivering(segment, { delivery: { outbox } })
      await trackMany(5)
      await segment.waitFor(5, 20_000)
      wire.cut()
      await trackMany(5, (index) => ({ index: 5 + index }))
      // The client has asked the sentinels by then.
      await vi.waitUntil(() => tracking.health().lastError?.includes('outbox') === true)
      await master.crash()
      expect(String(await send('INFO', 'server'))).toContain(`tcp_port:${replica.port}`)
      await trackMany(5, (index) => ({ index: 10 + index }))
      await segment.waitFor(15, 20_000)
      expect(new Set(arrived(segment))).toEqual(new Set(upTo(15)))
      expect(await tracking.shutdown()).toMatchObject({ pending: 0, kept: 0 })
      expectBalance(tracking)
    }, 60_000)

    it('keeps no process running that has closed its client', async () => {
      const { ports } = await watched(library)
      const segment = await segmentServer()
      const child = spawn(process.execPath, ['--import', 'tsx', IDLE], {
        env: { ...process.env, IDLE: JSON.stringify({ segment: segment.url, library, ports }) },
        stdio: ['ignore', 'inherit', 'inherit'],
      })
      onTestFinished(() => void child.kill('SIGKILL'))
      const ended = once(child, 'exit')
      await segment.waitFor(1, 20_000)
      expect(await ended).toEqual([0, null])
    }, 40_000)
  },
)
