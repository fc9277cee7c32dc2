import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import type { RedisServer, RedisServerOptions } from '../../scripts/redis-server.js'

/** The name under which the sentinels know the master. */
export const MASTER = 'calls'

const SENTINELS = 3
const QUORUM = 2
const DEADLINE_MS = 20_000

/** A master that sentinels watch, and the replica that they put in its place. */
export interface Watched {
  readonly replica: RedisServer
  /** The ports of the sentinels. */
  readonly ports: readonly number[]
  /** Resolves when the sentinels have put the replica in the place of the master. */
  failedOver(): Promise<void>
}

/**
 * Has three sentinels watch a master with one replica; resolves when each of them knows all others, and the replica has caught
 * up with the master.
 *
 * @param start - Starts a server that ends with the test.
 */
export async function watchedBySentinels(
  master: RedisServer,
  start: (options: RedisServerOptions) => Promise<RedisServer>,
): Promise<Watched> {
  // A master lets five seconds pass for further replicas.
  await until(master.port, ['CONFIG', 'SET', 'repl-diskless-sync-delay', '0'], (said) => said === 'OK')
  const replica = await start({ options: ['--replicaof', master.host, String(master.port)] })
  await until(replica.port, ['INFO', 'replication'], (info) => info.includes('master_link_status:up'))
  const config = [
    `sentinel monitor ${MASTER} ${master.host} ${master.port} ${QUORUM}`,
    `sentinel down-after-milliseconds ${MASTER} 500`,
    `sentinel failover-timeout ${MASTER} 5000`,
  ]
  const sentinels = await Promise.all(
    Array.from({ length: SENTINELS }, () => start({ options: ['--sentinel'], config })),
  )
  const ports = sentinels.map(({ port }) => port)
  for (const port of ports)
    await until(port, ['SENTINEL', 'MASTER', MASTER], (said) => {
      const [flags, replicas, others] = ['flags', 'num-slaves', 'num-other-sentinels'].map(
        (name) => new RegExp(`\\b${name},([^,]*)`).exec(said)?.[1],
      )
      return flags === 'master' && replicas === '1' && others === String(SENTINELS - 1)
    })
  return {
    replica,
    ports,
    async failedOver() {
      const master = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER]
      for (const port of ports) await until(port, master, (said) => said.endsWith(`,${replica.port}`))
    },
  }
}

/** Asks a server until it says what is waited for. */
async function until(
  port: number,
  command: readonly string[],
  isSaid: (reply: string) => boolean,
): Promise<void> {
  const client = createClient({ socket: { host: '127.0.0.1', port }, RESP: 2 })
  client.on('error', () => {})
  await client.connect()
  try {
    const end = performance.now() + DEADLINE_MS
    for (let said = ''; ; await sleep(50)) {
      said = String(await client.sendCommand([...command]))
      if (isSaid(said)) return
      if (performance.now() > end) throw new Error(`${command.join(' ')} said last: ${said}`)
    }
  } finally {
    client.destroy()
  }
}
