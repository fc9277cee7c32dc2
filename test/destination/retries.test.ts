import { startFlow } from '@walkeros/collector'
import { describe, expect, it, vi } from 'vitest'
import { destinationSegment, type Settings } from '../../src/destination/index.js'
import type { FaultScript, SegmentServer } from '../../src/testing/index.js'
import { requestsOf, segmentServer, trackingTo } from '../support/servers.js'

const LOST = 'a call was not delivered to Segment'

/** What a collector's destination reports of an event that meets these answers. */
async function pushed(segment: SegmentServer, settings: Partial<Settings>, answers: FaultScript) {
  segment.respondWith(answers)
  const reported: unknown[] = []
  const { elb } = await startFlow({
    logger: { handler: (_level, message, context) => message === LOST && reported.push(context) },
    destinations: {
      segment: {
        code: destinationSegment,
        config: { settings: { writeKey: 'test-key', host: segment.url, flushAt: 1, ...settings } },
      },
    },
  })
  await elb({ name: 'order complete', user: { id: 'us3r' } })
  return reported
}

const retryCounts = ({ batches }: SegmentServer) => batches.map(({ retryCount }) => retryCount)
const lost = (reason: unknown) => [{ type: 'track', reason }]

describe('a batch that fails in a collector', () => {
  it('is tried three times more, unless maxRetries says otherwise, and then told of', async () => {
    const [byDefault, once] = [await segmentServer(), await segmentServer()]
    const reports = [
      await pushed(byDefault, {}, { status: 503 }),
      await pushed(once, { maxRetries: 1 }, { status: 503 }),
    ]
    await vi.waitFor(() => expect(reports).toEqual([lost(expect.any(String)), lost(expect.any(String))]))
    expect(retryCounts(byDefault)).toEqual([0, 1, 2, 3])
    expect(retryCounts(once)).toEqual([0, 1])
  })

  it('is given up after maxTotalBackoffDuration', async () => {
    const segment = await segmentServer()
    const settings = { maxRetries: 1_000, maxTotalBackoffDuration: 0.1 }
    const reported = await pushed(segment, settings, { status: 503 })
    await vi.waitFor(() => expect(reported).toEqual(lost('[503] Service Unavailable')))
    expect(retryCounts(segment)).toEqual([0, 1])
  })

  it('is tried again as often as Segment asks to wait, which maxRetries does not count', async () => {
    const segment = await segmentServer()
    const reported = await pushed(segment, { maxRetries: 0 }, [{ status: 429, retryAfter: 1, times: 2 }])
    await segment.waitFor(1, 9_000)
    expect(retryCounts(segment)).toEqual([0, 1, 2])
    expect(reported).toEqual([])
  })

  it('is given up when Segment has asked to wait for maxRateLimitDuration', async () => {
    const segment = await segmentServer()
    const settings = { maxRateLimitDuration: 0.5 }
    const reported = await pushed(segment, settings, { status: 429, retryAfter: 1 })
    await vi.waitFor(() => expect(reported).toEqual(lost('[429] Too Many Requests')))
    expect(retryCounts(segment)).toEqual([0, 1])
  })
})

describe('a batch that fails in the middleware', () => {
  it('is tried again as often as maxRetries says, before its calls wait with all others', async () => {
    const segment = await segmentServer()
    segment.respondWith([{ status: 503, times: 3 }])
    const tracking = trackingTo(segment, { settings: { maxRetries: 1 }, logger: { handler: () => {} } })
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => tracker.track('order complete', {}, { user: { id: 'us3r' } }))
    await segment.waitFor(1, 9_000)
    expect(retryCounts(segment)).toEqual([0, 1, 0, 1])
  })
})
