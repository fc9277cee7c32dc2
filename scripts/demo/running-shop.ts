import { createServer, type Server } from 'node:http'
import type { DroppedEvent, ShutdownReport, Tracking } from '../../src/index.js'
import { inspector } from '../../src/inspector/index.js'
import { createSegmentServer, formatCall, type SegmentServer } from '../../src/testing/index.js'
import type { Shop } from './shops.js'

/** Milliseconds after which a call is sent, so that it shows at once. */
export const FLUSH_INTERVAL_MS = 50

/** Where the shop shows what it tracks. */
export const INSPECTOR_PATH = '/__reqtrack'

/** A shop that tracks to an endpoint of its own. */
export interface RunningShop {
  readonly url: string
  readonly server: Server
  readonly segment: SegmentServer
  readonly tracking: Tracking
}

/**
 * Starts a local Segment endpoint and a shop that tracks to it.
 *
 * @param port - The shop's port; 0 for any free one.
 * @param print - Is given a line for every call that arrives, every event that was dropped or is against the tracking plan, and the end.
 * @throws What opening the shop throws, and what listening throws, such as `EADDRINUSE`; nothing is left running then.
 */
export async function runShop(shop: Shop, port: number, print: (line: string) => void): Promise<RunningShop> {
  const segment = await createSegmentServer({ onCall: (call) => print(formatCall(call)) })
  const tracking = shop.createTracking({
    logger: {
      handler: (level, message, context, scope, log) => {
        if (message.includes(' is against the plan: ')) print(`plan      ${message}`)
        else log(level, message, context, scope)
      },
    },
    settings: { writeKey: 'demo', host: segment.url, flushInterval: FLUSH_INTERVAL_MS },
    on: {
      dropped: (dropped) => print(formatDropped(dropped)),
      shutdown: (report) => print(formatReport(report)),
    },
  })
  try {
    await shop.open?.(segment.url)
  } catch (error) {
    await segment.close()
    throw error
  }
  const answer = await shop.createListener(tracking)
  const inspect = inspector(tracking)
  const server = createServer((req, res) => {
    if (!req.url?.startsWith(INSPECTOR_PATH)) return answer(req, res)
    // What a framework's mount does: the handler sees the rest of the path.
    req.url = req.url.slice(INSPECTOR_PATH.length) || '/'
    inspect(req, res, () => answer(req, res))
  })
  try {
    await listen(server, port)
  } catch (error) {
    await shop.close?.()
    await segment.close()
    throw error
  }
  return { url: `http://localhost:${portOf(server)}`, server, segment, tracking }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, 'localhost', resolve)
  })
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the shop has no port')
  return address.port
}

function formatDropped({ event, reason, required }: DroppedEvent): string {
  const why = required ? `no consent to ${Object.keys(required).join(' or ')}` : reason
  return `dropped   ${event.name ?? 'an event without a name'}  ${why}`
}

function formatReport({ delivered, failed, dropped, pending, durationMs }: ShutdownReport): string {
  return `Shut down in ${durationMs} ms: ${delivered} calls delivered, ${failed} failed, ${pending} pending; ${dropped} events dropped.`
}
