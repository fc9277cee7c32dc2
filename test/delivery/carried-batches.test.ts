import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Analytics, type HTTPClientRequest } from '@segment/analytics-node'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { makeCall } from '../../src/delivery/sdk-call.js'
import type { Tracker, Tracking, TrackingConfig } from '../../src/index.js'
import type { SegmentCall } from '../../src/model/segment-call.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { requestsOf, segmentServer, trackingTo } from '../support/servers.js'

/** Counts what the SDK is asked for, without being seen by the client. */
function countSdkCalls(): () => number {
  const spies = (['track', 'identify', 'page'] as const).map((name) => vi.spyOn(Analytics.prototype, name))
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore()
  })
  return () => spies.reduce((all, { mock }) => all + mock.calls.length, 0)
}

/** A tracking that has delivered a first call, so that it knows how the SDK writes one. */
async function begun(segment: Pick<SegmentServer, 'url'>, config: Partial<TrackingConfig> = {}) {
  const count = countSdkCalls()
  const tracking = trackingTo(segment as SegmentServer, {
    request: { userId: () => 'u-1', anonymousId: () => 'a-1' },
    logger: { handler: () => {} },
    ...config,
    settings: { flushInterval: 5, ...config.settings },
  })
  const inRequest = await requestsOf(tracking)
  const trackMany = (many: number) => inRequest((tracker) => trackThem(tracker, many))
  await trackMany(1)
  await tracking.flush()
  return { tracking, trackMany, inRequest, count }
}

function trackThem(tracker: Tracker, many: number): void {
  for (let index = 0; index < many; index++) tracker.track('order complete', { index, text: 'ü"\n' })
}

describe('a whole batch', () => {
  it('is one call of the SDK, and arrives as all of its calls', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany, count } = await begun(segment)
    expect(count()).toBe(1)
    await trackMany(100)
    await tracking.flush()
    expect(segment.calls.map((call) => call.type === 'track' && call.properties?.index)).toEqual([
      0,
      ...Array.from({ length: 100 }, (_, index) => index),
    ])
    expect(count()).toBeLessThan(10)
    expect(segment.rejected).toEqual([])
    expect(tracking.stats().calls).toMatchObject({ made: 101, delivered: 101, pending: 0 })
  })

  it('has the bytes that the SDK sends for the same calls', async () => {
    const made: SegmentCall[] = []
    const keep = (told: unknown) => made.push(structuredClone((told as { call: SegmentCall }).call))
    subscribe('reqtrack:dispatch', keep)
    onTestFinished(() => void unsubscribe('reqtrack:dispatch', keep))
    const { url, bodies } = await rawEndpoint()
    const { tracking, inRequest, count } = await begun({ url })
    for (let round = 0; round < 2; round++) {
      await inRequest((tracker) => {
        trackThem(tracker, 20)
        tracker.identify({ plan: round, name: 'Jürgen' })
        tracker.page({ name: 'Start', category: 'Docs', properties: { path: '/ü' } })
      })
      await tracking.flush()
    }
    expect(made).toHaveLength(45)
    expect(count()).toBeLessThan(40)
    const texts = await Promise.all(made.map(sentBySdk))
    for (const text of texts) expect(bodies.filter((body) => body.includes(text))).toHaveLength(1)
    const length = bodies.reduce((all, body) => all + body.length - FRAME_LENGTH, 0)
    expect(length).toBe(texts.reduce((all, text) => all + text.length + 1, -bodies.length))
  })

  const onlookers: Record<string, (tracking: Tracking, seen: () => void) => unknown> = {
    'a plugin': (tracking, seen) =>
      tracking.segment.register({
        name: 'own',
        type: 'enrichment',
        version: '1',
        isLoaded: () => true,
        load: async () => {},
        track: (context) => {
          seen()
          return context
        },
      }),
    'a listener of track': (tracking, seen) => tracking.segment.on('track', seen),
    'a listener of http_request': (tracking) => tracking.segment.on('http_request', () => {}),
    'a method of its own': ({ segment }, seen) => {
      const { track } = segment
      segment.track = (...given) => {
        seen()
        track(...given)
      }
    },
  }
  it.each(Object.entries(onlookers))('is given to the SDK call by call where there is %s', async (_, put) => {
    const segment = await segmentServer()
    const { tracking, trackMany, count } = await begun(segment)
    await trackMany(20)
    await tracking.flush()
    expect(count()).toBeLessThan(10)
    const seen = vi.fn()
    await put(tracking, seen)
    const before = count()
    await trackMany(20)
    await tracking.flush()
    expect(count() - before).toBe(20)
    if (put.length > 1) expect(seen).toHaveBeenCalledTimes(20)
    expect(segment.received).toBe(41)
  })

  it('is given to the SDK call by call with an HTTP client of the application’s', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany, count } = await begun(segment, {
      settings: { writeKey: 'k', httpClient: (url, options) => fetch(url, options) },
    })
    await trackMany(20)
    await tracking.flush()
    expect(count()).toBe(21)
    expect(segment.received).toBe(21)
  })

  it('that waits for Segment when a plugin comes is given to the SDK call by call, unchanged', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany, count } = await begun(segment, {
      settings: { writeKey: 'k', maxRetries: 0 },
    })
    await segment.stop()
    await trackMany(30)
    await vi.waitUntil(() => tracking.health().state === 'retrying')
    const before = count()
    const seen: unknown[] = []
    tracking.segment.on('track', ({ event }) => seen.push(event.properties))
    await segment.start()
    await tracking.flush({ timeout: 10_000 })
    expect(count() - before).toBe(30)
    expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => ({ index, text: 'ü"\n' })))
    expect(segment.received).toBe(31)
    expect(segment.calls.map((call) => call.context?.library)).toEqual(
      Array.from({ length: 31 }, () => ({
        name: '@segment/analytics-node',
        version: tracking.segment.VERSION,
      })),
    )
  })

  it('shows a listener that comes while it is on its way its calls, and nothing else', async () => {
    const segment = await segmentServer()
    segment.respondWith({ delay: 100 })
    const { tracking, trackMany, count } = await begun(segment)
    const before = count()
    const bodies: unknown[] = []
    const emit = vi.fn()
    await trackMany(20)
    await vi.waitUntil(() => count() > before)
    for (const event of ['http_request', 'http_response'] as const)
      tracking.segment.on(event, ({ body }) => bodies.push(body))
    for (const event of ['track', 'error', 'dispatch_start'])
      Reflect.apply(tracking.segment.on, tracking.segment, [event, emit])
    await tracking.flush()
    expect(emit).not.toHaveBeenCalled()
    expect(bodies.length).toBeGreaterThan(0)
    for (const body of bodies) expect(JSON.parse(String(body)).batch).toHaveLength(20)
    expect(segment.received).toBe(21)
  })

  it('loses only the call that Segment refuses', async () => {
    const segment = await segmentServer()
    const failed = vi.fn<(told: { call: SegmentCall; reason: string }) => void>()
    const { tracking, trackMany, count } = await begun(segment, { on: { failed } })
    const ids: (string | undefined)[] = []
    const keep = (told: unknown) => ids.push((told as { call: SegmentCall }).call.params.messageId)
    subscribe('reqtrack:dispatch', keep)
    onTestFinished(() => void unsubscribe('reqtrack:dispatch', keep))
    segment.respondWith(({ messageIds }) =>
      messageIds.some((id) => id === ids[7]) ? { status: 400 } : undefined,
    )
    await trackMany(20)
    await tracking.flush()
    expect(count()).toBeLessThan(10)
    expect(segment.received).toBe(20)
    expect(failed).toHaveBeenCalledOnce()
    expect(failed.mock.lastCall?.[0]).toMatchObject({
      reason: 'rejected',
      call: { type: 'track', params: { messageId: ids[7], properties: { index: 7 } } },
    })
  })

  it('fails as `closed` when the application closes the client', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await begun(segment)
    await tracking.segment.closeAndFlush()
    await trackMany(20)
    await tracking.flush({ timeout: 1_000 })
    expect(tracking.stats().calls).toMatchObject({
      made: 21,
      delivered: 1,
      pending: 0,
      failed: { closed: 20 },
    })
  })

  it('is waited for by the client’s own closeAndFlush()', async () => {
    const segment = await segmentServer()
    segment.respondWith({ delay: 200 })
    const { tracking, trackMany, count } = await begun(segment)
    const before = count()
    await trackMany(20)
    await vi.waitUntil(() => count() > before)
    await tracking.segment.closeAndFlush()
    expect(segment.received).toBe(21)
  })

  it('tells on.delivered of each call, as it was made', async () => {
    const segment = await segmentServer()
    const delivered = vi.fn<(told: { call: SegmentCall }) => void>()
    const { tracking, trackMany, count } = await begun(segment, { on: { delivered } })
    await trackMany(20)
    await tracking.flush()
    expect(count()).toBeLessThan(10)
    expect(delivered).toHaveBeenCalledTimes(21)
    const [{ call }] = delivered.mock.lastCall ?? [{ call: undefined }]
    expect(call).toMatchObject({
      type: 'track',
      params: {
        event: 'order complete',
        userId: 'u-1',
        properties: { index: 19 },
        timestamp: expect.any(Date),
      },
    })
  })

  it('goes beside calls that the application makes on the client itself', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await begun(segment)
    for (let round = 0; round < 5; round++) {
      tracking.segment.track({ userId: 'u-1', event: 'direct', properties: { index: 1 } })
      await trackMany(20)
      tracking.segment.track({ userId: 'u-1', event: 'direct' })
    }
    await tracking.flush()
    expect(segment.received).toBe(111)
    expect(segment.rejected).toEqual([])
    expect(segment.calls.filter((call) => call.type === 'track' && call.event === 'direct')).toHaveLength(10)
  })
})

const FRAME_LENGTH = '{"batch":[],"writeKey":"test-key","sentAt":"2026-01-01T00:00:00.000Z"}'.length

/** An endpoint that keeps bodies as they are. */
async function rawEndpoint(): Promise<{ url: string; bodies: string[] }> {
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    bodies.push(body)
    response.end('{"success":true}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies }
}

async function sentBySdk(call: SegmentCall): Promise<string> {
  let sent = ''
  const httpClient = {
    makeRequest: async ({ body }: HTTPClientRequest) => {
      sent = body
      return { status: 200, statusText: 'OK' }
    },
  }
  const analytics = new Analytics({ writeKey: 'test-key', flushAt: 1, httpClient })
  makeCall(analytics, call)
  await analytics.closeAndFlush()
  return sent.slice('{"batch":['.length, sent.lastIndexOf('],"writeKey":'))
}
