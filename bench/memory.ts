import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Setting } from './http.js'
import type { PacedLoadCommands, PacedResult } from './paced-load.js'
import { start } from './processes.js'
import type { SegmentCommands } from './segment.js'
import type { ServerCommands } from './server/index.js'
import type { ServerOptions } from './server/options.js'

/** What is looked at: the ways of a server, each under the same load and the same outage. */
const WAYS: readonly (Pick<ServerOptions, 'way'> & { readonly name: string; readonly isOnDisk?: true })[] = [
  { name: 'bare', way: 'bare' },
  { name: 'reqtrack', way: 'mounted' },
  { name: 'reqtrack with fileOutbox', way: 'mounted', isOnDisk: true },
  { name: '@segment/analytics-node', way: 'direct' },
]

/** One look at a server. */
export interface MemorySample {
  /** Seconds since the load began. */
  readonly at: number
  /** Resident memory, in bytes. */
  readonly rss: number
}

export interface MemoryResult {
  readonly name: string
  readonly samples: readonly MemorySample[]
  readonly load: PacedResult
  /** When its process ended by itself, in seconds since the load began: it had no memory left. */
  readonly ended: number | undefined
  /** Different events that have arrived, by half a minute after the load. */
  readonly received: number
  /** Events that arrived more than once. */
  readonly again: number
  /** What the books say at the end, where somebody keeps any. */
  readonly books: unknown
}

export interface MemoryResults {
  readonly seconds: number
  /** Events a second. */
  readonly rate: number
  /** When Segment was out, in seconds since the load began. */
  readonly outage: readonly [from: number, to: number]
  readonly ways: readonly MemoryResult[]
}

const SAMPLES = 360
/** The SDK retries a batch for so long, and reqtrack asks a gate that was shut. */
const AFTERWARDS_MS = 60_000
const CONNECTIONS = 20

/**
 * A steady load for a long time, with Segment answering 503 from a third of it to a half. All ways run beside each other,
 * each with an endpoint of its own.
 *
 * @param rate - Requests a second for each, with one event each.
 * @throws If a request failed, but for those of the SDK's server: its failures are a result.
 */
export async function runMemory(
  setting: Setting & { readonly files: Readonly<Record<'pacedLoad', string>> },
  rate: number,
  seconds: number,
): Promise<MemoryResults> {
  const outage = [seconds / 3, seconds / 2] as const
  const ways = await Promise.all(
    WAYS.map(async ({ name, way, isOnDisk }): Promise<MemoryResult> => {
      const directory = isOnDisk && mkdtempSync(join(tmpdir(), 'bench-memory-'))
      const server = start<ServerCommands>(setting.files.server, setting.execArgv, setting.node)
      const segment = start<SegmentCommands>(setting.files.segment)
      const load = start<PacedLoadCommands>(setting.files.pacedLoad)
      try {
        const url = await server.ask('listen', {
          framework: setting.framework,
          way,
          handler: 'order',
          host: await segment.ask('url'),
          flushInterval: 10_000,
          hasDefaultBounds: true,
          ...(directory && { outbox: directory }),
        })
        const began = performance.now()
        const now = () => (performance.now() - began) / 1_000
        const samples: MemorySample[] = []
        let ended: number | undefined
        const look = async () => {
          const usage = await server.ask('usage').catch(() => undefined)
          if (usage) samples.push({ at: now(), rss: usage.rss })
          else ended ??= now()
        }
        const looking = setInterval(look, (seconds * 1_000) / SAMPLES)
        const faults = [
          setTimeout(() => segment.ask('respondWith', { status: 503 }), outage[0] * 1_000),
          setTimeout(() => segment.ask('respondWith', 'ok'), outage[1] * 1_000),
        ]
        const result = await load.ask('send', { url, rate, seconds, connections: CONNECTIONS })
        clearInterval(looking)
        for (const fault of faults) clearTimeout(fault)
        if (result.failed > 0 && way !== 'direct')
          throw new Error(`${result.failed} requests failed: ${name}`)
        if (way !== 'bare' && ended === undefined) await arrival(segment, result.requests - result.failed)
        const { received, again } = await segment.ask('received')
        const books = ended === undefined ? await server.ask('books') : undefined
        return { name, samples, load: result, ended, received, again, books }
      } finally {
        await Promise.all([server.end(), segment.end(), load.end()])
        if (directory) rmSync(directory, { recursive: true })
      }
    }),
  )
  return { seconds, rate, outage, ways }
}

/** Waits until all have arrived, or nothing more does. */
async function arrival(segment: ReturnType<typeof start<SegmentCommands>>, wanted: number): Promise<void> {
  let last = await segment.ask('received')
  let changed = performance.now()
  while (last.received < wanted && performance.now() - changed < AFTERWARDS_MS) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    const now = await segment.ask('received')
    if (now.received !== last.received) changed = performance.now()
    last = now
  }
}
