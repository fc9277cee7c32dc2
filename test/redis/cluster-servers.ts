import { vi } from 'vitest'
import { redisServer } from '../support/redis.js'
import { clientOf } from './clients.js'

const SLOTS = 16_384

/** Three nodes, each with a third of the slots, which end with the test. */
export async function clusterServers() {
  const servers = await Promise.all(
    Array.from({ length: 3 }, () => redisServer({ options: ['--cluster-enabled', 'yes', '--save', ''] })),
  )
  const nodes = await Promise.all(
    servers.map(async ({ url, port }) => {
      const { send } = await clientOf(url)
      return { send, port, id: String(await send('CLUSTER', 'MYID')) }
    }),
  )
  const [first] = nodes
  if (!first) throw new Error('there is no node')
  for (const [index, { send }] of nodes.entries()) {
    const from = Math.floor((index * SLOTS) / 3)
    const before = Math.floor(((index + 1) * SLOTS) / 3)
    // Redis 6.2 has no ADDSLOTSRANGE.
    const slots = Array.from({ length: before - from }, (_, at) => String(from + at))
    await send('CLUSTER', 'ADDSLOTS', ...slots)
    await first.send('CLUSTER', 'MEET', '127.0.0.1', String(nodes[index]?.port))
  }
  await vi.waitUntil(
    async () => {
      const infos = await Promise.all(nodes.map(({ send }) => send('CLUSTER', 'INFO')))
      return infos.every(
        (info) => /cluster_state:ok/.test(String(info)) && /cluster_known_nodes:3/.test(String(info)),
      )
    },
    { timeout: 15_000 },
  )
  return { nodes, ports: servers.map(({ port }) => port) }
}
