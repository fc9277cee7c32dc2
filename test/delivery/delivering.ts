import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import type { Tracking, TrackingConfig } from '../../src/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { requestsOf, trackingTo } from '../support/servers.js'

/** Fewer than any bound of a test: what an open request collects has the same bounds. */
const EVENTS_A_REQUEST = 5

/** Tracks so many events, a few in each request, and resolves when their calls are made. */
export type TrackMany = (count: number, data?: (index: number) => Record<string, unknown>) => Promise<void>

/** A tracking whose events are tracked by the dozen, and that logs nothing. */
export async function delivering(
  segment: SegmentServer,
  config: Parameters<typeof trackingTo>[1] = {},
): Promise<{ tracking: Tracking; trackMany: TrackMany }> {
  const tracking = trackingTo(segment, {
    request: { userId: () => 'u-1', anonymousId: () => undefined, context: false },
    logger: { handler: () => {} },
    ...config,
  })
  const inRequest = await requestsOf(tracking)
  return {
    tracking,
    async trackMany(count, data = (index) => ({ index })) {
      for (let from = 0; from < count; from += EVENTS_A_REQUEST) {
        await inRequest((tracker) => {
          const end = Math.min(count, from + EVENTS_A_REQUEST)
          for (let index = from; index < end; index++) tracker.track('order complete', data(index))
        })
      }
    },
  }
}

/** Every call ends in one column. */
export function expectBalance(tracking: Tracking): void {
  const { calls } = tracking.stats()
  const failed = Object.values(calls.failed).reduce((all, count) => all + count, 0)
  expect(calls.made).toBe(calls.delivered + calls.pending + calls.relayed + failed)
}

/** A log that is kept. */
export function keptLog(): {
  lines: { message: string; context: unknown }[]
  logger: TrackingConfig['logger']
} {
  const lines: { message: string; context: unknown }[] = []
  return {
    lines,
    logger: { level: 'INFO', handler: (_level, message, context) => lines.push({ message, context }) },
  }
}

/** The property `index` of the calls that arrived, in order. */
export function arrived(segment: SegmentServer): unknown[] {
  return segment.calls.map((call) => (call.type === 'track' ? call.properties?.index : undefined))
}

/** The numbers from 0 on. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** A directory of its own for an outbox, removed when the test ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'outbox-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'outbox')
}
