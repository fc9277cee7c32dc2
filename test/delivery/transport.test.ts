import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { Analytics, type HTTPClientRequest } from '@segment/analytics-node'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Tracking } from '../../src/index.js'
import type { Step } from '../../src/observe/step.js'
import { internals, type TrackingInternals } from '../../src/tracker/internals.js'
import { segmentServer } from '../support/servers.js'
import { arrived, delivering, expectBalance, keptLog, upTo } from './delivering.js'

const isPoison = (index: unknown) => index === 37

describe('the way to Segment', () => {
  it('has at most maxInFlight requests at a time', async () => {
    const segment = await segmentServer()
    let most = 0
    segment.respondWith(() => {
      most = Math.max(most, segment.batches.filter(({ status }) => status === 'pending').length + 1)
      return { delay: 30 }
    })
    const { tracking, trackMany } = await delivering(segment, {
      settings: { flushAt: 5 },
      delivery: { maxInFlight: 3 },
    })
    await trackMany(200)
    await tracking.flush()
    expect(segment.calls).toHaveLength(200)
    expect(most).toBe(3)
  })

  it('cuts batches by their real bytes', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment, { settings: { flushAt: 100 } })
    await trackMany(100, () => ({ text: '€'.repeat(8_000) }))
    await tracking.flush()
    expect(segment.calls).toHaveLength(100)
    expect(segment.rejected).toEqual([])
    expect(Math.max(...segment.batches.map(({ bytes }) => bytes))).toBeLessThanOrEqual(450 * 1024)
  })

  it('cuts batches of more than 2500 calls', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment, { settings: { flushAt: 4_000 } })
    await trackMany(4_000, () => ({}))
    await tracking.flush({ timeout: 15_000 })
    expect(segment.calls).toHaveLength(4_000)
    expect(segment.rejected).toEqual([])
  })

  it.each([400, 413])(
    'finds the one call that is answered %i, and delivers its neighbours',
    async (status) => {
      const segment = await segmentServer()
      const poison = new Set<string>()
      segment.respondWith(({ messageIds }) =>
        messageIds.some((id) => poison.has(id)) ? { status } : undefined,
      )
      const failed = vi.fn<(failed: { reason: string; detail: string | undefined }) => void>()
      const { tracking, trackMany } = await delivering(segment, { settings: { flushAt: 50 }, on: { failed } })
      const watched = new Set<string>()
      const onCall = (message: unknown) => {
        const { call } = message as { call: { params: { messageId: string; properties: { index: number } } } }
        watched.add(call.params.messageId)
        if (isPoison(call.params.properties.index)) poison.add(call.params.messageId)
      }
      subscribe('reqtrack:dispatch', onCall)
      await trackMany(100)
      await tracking.flush()
      unsubscribe('reqtrack:dispatch', onCall)
      expect(watched.size).toBe(100)
      expect(new Set(arrived(segment))).toEqual(new Set(upTo(100).filter((index) => !isPoison(index))))
      expect(segment.duplicates).toEqual([])
      expect(tracking.stats().calls).toMatchObject({ delivered: 99, failed: { rejected: 1 }, pending: 0 })
      expect(failed.mock.calls[0]?.[0]).toMatchObject({
        reason: 'rejected',
        detail: expect.stringContaining(`${status}`),
      })
      expect(segment.batches.length).toBeLessThan(20)
    },
  )

  it.each([
    ['301 with Location', { redirect: 'http://127.0.0.1:9/', status: 301 }],
    ['304', { status: 304 }],
    ['reset', { reset: true }],
    ['half an answer', { half: true }],
    ['404', { status: 404 }],
    ['501', { status: 501 }],
  ] as const)('takes no %s for a yes', async (_name, fault) => {
    const segment = await segmentServer()
    segment.respondWith([fault])
    const { tracking, trackMany } = await delivering(segment)
    await trackMany(3)
    await tracking.flush()
    expect(arrived(segment)).toEqual([0, 1, 2])
    expect(tracking.stats().calls).toMatchObject({ delivered: 3, pending: 0 })
  })

  it.each([
    ['hangs', { hang: true }],
    ['drips its answer', { drip: 100 }],
  ] as const)('gives a request up that %s', async (_name, fault) => {
    const segment = await segmentServer()
    segment.respondWith([{ ...fault, record: false }])
    const { tracking, trackMany } = await delivering(segment, { settings: { httpRequestTimeout: 300 } })
    await trackMany(3)
    await tracking.flush()
    expect(arrived(segment)).toEqual([0, 1, 2])
    expect(tracking.health().lastError).toMatch(/timeout/)
  })

  it('reads answers to their end, so that connections are used again', async () => {
    const segment = await segmentServer()
    segment.respondWith({ body: 'x'.repeat(50_000) })
    let connections = 0
    const onConnection = (message: unknown) => {
      const { socket } = message as { socket: Socket }
      if (socket.localPort === segment.port) connections++
    }
    subscribe('net.server.socket', onConnection)
    onTestFinished(() => {
      unsubscribe('net.server.socket', onConnection)
    })
    const { tracking, trackMany } = await delivering(segment, {
      settings: { flushAt: 1 },
      delivery: { maxInFlight: 2 },
    })
    await trackMany(60)
    await tracking.flush()
    expect(segment.batches).toHaveLength(60)
    expect(connections).toBeGreaterThan(0)
    expect(connections).toBeLessThanOrEqual(2)
  })

  it('waits as long as a 429 says, for all requests, and comes back with one', async () => {
    const segment = await segmentServer()
    const times: number[] = []
    let most = 0
    segment.respondWith(({ index }) => {
      times.push(performance.now())
      // Late enough for both requests to be in flight.
      if (index < 2) return { status: 429, retryAfter: 1, delay: 100 }
      most = Math.max(most, segment.batches.filter(({ status }) => status === 'pending').length + 1)
      return { delay: 50 }
    })
    const { tracking, trackMany } = await delivering(segment, {
      settings: { flushAt: 5 },
      delivery: { maxInFlight: 2 },
    })
    await trackMany(60)
    await tracking.flush()
    expect(arrived(segment).length).toBe(60)
    const [first = 0, second = 0, third = 0, fourth = 0] = times
    expect(second - first).toBeLessThan(800)
    expect(third - second).toBeGreaterThan(950)
    expect(fourth - third).toBeGreaterThan(45)
    expect(most).toBe(2)
  })

  it("counts a Retry-After that is a date from Segment's clock, not from its own", async () => {
    const segment = await segmentServer()
    // The process's clock is an hour behind.
    const date = (ms: number) => new Date(Date.now() + 3_600_000 + ms).toUTCString()
    segment.respondWith([{ status: 429, retryAfter: date(1_000), headers: { date: date(0) } }])
    const { tracking, trackMany } = await delivering(segment)
    await trackMany(5)
    await tracking.flush({ timeout: 10_000 })
    expect(tracking.stats().calls).toMatchObject({ delivered: 5, pending: 0 })
  })

  it('does not drop on a 401: it stops, says so once, and goes on when the key works', async () => {
    const segment = await segmentServer()
    segment.respondWith({ status: 401 })
    const { lines, logger } = keptLog()
    const { tracking, trackMany } = await delivering(segment, { logger })
    await trackMany(100)
    await vi.waitUntil(() => tracking.health().state === 'refused')
    await new Promise((resolve) => setTimeout(resolve, 500))
    const asked = segment.batches.length
    expect(asked).toBeLessThanOrEqual(4)
    expect(tracking.health()).toMatchObject({
      state: 'refused',
      pending: 100,
      lastError: '[401] Unauthorized',
    })
    expect(lines.filter(({ message }) => message.includes('write key'))).toHaveLength(1)
    expect(JSON.stringify(lines)).not.toContain('test-key')
    segment.respondWith('ok')
    await tracking.flush({ timeout: 10_000 })
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(100)))
    expect(tracking.stats().calls.delivered).toBe(100)
    expect(tracking.health().state).toBe('ok')
  })

  it('tells whoever watches of each request', async () => {
    const segment = await segmentServer()
    segment.respondWith([{ reset: true }, { status: 503 }])
    const { tracking, trackMany } = await delivering(segment)
    const requests: Extract<Step, { type: 'request' }>[] = []
    const held = tracking as Tracking & { [internals]: TrackingInternals }
    const stop = held[internals].watch((step) => step.type === 'request' && requests.push(step))
    await trackMany(3)
    await tracking.flush()
    stop()
    expect(requests.map(({ status, error }) => status ?? error)).toEqual([
      expect.stringContaining('ECONNRESET'),
      503,
      200,
    ])
    for (const { messageIds, durationMs } of requests) {
      expect(messageIds).toEqual(segment.calls.map(({ messageId }) => messageId))
      expect(durationMs).toBeGreaterThan(0)
    }
  })

  it('tells the channels of node:diagnostics_channel', async () => {
    const segment = await segmentServer()
    segment.respondWith({ status: 400 })
    const { tracking, trackMany } = await delivering(segment)
    const told: unknown[] = []
    for (const name of ['dispatch', 'delivered', 'failed', 'dropped']) {
      const listener = (message: unknown) => told.push([name, message])
      subscribe(`reqtrack:${name}`, listener)
      onTestFinished(() => {
        unsubscribe(`reqtrack:${name}`, listener)
      })
    }
    await trackMany(1)
    await tracking.flush()
    segment.respondWith('ok')
    await trackMany(1)
    await tracking.flush()
    const call = expect.objectContaining({ type: 'track' })
    expect(told).toEqual([
      ['dispatch', { call }],
      ['failed', { call, reason: 'rejected', detail: '[400] Bad Request' }],
      ['dispatch', { call }],
      ['delivered', { call }],
    ])
  })

  it("uses the application's own HTTP client or fetch inside", async () => {
    const segment = await segmentServer()
    const viaFetch = vi.fn((url: string, init: object) => fetch(url, init))
    const one = await delivering(segment, { settings: { httpClient: viaFetch } })
    await one.trackMany(3)
    await one.tracking.flush()
    const makeRequest = vi.fn((request: HTTPClientRequest) =>
      fetch(request.url, { method: request.method, headers: request.headers, body: request.body }),
    )
    const other = await delivering(segment, { settings: { httpClient: { makeRequest } } })
    await other.trackMany(3)
    await other.tracking.flush()
    expect(segment.calls).toHaveLength(6)
    expect(viaFetch).toHaveBeenCalledOnce()
    expect(makeRequest).toHaveBeenCalledOnce()
  })
})

describe("a client of the application's own", () => {
  const own = (host: string) =>
    new Analytics({ writeKey: 'k', host, flushAt: 10, flushInterval: 20, maxRetries: 0 })

  it('survives an outage, too', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment, { env: { analytics: own(segment.url) } })
    await segment.stop()
    await trackMany(55)
    await vi.waitUntil(() => tracking.health().state === 'retrying')
    await segment.start()
    await tracking.flush({ timeout: 10_000 })
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(55)))
    expect(tracking.stats().calls).toMatchObject({ delivered: 55, pending: 0 })
  })

  it('loses nothing but the one call that Segment refuses', async () => {
    const segment = await segmentServer()
    const poison = new Set<string>()
    segment.respondWith(({ index, messageIds }) => {
      if (index === 0) poison.add(messageIds[3] ?? '')
      return messageIds.some((id) => poison.has(id)) ? { status: 400 } : undefined
    })
    const { tracking, trackMany } = await delivering(segment, { env: { analytics: own(segment.url) } })
    await trackMany(25)
    await tracking.flush({ timeout: 10_000 })
    expect(tracking.stats().calls).toMatchObject({ delivered: 24, failed: { rejected: 1 }, pending: 0 })
    expect(segment.calls).toHaveLength(24)
    expectBalance(tracking)
  })
})
