import { CONNECTIONS, FLUSH_AT, FLUSH_INTERVAL_MS, type Setting } from './http.js'
import type { LoadCommands, LoadResult } from './load.js'
import { start } from './processes.js'
import type { SegmentCommands } from './segment.js'
import type { ServerCommands } from './server/index.js'
import type { ServerOptions } from './server/options.js'

/** What an outage did to a server. */
export interface OutageResult {
  readonly way: ServerOptions['way']
  /** While Segment answered after two seconds. */
  readonly slow: LoadResult
  /** While it did not answer at all. */
  readonly silent: LoadResult
  /** Microseconds of CPU for a request, from the first to the last delivery. */
  readonly cpu: number
  /** Bytes of the process at its peak, over what it had when idle. */
  readonly overIdle: number
  readonly tracked: number
  /** Different calls, a while after Segment was back. */
  readonly received: number
}

const REQUESTS_A_SECOND = 300
const ARRIVAL_TIMEOUT_MS = 60_000

/**
 * Segment answers after two seconds, then not at all, then as ever. Requests come at a rate that every server can serve:
 * what the outage does to their latency is what is looked for.
 *
 * @param seconds - How long each of the two faults lasts.
 * @throws If a request failed, or an event of the tracking is neither received nor counted as failed.
 */
export async function runOutage(
  setting: Setting,
  way: 'direct' | 'mounted',
  seconds: number,
): Promise<OutageResult> {
  const server = start<ServerCommands>(setting.files.server, [], setting.node)
  const segment = start<SegmentCommands>(setting.files.segment)
  const load = start<LoadCommands>(setting.files.load)
  try {
    const url = await server.ask('listen', {
      framework: 'express',
      way,
      handler: 'order',
      host: await segment.ask('url'),
      flushAt: FLUSH_AT,
      flushInterval: FLUSH_INTERVAL_MS,
    })
    const paced = {
      url,
      requests: REQUESTS_A_SECOND * seconds,
      connections: CONNECTIONS,
      rate: REQUESTS_A_SECOND,
    }
    await load.ask('send', { ...paced, requests: REQUESTS_A_SECOND })
    const before = await server.ask('usage')
    await segment.ask('respondWith', { delay: 2_000 })
    const slow = await load.ask('send', paced)
    await segment.ask('respondWith', { hang: true })
    const silent = await load.ask('send', paced)
    await segment.ask('respondWith', 'ok')
    const after = await server.ask('usage')
    const received = await allReceived(segment, after.handled)
    const { cpu, peak, handled } = await server.ask('usage')
    if (slow.failed + silent.failed > 0) throw new Error(`an outage of Segment failed requests: ${way}`)
    if (way === 'mounted' && received !== handled) {
      throw new Error(
        `${handled} tracked, ${received} received; ${JSON.stringify(await server.ask('books'))}`,
      )
    }
    return {
      way,
      slow,
      silent,
      cpu: (cpu - before.cpu) / (handled - before.handled),
      overIdle: peak - before.rss,
      tracked: handled,
      received,
    }
  } finally {
    await Promise.all([server.end(), segment.end(), load.end()])
  }
}

async function allReceived(
  segment: ReturnType<typeof start<SegmentCommands>>,
  wanted: number,
): Promise<number> {
  const deadline = performance.now() + ARRIVAL_TIMEOUT_MS
  for (;;) {
    const { received } = await segment.ask('received')
    if (received >= wanted || performance.now() > deadline) return received
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
