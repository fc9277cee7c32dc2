import { Analytics } from '@segment/analytics-node'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { recordTracking } from '../../src/testing/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from './servers.js'

type FakeTimers = NonNullable<Parameters<typeof vi.useFakeTimers>[0]>

/** What test frameworks replace: Vitest's default, Jest's and Sinon's, and a clock that stands in another year. */
const fakes: { name: string; config: FakeTimers }[] = [
  { name: "Vitest's", config: {} },
  {
    name: "Jest's",
    config: {
      toFake: [
        'setTimeout',
        'clearTimeout',
        'setInterval',
        'clearInterval',
        'setImmediate',
        'clearImmediate',
        'Date',
        'performance',
        'hrtime',
      ],
    },
  },
  { name: 'timers of 1999', config: { now: Date.UTC(1999, 0) } },
]

describe.each(fakes)('a tracking under $name', ({ config }) => {
  beforeEach(() => {
    vi.useFakeTimers(config)
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('delivers on flush(), and on shutdown()', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment)
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toHaveLength(1)
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    expect(await tracking.shutdown()).toMatchObject({ delivered: 2, pending: 0, timedOut: false })
    expect(segment.calls).toHaveLength(2)
  })

  it('delivers by itself when its interval is over', async () => {
    const segment = await segmentServer()
    const inRequest = await requestsOf(trackingTo(segment))
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await segment.waitFor(1)
  })

  it('tries again, and has an end', async () => {
    const segment = await segmentServer()
    segment.respondWith([{ status: 503, times: 1 }])
    const tracking = trackingTo(segment)
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await segment.waitFor(1)
    segment.respondWith({ hang: true })
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.flush({ timeout: 100 })
    expect(await tracking.shutdown({ timeout: 200 })).toMatchObject({ delivered: 1, timedOut: true })
  })

  it('waits for a reader no longer than it may', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { request: { userId: () => new Promise(() => {}) } })
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await segment.waitFor(1)
  })

  it('settles for a recorder, and ends its waiting', async () => {
    const recorder = recordTracking()
    const inRequest = await requestsOf(recorder)
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await recorder.settled()
    expect(recorder.calls).toHaveLength(1)
    await inRequest((tracker) => tracker.waitUntil(new Promise(() => {})))
    await expect(recorder.settled({ timeout: 100 })).rejects.toThrow('after 100 ms a request is still open')
  })

  it("has an end where the client is the application's own, which waits for the clock to move", async () => {
    const segment = await segmentServer()
    const analytics = new Analytics({ writeKey: 'test-key', host: segment.url })
    const tracking = trackingTo(segment, { env: { analytics } })
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.flush({ timeout: 100 })
    expect(await tracking.shutdown({ timeout: 100 })).toMatchObject({ delivered: 0, pending: 1 })
  })

  it("leaves the test's own timers to the test", async () => {
    const fired: string[] = []
    setTimeout(() => fired.push('timeout'), 1)
    setInterval(() => fired.push('interval'), 1)
    const faked = [setTimeout, clearTimeout, setInterval, setImmediate, Date]
    const segment = await segmentServer()
    const tracking = trackingTo(segment)
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.shutdown()
    expect(fired).toEqual([])
    expect([setTimeout, clearTimeout, setInterval, setImmediate, Date]).toEqual(faked)
    vi.advanceTimersByTime(1)
    expect(fired).toEqual(['timeout', 'interval'])
    expect(segment.calls).toHaveLength(1)
  })

  it('dates an event by the faked clock', async () => {
    vi.setSystemTime(Date.UTC(2001, 1, 3))
    const segment = await segmentServer()
    const tracking = trackingTo(segment)
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ timestamp: expect.stringMatching(/^2001-02-03T/) }])
  })
})

describe('timers that are faked before the package is loaded', () => {
  it('do not become its own', async () => {
    vi.useFakeTimers()
    vi.resetModules()
    try {
      const { recordTracking: recordLate } = await import('../../src/testing/index.js')
      const recorder = recordLate()
      const inRequest = await requestsOf(recorder)
      await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
      await recorder.settled()
      expect(recorder.calls).toHaveLength(1)
    } finally {
      vi.useRealTimers()
    }
  })
})
