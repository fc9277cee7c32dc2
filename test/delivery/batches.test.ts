import { describe, expect, it } from 'vitest'
import type { SegmentServer } from '../../src/testing/index.js'
import { requestsOf, segmentServer, trackingTo } from '../support/servers.js'
import { arrived, delivering, upTo } from './delivering.js'

/** Longer than any test: what arrives has not waited for it. */
const LONG_MS = 60_000

describe('batches without a flushAt', () => {
  it('take what comes within milliseconds, in order, and no more than a hundred', async () => {
    const segment = await segmentServer()
    await trackAtOnce(segment, 250)
    await segment.waitFor(250)
    expect(sizesOf(segment).sort(byNumber)).toEqual([50, 100, 100])
    expect(arrived(segment).sort(byNumber)).toEqual(upTo(250))
    for (const { calls } of segment.batches) {
      const numbers = calls.map((call) => (call.type === 'track' ? Number(call.properties?.index) : -1))
      expect(numbers).toEqual([...numbers].sort(byNumber))
    }
  })

  it('go when fifteen are there and no more come, with whatever came after the fifteenth', async () => {
    const segment = await segmentServer()
    await trackAtOnce(segment, 20)
    await segment.waitFor(20)
    expect(sizesOf(segment)).toEqual([20])
  })

  it('go at the latest when calls that keep coming have been waited for', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment, { settings: { flushInterval: LONG_MS } })
    // More than any machine tracks in twenty milliseconds, and all but the last few go without a flush.
    await trackMany(500)
    await segment.waitFor(480)
    expect(Math.max(...sizesOf(segment))).toBeLessThanOrEqual(100)
    await tracking.flush()
    expect(arrived(segment).sort(byNumber)).toEqual(upTo(500))
  })

  it('wait for the interval with fewer than fifteen', async () => {
    const segment = await segmentServer()
    const { trackMany } = await delivering(segment, { settings: { flushInterval: 300 } })
    const start = performance.now()
    await trackMany(10)
    await segment.waitFor(10)
    expect(performance.now() - start).toBeGreaterThanOrEqual(290)
    expect(sizesOf(segment)).toEqual([10])
  })

  it('wait no longer than an interval that is shorter than the wait for others', async () => {
    const segment = await segmentServer()
    await trackAtOnce(segment, 50, { settings: { flushInterval: 0 } })
    await segment.waitFor(50)
    expect(segment.calls).toHaveLength(50)
  })

  it('are as large as delivery.maxBatch says at most, also where that is less than fifteen', async () => {
    for (const maxBatch of [5, 40]) {
      const segment = await segmentServer()
      const { tracking, trackMany } = await delivering(segment, {
        settings: { flushInterval: LONG_MS },
        delivery: { maxBatch, maxInFlight: 100 },
      })
      await trackMany(120)
      await tracking.flush()
      expect(Math.max(...sizesOf(segment)), `maxBatch ${maxBatch}`).toBeLessThanOrEqual(maxBatch)
      expect(segment.calls).toHaveLength(120)
    }
  })

  it('are as large as a flushAt says, whatever maxBatch says', async () => {
    const segment = await segmentServer()
    const { trackMany } = await delivering(segment, {
      settings: { flushAt: 10, flushInterval: LONG_MS },
      delivery: { maxBatch: 50, maxInFlight: 100 },
    })
    await trackMany(100)
    await segment.waitFor(100)
    expect(sizesOf(segment)).toEqual(Array.from({ length: 10 }, () => 10))
  })

  it('keep to 500 KB by what they really take', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment, { settings: { flushInterval: LONG_MS } })
    await trackMany(100, (index) => ({ index, text: 'ü'.repeat(10_000) }))
    await tracking.flush({ timeout: 10_000 })
    expect(segment.rejected).toEqual([])
    expect(Math.max(...segment.batches.map(({ bytes }) => bytes))).toBeLessThanOrEqual(500 * 1024)
    expect(arrived(segment).sort(byNumber)).toEqual(upTo(100))
  })
})

/** Tracks so many events in one request. */
async function trackAtOnce(
  segment: SegmentServer,
  count: number,
  config?: Parameters<typeof trackingTo>[1],
): Promise<void> {
  const tracking = trackingTo(segment, {
    settings: { flushInterval: LONG_MS },
    request: { userId: () => 'u-1', anonymousId: () => undefined, context: false },
    ...config,
  })
  await (await requestsOf(tracking))((tracker) => {
    for (let index = 0; index < count; index++) tracker.track('order complete', { index })
  })
}

function sizesOf({ batches }: SegmentServer): number[] {
  return batches.map(({ calls }) => calls.length)
}

function byNumber(one: unknown, other: unknown): number {
  return Number(one) - Number(other)
}
