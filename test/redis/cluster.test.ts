import { describe, expect, it, vi } from 'vitest'
import { redisOutbox } from '../../src/redis/index.js'
import { checkOutbox } from '../../src/testing/index.js'
import { arrived, delivering, upTo } from '../delivery/delivering.js'
import { hasRedis } from '../support/redis.js'
import { segmentServer } from '../support/servers.js'
import { CLUSTER_CLIENTS } from './cluster-clients.js'
import { clusterServers } from './cluster-servers.js'

describe.skipIf(!hasRedis)('an outbox on a cluster of three nodes', () => {
  it.each(Object.entries(CLUSTER_CLIENTS))(
    'keeps the contract of every engine, with %s',
    async (_name, open) => {
      const { ports } = await clusterServers()
      const client = await open(ports)
      const { kept } = await checkOutbox(() => redisOutbox({ client, claimAfter: 400, commitInterval: 0 }), {
        takeoverMs: 8_000,
        settleMs: 150,
      })
      expect(kept.length).toBeGreaterThan(9)
    },
    60_000,
  )

  it.each(Object.entries(CLUSTER_CLIENTS))(
    'goes along with a slot that moves, with %s',
    async (_name, open) => {
      const { nodes, ports } = await clusterServers()
      const client = await open(ports)
      const segment = await segmentServer()
      await segment.stop()
      const { tracking, trackMany } = await delivering(segment, {
        delivery: { outbox: redisOutbox({ client, commitInterval: 0 }) },
      })
      await trackMany(20)
      const holder = async () => {
        for (const node of nodes) {
          const [key] = [await node.send('KEYS', 'reqtrack:*:calls')].flat().map(String)
          if (key) return { node, key }
        }
        return undefined
      }
      await vi.waitUntil(holder)
      const found = await holder()
      if (!found) throw new Error('no node has the stream')
      const { node: from, key } = found
      const to = nodes.find((node) => node !== from)
      if (!to) throw new Error('there is no other node')
      const slot = String(await from.send('CLUSTER', 'KEYSLOT', key))
      await to.send('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id)
      await from.send('CLUSTER', 'SETSLOT', slot, 'MIGRATING', to.id)
      const keys = [await from.send('CLUSTER', 'GETKEYSINSLOT', slot, '10')].flat().map(String)
      for (const each of keys) await from.send('MIGRATE', '127.0.0.1', String(to.port), each, '0', '5000')
      for (const { send } of [to, from, ...nodes]) await send('CLUSTER', 'SETSLOT', slot, 'NODE', to.id)
      await trackMany(20, (index) => ({ index: 20 + index }))
      await segment.start()
      await tracking.flush({ timeout: 15_000 })
      expect(new Set(arrived(segment))).toEqual(new Set(upTo(40)))
      expect(await tracking.shutdown()).toMatchObject({ delivered: 40, kept: 0 })
      await vi.waitUntil(async () => Number(await to.send('XLEN', key)) === 0)
    },
    40_000,
  )
})
