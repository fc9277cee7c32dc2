import { ensureRedis } from '../../scripts/ensure-redis.js'
import { type RedisServer, startRedisServer } from '../../scripts/redis-server.js'
import { CONNECTIONS, FLUSH_INTERVAL_MS, type Setting } from '../http.js'
import type { LoadCommands } from '../load.js'
import { type Child, start } from '../processes.js'
import type { SegmentCommands } from '../segment.js'
import type { ServerCommands } from '../server/index.js'
import { EVENTS_OF_A_BURST } from '../shop.js'
import { redisMemory } from './redis-memory.js'
import type { RelayCommands } from './relay.js'

/** What so many web processes and relays came to. */
export interface FleetRun {
  readonly webs: number
  readonly relays: number
  /** Events a second, from the first request to the last delivery. */
  readonly perSecond: number
  /** Microseconds of CPU of a web process for a request with an event, and of a relay for a call. */
  readonly webCpu: number
  readonly relayCpu: number
  readonly tracked: number
  readonly received: number
}

/** What a backlog takes, and how one relay sends it. */
export interface BacklogResult {
  readonly calls: number
  /** Bytes of Redis' memory for each call. */
  readonly redisBytes: number
  /** Calls a second that one web process has written to Redis. */
  readonly writtenPerSecond: number
  readonly drainedPerSecond: number
  /** Microseconds of the relay's CPU for a call. */
  readonly relayCpu: number
  /** Bytes of the relay's process with a tenth of the backlog sent, and at its largest. */
  readonly earlyRss: number
  readonly peakRss: number
}

export interface FleetResults {
  readonly runs: readonly FleetRun[]
  readonly backlog: BacklogResult
}

/** How much is measured. */
export interface FleetEffort {
  /** Requests to each web process. */
  readonly requests: number
  /** Calls of the backlog. */
  readonly backlog: number
}

const SIZES = [
  [1, 1],
  [2, 1],
  [2, 2],
  [4, 2],
] as const
/** Requests of a backlog, with a thousand events each, between two looks whether all is written. */
const REQUESTS_AT_ONCE = 25
const ARRIVAL_TIMEOUT_MS = 600_000
const LOOK_MS = 50

/** Measures fleets of several sizes, and a backlog. */
export async function runFleet(setting: Setting, effort: FleetEffort): Promise<FleetResults> {
  ensureRedis()
  const runs: FleetRun[] = []
  for (const [webs, relays] of SIZES) runs.push(await runSize(setting, webs, relays, effort.requests))
  return { runs, backlog: await runBacklog(setting, effort.backlog) }
}

async function runSize(setting: Setting, webs: number, relays: number, requests: number): Promise<FleetRun> {
  const stage = await openStage(setting)
  try {
    const servers = await Promise.all(Array.from({ length: webs }, () => stage.web('order')))
    const senders = await Promise.all(Array.from({ length: relays }, () => stage.relay()))
    const shoot = (each: number) =>
      Promise.all(
        servers.map(async ({ url, load }) => {
          const { failed } = await load.ask('send', { url, requests: each, connections: CONNECTIONS })
          if (failed > 0) throw new Error(`${failed} requests to a fleet failed`)
        }),
      )
    const warmUp = Math.max(CONNECTIONS, Math.ceil(requests / 4))
    await shoot(warmUp)
    await stage.allReceived(warmUp * webs)
    const before = await usageOf(servers, senders)
    const began = performance.now()
    await shoot(requests)
    const tracked = (warmUp + requests) * webs
    await stage.allReceived(tracked)
    const ms = performance.now() - began
    const after = await usageOf(servers, senders)
    const events = requests * webs
    return {
      webs,
      relays,
      perSecond: (events * 1_000) / ms,
      webCpu: (after.web - before.web) / events,
      relayCpu: (after.relay - before.relay) / events,
      tracked,
      received: await stage.received(),
    }
  } finally {
    await stage.close()
  }
}

async function usageOf(
  servers: readonly { readonly server: Child<ServerCommands> }[],
  senders: readonly Child<RelayCommands>[],
): Promise<{ readonly web: number; readonly relay: number }> {
  const webs = await Promise.all(servers.map(({ server }) => server.ask('usage')))
  const relays = await Promise.all(senders.map((sender) => sender.ask('usage')))
  const sum = (all: readonly { readonly cpu: number }[]) => all.reduce((total, { cpu }) => total + cpu, 0)
  return { web: sum(webs), relay: sum(relays) }
}

async function runBacklog(setting: Setting, calls: number): Promise<BacklogResult> {
  const stage = await openStage(setting)
  try {
    const { url, load } = await stage.web('burst')
    const empty = await redisMemory(stage.redis.url)
    const requests = Math.ceil(calls / EVENTS_OF_A_BURST)
    const began = performance.now()
    const made = requests * EVENTS_OF_A_BURST
    // More at once than memory holds would be refused before Redis has it.
    for (let sent = 0; sent < requests; sent += REQUESTS_AT_ONCE) {
      const some = Math.min(REQUESTS_AT_ONCE, requests - sent)
      await load.ask('send', { url, requests: some, connections: 1 })
      const written = (sent + some) * EVENTS_OF_A_BURST
      await until(async () => (await redisMemory(stage.redis.url)).calls === written)
    }
    const writtenMs = performance.now() - began
    const full = await redisMemory(stage.redis.url)
    const drainBegan = performance.now()
    const relay = await stage.relay()
    let earlyRss = 0
    let peakRss = 0
    await until(async () => {
      const { rss, delivered } = await relay.ask('usage')
      if (delivered <= made / 10 || earlyRss === 0) earlyRss = rss
      peakRss = Math.max(peakRss, rss)
      return delivered >= made
    })
    const { cpu } = await relay.ask('usage')
    const received = await stage.received()
    if (received !== made) throw new Error(`${made} calls waited, ${received} arrived`)
    return {
      calls: made,
      redisBytes: (full.bytes - empty.bytes) / made,
      writtenPerSecond: (made * 1_000) / writtenMs,
      drainedPerSecond: (made * 1_000) / (performance.now() - drainBegan),
      relayCpu: cpu / made,
      earlyRss,
      peakRss,
    }
  } finally {
    await stage.close()
  }
}

/** A Redis, a Segment, and what makes processes of them. */
async function openStage(setting: Setting) {
  const redis: RedisServer = await startRedisServer()
  const segment = start<SegmentCommands>(setting.files.segment)
  const host = await segment.ask('url')
  const children: { end(): Promise<void> }[] = [segment]
  const received = async () => (await segment.ask('received')).received
  return {
    redis,
    received,
    async web(handler: 'order' | 'burst') {
      const server = start<ServerCommands>(setting.files.server, setting.execArgv, setting.node)
      const load = start<LoadCommands>(setting.files.load)
      children.push(server, load)
      const options = {
        framework: 'express',
        way: 'mounted',
        handler,
        host,
        flushInterval: FLUSH_INTERVAL_MS,
      } as const
      const url = await server.ask('listen', { ...options, redis: redis.url })
      return { server, load, url }
    },
    async relay() {
      const relay = start<RelayCommands>(setting.files.relay, setting.execArgv, setting.node)
      children.push(relay)
      await relay.ask('deliver', { redis: redis.url, host })
      return relay
    },
    async allReceived(wanted: number) {
      await until(async () => (await received()) >= wanted)
      const { received: different, again } = await segment.ask('received')
      if (different !== wanted || again > 0)
        throw new Error(`a fleet tracked ${wanted}, ${different} were received, ${again} of them again`)
    },
    async close() {
      await Promise.all(children.map((child) => child.end()))
      await redis.stop()
    },
  }
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + ARRIVAL_TIMEOUT_MS
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('a fleet has not sent everything in ten minutes')
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}
