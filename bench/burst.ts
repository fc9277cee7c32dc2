import { CONNECTIONS, FLUSH_AT, FLUSH_INTERVAL_MS, type Setting } from './http.js'
import type { LoadCommands } from './load.js'
import { start } from './processes.js'
import type { SegmentCommands } from './segment.js'
import type { ServerCommands } from './server/index.js'
import type { ServerOptions } from './server/options.js'
import { EVENTS_OF_A_BURST } from './shop.js'
import { ratioOf, type Spread, spreadOf } from './statistics.js'

/** How much a burst took. */
export interface BurstResult {
  readonly way: ServerOptions['way']
  /** Bytes of the process at its peak, over what it had when idle. */
  readonly overIdle: Spread
  readonly tracked: number
  readonly received: Spread
}

export interface BurstResults {
  readonly events: number
  readonly ways: readonly BurstResult[]
  /** The tracking over the SDK. */
  readonly ratio: Spread
}

const ARRIVAL_TIMEOUT_MS = 90_000

/**
 * Many events at once, from requests that track a thousand each. Every burst is a fresh process's first, since its peak is
 * known only once.
 *
 * @throws If an event that was tracked did not arrive: of the SDK's own it is only told how many did.
 */
export async function runBursts(setting: Setting, events: number, rounds: number): Promise<BurstResults> {
  const direct: Burst[] = []
  const mounted: Burst[] = []
  for (let round = 0; round < rounds; round++) {
    direct.push(await burst(setting, 'direct', events))
    mounted.push(await burst(setting, 'mounted', events))
  }
  const ratio = ratioOf(mounted.map(overIdleOf), direct.map(overIdleOf))
  return { events, ways: [resultOf('direct', direct, events), resultOf('mounted', mounted, events)], ratio }
}

interface Burst {
  readonly overIdle: number
  readonly received: number
}

async function burst(setting: Setting, way: ServerOptions['way'], events: number): Promise<Burst> {
  const server = start<ServerCommands>(setting.files.server, [], setting.node)
  const segment = start<SegmentCommands>(setting.files.segment)
  const load = start<LoadCommands>(setting.files.load)
  try {
    const url = await server.ask('listen', {
      framework: 'express',
      way,
      handler: 'burst',
      host: await segment.ask('url'),
      flushAt: FLUSH_AT,
      flushInterval: FLUSH_INTERVAL_MS,
    })
    const idle = (await server.ask('usage')).rss
    const requests = events / EVENTS_OF_A_BURST
    await load.ask('send', { url, requests, connections: Math.min(CONNECTIONS, requests) })
    const received = await arrived(segment, events)
    if (way === 'mounted' && received !== events) {
      const books = JSON.stringify(await server.ask('books'))
      throw new Error(`a burst of ${events} events: ${received} received; ${books}`)
    }
    return { overIdle: (await server.ask('usage')).peak - idle, received }
  } finally {
    await Promise.all([server.end(), segment.end(), load.end()])
  }
}

/** How many have arrived when all have, or none has for ten seconds. */
async function arrived(segment: ReturnType<typeof start<SegmentCommands>>, events: number): Promise<number> {
  const deadline = performance.now() + ARRIVAL_TIMEOUT_MS
  let received = 0
  let changed = performance.now()
  while (performance.now() < deadline && performance.now() - changed < 10_000) {
    const now = (await segment.ask('received')).received
    if (now !== received) changed = performance.now()
    received = now
    if (received >= events) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return received
}

function overIdleOf({ overIdle }: Burst): number {
  return overIdle
}

function resultOf(way: ServerOptions['way'], bursts: readonly Burst[], tracked: number): BurstResult {
  const received = spreadOf(bursts.map((one) => one.received))
  return { way, overIdle: spreadOf(bursts.map(overIdleOf)), tracked, received }
}
