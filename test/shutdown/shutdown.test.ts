import { get, request } from 'node:http'
import { Analytics } from '@segment/analytics-node'
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { ShutdownReport, Tracker, Tracking, TrackingConfig } from '../../src/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'

const who = { userId: () => 'u-1', anonymousId: () => undefined }

/** A tracking, and a server of which each request is handed to a function. */
async function open(
  segment: SegmentServer,
  config: Parameters<typeof trackingTo>[1],
  handle: (tracker: Tracker, end: () => void) => void,
) {
  const tracking = trackingTo(segment, { request: who, logger: { handler: () => {} }, ...config })
  const ended = new Map<string | undefined, () => void>()
  const { url } = await serve((req, res) => {
    // The client can have the response before the server knows that it is sent.
    res.on('close', () => ended.get(req.url)?.())
    handle(tracking.handle(req, res), () => res.end('ok'))
  })
  const ask = async () => {
    const path = `/${ended.size}`
    const end = new Promise<void>((resolve) => ended.set(path, resolve))
    await new Promise<void>((resolve, reject) => {
      get(url + path, { agent: false }, (res) => res.resume().on('end', resolve)).on('error', reject)
    })
    await end
  }
  return { tracking, url, ask }
}

/** A tracking whose events were tracked by requests that have ended. */
async function withEvents(
  segment: SegmentServer,
  count: number,
  config: Parameters<typeof trackingTo>[1] = {},
) {
  const opened = await open(segment, config, (tracker, end) => {
    for (let index = 0; index < count; index++) tracker.track('order complete', { index })
    end()
  })
  await opened.ask()
  return opened
}

/** Opens a request that never ends by itself. */
function openRequest(url: string): void {
  const asked = request(url, { agent: false }).on('error', () => {})
  asked.end()
  onTestFinished(() => {
    asked.destroy()
  })
}

function expectBalance(tracking: Tracking): void {
  const { events, calls } = tracking.stats()
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((all, count) => all + count, 0)
  expect(events.tracked).toBe(events.open + events.dispatched + sum(events.dropped))
  expect(calls.made).toBe(calls.delivered + calls.pending + calls.relayed + sum(calls.failed))
}

const collectLog = () => {
  const lines: [message: string, context: unknown][] = []
  const logger: TrackingConfig['logger'] = {
    level: 'INFO',
    handler: (_level, message, context) => lines.push([message, context]),
  }
  return { lines, logger }
}

let warned: ReturnType<typeof vi.spyOn>
beforeEach(() => {
  warned = vi.spyOn(console, 'warn')
})
afterEach(() => {
  expect(warned).not.toHaveBeenCalled()
  vi.restoreAllMocks()
})

describe('tracking.shutdown()', () => {
  it('delivers 20 events of which 15 are in flight, without waiting for an interval', async () => {
    const segment = await segmentServer()
    segment.respondWith([{ delay: 200 }])
    const { tracking, ask } = await withEvents(segment, 15, { settings: { flushInterval: 10_000 } })
    await segment.waitFor(15)
    for (let index = 0; index < 5; index++)
      tracking.segment.track({ userId: 'u-1', event: `direct ${index}` })
    const report = await tracking.shutdown()
    expect(segment.calls).toHaveLength(20)
    expect(report).toMatchObject({ delivered: 15, failed: 0, pending: 0, timedOut: false })
    expect(report.durationMs).toBeLessThan(2_000)
    await ask()
  })

  it('delivers a batch that is not full while another is in flight', async () => {
    const segment = await segmentServer()
    segment.respondWith([{ delay: 200 }])
    const { tracking } = await withEvents(segment, 20, { settings: { flushInterval: 10_000 } })
    await segment.waitFor(15)
    const report = await tracking.shutdown()
    expect(segment.calls).toHaveLength(20)
    expect(report).toMatchObject({
      delivered: 20,
      failed: 0,
      dropped: 0,
      pending: 0,
      kept: 0,
      timedOut: false,
    })
    expect(report.durationMs).toBeLessThan(2_000)
  })

  it('is one shutdown, however often it is called, and is told once', async () => {
    const segment = await segmentServer()
    const { lines, logger } = collectLog()
    const shutdown = vi.fn<(report: ShutdownReport) => void>()
    const { tracking } = await withEvents(segment, 3, { logger, on: { shutdown } })
    const exit = vi.spyOn(process, 'exit')
    const listening = process.eventNames().map((name) => [name, process.listenerCount(name)])

    const first = tracking.shutdown()
    expect(tracking.shutdown({ timeout: 1 })).toBe(first)
    const report = await first
    expect(tracking.shutdown()).toBe(first)
    expect(report).toEqual({
      delivered: 3,
      failed: 0,
      dropped: 0,
      pending: 0,
      kept: 0,
      durationMs: expect.any(Number),
      timedOut: false,
    })
    expect(shutdown.mock.calls).toEqual([[report]])
    expect(lines).toEqual([['tracking was shut down', report]])
    expect(exit).not.toHaveBeenCalled()
    const signals = listening.filter(([name]) => name !== 'beforeExit')
    expect(process.eventNames().map((name) => [name, process.listenerCount(name)])).toEqual(signals)
  })

  it('waits for open requests, and for background work that goes on tracking', async () => {
    const segment = await segmentServer()
    const ends: (() => void)[] = []
    const { tracking, ask } = await open(segment, {}, (tracker, end) => {
      tracker.track('order begin')
      const work = new Promise<void>((resolve) => ends.push(resolve)).then(() => tracker.track('mail send'))
      tracker.waitUntil(work)
      ends.push(end)
    })
    const answer = ask()
    await vi.waitUntil(() => ends.length === 2)
    const shutdown = tracking.shutdown()
    ends[1]?.()
    await answer
    await segment.waitFor((call) => call.type === 'track' && call.event === 'order begin')
    ends[0]?.()
    expect(await shutdown).toMatchObject({ delivered: 2, pending: 0, timedOut: false })
    expect(segment.calls).toHaveLength(2)
  })

  it('settles what does not end within the deadline, and delivers its events', async () => {
    const segment = await segmentServer()
    const { tracking, url } = await open(segment, {}, (tracker) => tracker.track('stream begin'))
    openRequest(url)
    await vi.waitUntil(() => tracking.stats().events.open === 1)
    // A quarter of the time is for the delivery, which includes loading the SDK.
    const report = await tracking.shutdown({ timeout: 4_000 })
    expect(report).toMatchObject({ delivered: 1, pending: 0, timedOut: true })
    expect(report.durationMs).toBeLessThan(6_000)
    expect(segment.calls).toHaveLength(1)
  })

  it('keeps to one deadline when requests, background work and Segment all hang, and closes the books', async () => {
    const segment = await segmentServer()
    segment.respondWith({ hang: true })
    const { lines, logger } = collectLog()
    const { tracking, url, ask } = await open(segment, { logger }, (tracker, end) => {
      tracker.track('order complete')
      tracker.waitUntil(new Promise(() => {}))
      if (tracking.stats().events.tracked < 4) end()
    })
    for (let index = 0; index < 3; index++) await ask()
    openRequest(url)
    await vi.waitUntil(() => tracking.stats().events.tracked === 4)

    const report = await tracking.shutdown({ timeout: 500 })
    expect(report).toMatchObject({ delivered: 0, pending: 4, timedOut: true })
    expect(report.durationMs).toBeGreaterThanOrEqual(490)
    expect(report.durationMs).toBeLessThan(2_000)
    expect(tracking.stats().events).toMatchObject({ tracked: 4, open: 0, dispatched: 4 })
    expect(tracking.stats().calls).toMatchObject({ made: 4, delivered: 0, pending: 0, failed: { closed: 4 } })
    expectBalance(tracking)
    expect(lines).toContainEqual(['tracking was shut down with losses', report])
  })

  it('never rejects: not for a callback that throws, not for a client that fails', async () => {
    const segment = await segmentServer()
    const error = vi.fn<(error: unknown) => void>()
    const failing = () => Promise.reject(new Error('the client is broken'))
    const { tracking } = await withEvents(segment, 1, {
      env: {
        analytics: {
          ...{ track() {}, identify() {}, group() {}, page() {}, screen() {} },
          flush: failing,
          closeAndFlush: failing,
        },
      },
      on: {
        error,
        shutdown: () => {
          throw new Error('the callback is broken')
        },
      },
    })
    await expect(tracking.shutdown()).resolves.toMatchObject({ delivered: 1, timedOut: false })
    expect(error).toHaveBeenCalledOnce()
  })

  it('drops what is tracked afterwards as `closed`, without an exception', async () => {
    const segment = await segmentServer()
    const dropped = vi.fn<(dropped: { reason: string }) => void>()
    const { tracking, ask } = await withEvents(segment, 2, { on: { dropped } })
    await tracking.shutdown()
    await ask()
    expect(dropped.mock.calls.map(([{ reason }]) => reason)).toEqual(['closed', 'closed'])
    await tracking.flush()
    expect(tracking.stats().events).toMatchObject({
      tracked: 4,
      open: 0,
      dispatched: 2,
      dropped: { closed: 2 },
    })
    expect(tracking.stats().calls).toMatchObject({ made: 2, delivered: 2, pending: 0 })
    expect(segment.calls).toHaveLength(2)
    expect(tracking.health().state).toBe('closed')
  })

  it('keeps the books balanced at every moment, and right', async () => {
    const segment = await segmentServer()
    // The calls of the first request are refused, also when they are sent apart.
    const bad = new Set<string>()
    segment.respondWith(({ index, messageIds }) => {
      if (index === 0) for (const id of messageIds) bad.add(id)
      return messageIds.some((id) => bad.has(id)) ? { status: 400 } : undefined
    })
    const checks = { delivered: 0, failed: 0, dropped: 0, shutdown: 0 }
    const check = (name: keyof typeof checks) => () => {
      checks[name]++
      expectBalance(tracking)
    }
    const { tracking, ask } = await open(
      segment,
      {
        settings: { flushAt: 2 },
        on: {
          delivered: check('delivered'),
          failed: check('failed'),
          dropped: check('dropped'),
          shutdown: check('shutdown'),
          error: (error) => {
            throw error
          },
        },
      },
      (tracker, end) => {
        tracker.track('order complete')
        tracker.track('walker nonsense')
        expectBalance(tracking)
        end()
      },
    )
    await Promise.all([ask(), ask(), ask(), ask(), ask()])
    const shutdown = tracking.shutdown()
    expectBalance(tracking)
    await shutdown
    expect(checks).toEqual({ delivered: 3, failed: 2, dropped: 5, shutdown: 1 })
    const { events, calls } = tracking.stats()
    expect(events).toMatchObject({ tracked: 10, open: 0, dispatched: 5, dropped: { invalid: 5 } })
    expect(calls).toMatchObject({ made: 5, delivered: 3, pending: 0, failed: { rejected: 2 } })
    expect(segment.calls).toHaveLength(calls.delivered)
  })

  it.each([Number.POSITIVE_INFINITY, Number.NaN])('takes a timeout of %s for a long one', async (timeout) => {
    const segment = await segmentServer()
    segment.respondWith([{ delay: 200 }])
    const { tracking } = await withEvents(segment, 1)
    expect(await tracking.shutdown({ timeout })).toMatchObject({ delivered: 1, timedOut: false })
  })

  it('leaves nothing behind', async () => {
    const segment = await segmentServer()
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    segment.respondWith({ status: 503 })
    const { tracking } = await withEvents(segment, 3)
    await vi.waitUntil(() => segment.batches.length > 0)
    expect(await tracking.shutdown({ timeout: 100 })).toMatchObject({ pending: 3 })
    const after = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    expect(after).toBeLessThanOrEqual(before)
    expect(process.listenerCount('beforeExit')).toBe(0)
  })
})

describe('tracking.flush()', () => {
  it('can be called any number of times at once, and while the tracking is shut down', async () => {
    const segment = await segmentServer()
    segment.respondWith({ delay: 100 })
    const { tracking, ask } = await withEvents(segment, 20, { settings: { flushInterval: 10_000 } })
    const flushes = [tracking.flush(), tracking.flush(), tracking.flush()]
    await ask()
    flushes.push(tracking.flush())
    const shutdown = tracking.shutdown()
    flushes.push(tracking.flush(), tracking.flush())
    expect(tracking.stats().calls.pending).toBeGreaterThan(0)
    await Promise.all(flushes)
    expect(tracking.stats().calls).toMatchObject({ delivered: 40, pending: 0 })
    expect(await shutdown).toMatchObject({ delivered: 40, timedOut: false })
  })

  it.each([null, 'SIGTERM', 42, { timeout: 'soon' }])(
    'takes %j for no options, as shutdown() does',
    async (given) => {
      const { tracking } = await withEvents(await segmentServer(), 1)
      await tracking.flush(given as never)
      expect(await tracking.shutdown(given as never)).toMatchObject({ delivered: 1, timedOut: false })
    },
  )

  it('resolves at its timeout when Segment never answers, also during a shutdown, in any order', async () => {
    const segment = await segmentServer()
    segment.respondWith({ hang: true })
    const { tracking } = await withEvents(segment, 20)
    await tracking.flush({ timeout: 50 })
    const long = tracking.flush({ timeout: 60_000 })
    const report = await tracking.shutdown({ timeout: 300 })
    expect(report).toMatchObject({ delivered: 0, pending: 20, timedOut: true })
    expect(report.durationMs).toBeLessThan(2_000)
    await long
    await tracking.flush()
  })

  it("leaves nothing behind that comes while a client of the application's own is waited for", async () => {
    const segment = await segmentServer()
    segment.respondWith({ delay: 300 })
    const analytics = new Analytics({ writeKey: 'test-key', host: segment.url, flushInterval: 20 })
    const underWay = new Promise((resolve) => analytics.once('http_request', resolve))
    const { tracking, ask } = await withEvents(segment, 1, { env: { analytics } })
    await underWay
    const flushed = tracking.flush()
    await ask()
    await flushed
    await segment.waitFor(2)
  })

  it("never makes a client of the application's own warn of overlapping flushes", async () => {
    const segment = await segmentServer()
    segment.respondWith({ hang: true })
    const analytics = new Analytics({ writeKey: 'test-key', host: segment.url, httpRequestTimeout: 1_000 })
    const { tracking } = await withEvents(segment, 20, { env: { analytics } })
    const flushes = [tracking.flush({ timeout: 100 }), tracking.flush({ timeout: 50 })]
    await Promise.all(flushes)
    expect(await tracking.shutdown({ timeout: 200 })).toMatchObject({ pending: 20, timedOut: true })
  })
})
