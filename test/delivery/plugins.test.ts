import { readdirSync } from 'node:fs'
import { Analytics, Context, type Plugin } from '@segment/analytics-node'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import type { TrackingConfig } from '../../src/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { segmentServer } from '../support/servers.js'
import { delivering, expectBalance, keptLog, temporaryDirectory } from './delivering.js'

type Act = (context: Context) => unknown

const TYPES = ['before', 'enrichment', 'destination', 'after'] as const
const CALLS = 40

/** What a plugin of an application may do with a call, whether it means to or not. */
const MISBEHAVIOURS = {
  cancels: (context) => context.cancel(),
  throws: () => {
    throw new Error('boom')
  },
  'throws what is no error': () => {
    throw 'boom'
  },
  rejects: () => Promise.reject(new Error('boom')),
  'returns nothing': () => undefined,
  'returns something else': () => 42,
  hangs: () => new Promise(() => {}),
  'changes the messageId': (context) => {
    context.event.messageId = `changed-${context.event.messageId}`
    return context
  },
  'gives all calls one messageId': (context) => {
    context.event.messageId = 'the-same'
    return context
  },
  'takes the messageId away': (context) => {
    Reflect.deleteProperty(context.event, 'messageId')
    return context
  },
  'returns a context of its own': (context) => new Context({ ...context.event }),
  'adds what is no JSON': (context) => {
    context.updateEvent('properties', { total: 1n })
    return context
  },
  'makes the event circular': (context) => {
    context.updateEvent('properties', { context })
    return context
  },
  'excludes Segment': (context) => {
    context.event.integrations = { 'Segment.io': false }
    return context
  },
} satisfies Record<string, Act>

function plugin(type: Plugin['type'], act: Act, load: () => Promise<unknown> = async () => {}): Plugin {
  const run = (context: Context) => act(context) as Context
  return { name: 'own', type, version: '1', isLoaded: () => true, load, track: run, identify: run }
}

/** A client of the application's own, as `env.analytics` takes it. */
function ownClient(segment: SegmentServer): Analytics {
  return new Analytics({ writeKey: 'k', host: segment.url, flushAt: 10, flushInterval: 20, maxRetries: 0 })
}

const ROUTES = {
  'the client': () => ({}),
  'a client of the application': (segment) => ({ env: { analytics: ownClient(segment) } }),
} satisfies Record<string, (segment: SegmentServer) => Partial<TrackingConfig>>

/** What has become of calls that a plugin stood in the way of, and how often it was asked. */
async function outcomes(route: keyof typeof ROUTES, type: Plugin['type'], act: Act) {
  const segment = await segmentServer()
  const { lines, logger } = keptLog()
  const { tracking, trackMany } = await delivering(segment, { logger, ...ROUTES[route](segment) })
  const run = vi.fn(act)
  await tracking.segment.register(plugin(type, run))
  await trackMany(CALLS)
  await vi.waitUntil(() => tracking.stats().calls.pending === 0)
  expectBalance(tracking)
  expect(run).toHaveBeenCalledTimes(CALLS)
  expect(tracking.health().state).toBe('ok')
  const { made, delivered, failed } = tracking.stats().calls
  expect(delivered + failed.cancelled).toBe(made)
  expect(lines.filter(({ context }) => JSON.stringify(context)?.includes('cancelled'))).toHaveLength(
    failed.cancelled > 0 ? 1 : 0,
  )
  const arrived = segment.batches.reduce((all, { calls }) => all + calls.length, 0)
  expect(arrived).toBe(delivered)

  await tracking.segment.deregister('own')
  await trackMany(CALLS)
  await vi.waitUntil(() => tracking.stats().calls.delivered === delivered + CALLS)
  expect(await tracking.shutdown()).toMatchObject({ pending: 0, timedOut: false })
  expectBalance(tracking)
  return { delivered, cancelled: failed.cancelled }
}

const all = { delivered: CALLS, cancelled: 0 }
const none = { delivered: 0, cancelled: CALLS }

/** What plugins of each type can stop, by the SDK's own rules. */
const STOPPED: Readonly<Record<string, readonly string[]>> = {
  cancels: ['before'],
  throws: ['before'],
  'throws what is no error': ['before'],
  rejects: ['before'],
  'returns nothing': ['before'],
  'returns something else': ['before'],
  hangs: ['before', 'enrichment'],
  'adds what is no JSON': ['before', 'enrichment'],
  'makes the event circular': ['before', 'enrichment'],
  'excludes Segment': ['before', 'enrichment'],
}

describe.each(['the client', 'a client of the application'] as const)('a plugin of %s', (route) => {
  it.each(TYPES)('of type %s stops what it can, by name, and is asked once for each call', async (type) => {
    const results = Object.entries(MISBEHAVIOURS).map(async ([name, act]) => {
      const result = await outcomes(route, type, act)
      // A destination changes an event that Segment's own plugin may have read already.
      const isRace = type === 'destination' && /JSON|circular/.test(name)
      return [name, isRace ? 'either' : result]
    })
    const expected = Object.keys(MISBEHAVIOURS).map((name) => {
      const isRace = type === 'destination' && /JSON|circular/.test(name)
      return [name, isRace ? 'either' : STOPPED[name]?.includes(type) ? none : all]
    })
    expect(await Promise.all(results)).toEqual(expected)
  })

  it('that is never loaded holds no call for ever', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment, ROUTES[route](segment))
    void tracking.segment.register(
      plugin(
        'before',
        (context) => context,
        () => new Promise(() => {}),
      ),
    )
    await trackMany(5)
    await vi.waitUntil(() => tracking.stats().calls.failed.cancelled === 5, { timeout: 40_000 })
    expectBalance(tracking)
  }, 60_000)

  it('that takes seconds to load costs no call', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment, ROUTES[route](segment))
    const load = () => new Promise((resolve) => setTimeout(resolve, 3_000))
    void tracking.segment.register(plugin('before', (context) => context, load))
    await trackMany(5)
    await vi.waitUntil(() => tracking.stats().calls.pending === 0)
    expect(tracking.stats().calls.delivered).toBe(5)
  })

  it('that hangs delays no shutdown', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment, ROUTES[route](segment))
    await tracking.segment.register(plugin('destination', MISBEHAVIOURS.hangs))
    await trackMany(5)
    await segment.waitFor(5)
    const { durationMs, ...report } = await tracking.shutdown({ timeout: 15_000 })
    expect(report).toMatchObject({ delivered: 5, pending: 0, timedOut: false })
    expect(durationMs).toBeLessThan(5_000)
  })

  it('takes a call that it stops off the outbox', async () => {
    const segment = await segmentServer()
    const directory = temporaryDirectory()
    const { tracking, trackMany } = await delivering(segment, {
      ...ROUTES[route](segment),
      delivery: { outbox: fileOutbox({ directory }) },
    })
    await tracking.segment.register(plugin('before', MISBEHAVIOURS.cancels))
    await trackMany(5)
    await vi.waitUntil(() => tracking.stats().calls.failed.cancelled === 5)
    expect(await tracking.shutdown()).toMatchObject({ failed: 5, kept: 0 })
    expect(readdirSync(directory)).toEqual([])
  })
})

const EVENTS = [
  'dispatch_start',
  'http_request',
  'http_response',
  'track',
  'error',
  'drained',
  'call_after_close',
] as const

describe.each(['the client', 'a client of the application'] as const)('a listener of %s', (route) => {
  it.each(EVENTS)('of %s that throws costs no other call its outcome, and not the process', async (event) => {
    const segment = await segmentServer()
    const unhandled = vi.fn()
    process.on('unhandledRejection', unhandled)
    onTestFinished(() => void process.off('unhandledRejection', unhandled))
    const { tracking, trackMany } = await delivering(segment, ROUTES[route](segment))
    const { segment: client } = tracking
    const listener = vi.fn(() => {
      throw new Error('boom')
    })
    Reflect.apply(client.on, client, [event, listener])
    await trackMany(CALLS)
    await vi.waitUntil(() => tracking.stats().calls.pending === 0)
    const { delivered, failed } = tracking.stats().calls
    const stops = event === 'dispatch_start' || event === 'http_request'
    expect({ delivered, cancelled: failed.cancelled }).toEqual(stops ? none : all)
    expect(segment.received).toBe(delivered)
    expect(segment.duplicates).toEqual([])
    expect(listener.mock.calls.length).toBeLessThanOrEqual(CALLS)
    Reflect.apply(client.off, client, [event, listener])
    await trackMany(5)
    await vi.waitUntil(() => tracking.stats().calls.delivered === delivered + 5)
    await tracking.shutdown()
    expectBalance(tracking)
    // The application's own client is its own to contain.
    if (route === 'the client' || event !== 'drained') expect(unhandled).not.toHaveBeenCalled()
  })
})

describe('a client that the application closes', () => {
  it('fails its calls by name', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment)
    await tracking.segment.closeAndFlush()
    await trackMany(5)
    await vi.waitUntil(() => tracking.stats().calls.failed.closed === 5)
    expectBalance(tracking)
  })

  it('leaves stored calls to the next process', async () => {
    const segment = await segmentServer()
    const outbox = () => ({ delivery: { outbox: fileOutbox({ directory }) } })
    const directory = temporaryDirectory()
    const first = await delivering(segment, outbox())
    await first.tracking.segment.closeAndFlush()
    await first.trackMany(5)
    expect(await first.tracking.shutdown()).toMatchObject({ failed: 0, kept: 5 })
    const second = await delivering(segment, outbox())
    await segment.waitFor(5)
    expect(await second.tracking.shutdown()).toMatchObject({ delivered: 5, kept: 0 })
  })
})
