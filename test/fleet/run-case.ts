import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RedisServer, startRedisServer } from '../../scripts/redis-server.js'
import { createSegmentServer, type SegmentServer } from '../../src/testing/index.js'
import { missing } from '../faults/balance.js'
import type { LoadOptions } from '../faults/load.js'
import { type Load, startLoad } from '../faults/process.js'
import { until } from '../faults/stage.js'
import { CLIENTS } from '../redis/libraries.js'
import { type FleetResult, fleetBalance } from './balance.js'
import { proxyTo } from './proxy.js'
import type { FleetCase, FleetStage } from './stage.js'

const RATE = 150
const CLAIM_AFTER_MS = 1_000
const SHUTDOWN_MS = 10_000
const LIBRARIES = Object.keys(CLIENTS)

/** The built files of the processes of a fleet. */
export interface FleetFiles {
  readonly load: string
  readonly relay: string
}

/** Runs a case, with real processes and a real Redis, and draws the balance of the fleet. */
export async function runFleetCase(which: FleetCase, times: number, files: FleetFiles): Promise<FleetResult> {
  const directory = await mkdtemp(join(tmpdir(), 'fleet-'))
  const segment = await createSegmentServer()
  const redis = await startRedisServer({ options: which.redis ?? [] })
  const proxy = await proxyTo(redis.port)
  const others: RedisServer[] = []
  const { claimAfter = CLAIM_AFTER_MS } = which
  const loads: Load[] = []
  let sentinels: readonly number[] | undefined
  const start = async (options: Partial<LoadOptions>, file = files.load) => {
    const library = LIBRARIES[loads.length % LIBRARIES.length] ?? ''
    const load = await startLoad(
      {
        segment: segment.url,
        rate: RATE,
        shutdownMs: SHUTDOWN_MS,
        redis: { url: proxy.url, library, claimAfter, ...(sentinels && { sentinels }) },
        ...options,
      },
      { file },
    )
    loads.push(load)
    return load
  }
  const stage: FleetStage = {
    segment,
    redis,
    proxy,
    times,
    directory,
    claimAfter,
    web: (options) => start({ ...options }),
    writer: (options) => start({ ...options, delivery: { send: false } }),
    relay: () => start({ rate: 0 }, files.relay),
    askSentinels(ports) {
      sentinels = ports
    },
    async command(name, ...more) {
      const open = CLIENTS['redis 6']
      if (!open) throw new Error('there is no client')
      const { send, close } = await open(redis.url)
      try {
        return await send(name, ...more)
      } finally {
        close()
      }
    },
    async another(options) {
      const server = await startRedisServer(options)
      others.push(server)
      return server
    },
  }
  try {
    await which.run(stage)
    segment.respondWith('ok')
    const last = await stage.relay()
    await everythingArrived(which, loads, segment)
    await last.stop()
    return fleetBalance(which, loads, segment)
  } finally {
    for (const load of loads) {
      load.signal('SIGCONT')
      if (!load.exit) await load.kill()
    }
    proxy.close()
    for (const server of [redis, ...others]) await server.stop()
    await segment.close()
    await rm(directory, { recursive: true, force: true })
  }
}

/** Where calls may be lost, nothing more comes when nothing has come for as long as a takeover takes. */
async function everythingArrived({ mayLose }: FleetCase, loads: readonly Load[], segment: SegmentServer) {
  let seen = segment.calls.length
  let since = performance.now()
  await until(() => {
    if (missing(loads, segment).length === 0) return true
    if (segment.calls.length !== seen) since = performance.now()
    seen = segment.calls.length
    return mayLose === true && performance.now() - since > CLAIM_AFTER_MS * 4
  }, 45_000)
}
