import { describe, expect, it } from 'vitest'
import type { DroppedEvent, TrackingConfig } from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

async function collecting(delivery: TrackingConfig['delivery'], count: number, data: object) {
  const drops: DroppedEvent[] = []
  const segment = await segmentServer()
  const tracking = trackingTo(segment, { delivery, on: { dropped: (dropped) => drops.push(dropped) } })
  const inRequest = await requestsOf(tracking)
  let during = tracking.stats()
  await inRequest((tracker) => {
    for (let index = 0; index < count; index++) tracker.track('chunk send', data)
    during = tracking.stats()
  }, visitor('a-1'))
  await tracking.flush()
  return { drops, during, stats: tracking.stats(), segment }
}

describe('events that an open request has collected', () => {
  it('count in maxPending: further ones are dropped as overflow, and the books balance', async () => {
    const { drops, during, stats, segment } = await collecting({ maxPending: 100 }, 250, {})
    expect(during.events).toMatchObject({ tracked: 250, open: 100, dropped: { overflow: 150 } })
    expect(drops).toHaveLength(150)
    expect(drops[0]).toMatchObject({ reason: 'overflow', event: { name: 'chunk send' } })
    expect(stats.events).toMatchObject({ open: 0, dispatched: 100 })
    expect(segment.received).toBe(100)
  })

  it('count in maxBytes by what they take in memory', async () => {
    const list = Array.from({ length: 1_000 }, () => ({}))
    const { during } = await collecting({ maxBytes: 1024 * 1024 }, 100, { list })
    // A thousand empty objects are 3 KB of JSON and some 50 KB of memory.
    expect(during.events.open).toBeGreaterThan(10)
    expect(during.events.open).toBeLessThan(30)
    expect(during.events.dropped.overflow).toBe(100 - during.events.open)
  })

  it('leave room for more as soon as they are dispatched', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { delivery: { maxPending: 10 } })
    const inRequest = await requestsOf(tracking)
    for (let request = 0; request < 5; request++) {
      await inRequest((tracker) => {
        for (let index = 0; index < 10; index++) tracker.track('chunk send')
      }, visitor('a-1'))
      await tracking.flush()
    }
    expect(tracking.stats().events).toMatchObject({ tracked: 50, dispatched: 50, dropped: { overflow: 0 } })
  })
})
