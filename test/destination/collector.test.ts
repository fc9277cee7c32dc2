import { Analytics } from '@segment/analytics-node'
import { startFlow } from '@walkeros/collector'
import type { Mapping, WalkerOS } from '@walkeros/core'
import { describe, expect, it, vi } from 'vitest'
import segmentDefault, {
  destinationSegment,
  type SegmentClient,
  type SegmentDestinationConfig,
} from '../../src/destination/index.js'
import { segmentServer } from '../support/servers.js'

type Config = Partial<Omit<SegmentDestinationConfig, 'settings'>> & {
  settings?: object
  batch?: number
}

/** walkerOS's own collector with this destination, which sends to a local endpoint. */
async function collectorTo(segment: { url: string }, { settings, ...config }: Config = {}) {
  const flow = await startFlow({
    destinations: {
      segment: {
        code: { ...destinationSegment },
        config: {
          ...config,
          settings: { writeKey: 'test-key', host: segment.url, flushInterval: 20, ...settings },
        },
      },
    },
  })
  return flow
}

/** A client that only tells which of its methods was called. */
function recording(record: (type: string) => void): SegmentClient {
  const method = (type: string) => () => record(type)
  return {
    track: method('track'),
    identify: method('identify'),
    group: method('group'),
    page: method('page'),
    screen: method('screen'),
  }
}

const user = { id: 'us3r', session: 's3ss10n' }
const event = (given: object = {}): WalkerOS.DeepPartialEvent => ({
  name: 'order complete',
  user,
  data: { total: 42 },
  timestamp: 1_700_000_000_000,
  ...given,
})

describe('the destination in walkerOS’s collector', () => {
  it('is the default export, too', () => {
    expect(segmentDefault).toBe(destinationSegment)
  })

  it('makes a call of the documented fields and no other', async () => {
    const calls: unknown[] = []
    const record = (params: unknown) => void calls.push(params)
    const analytics = { track: record, identify: record, group: record, page: record, screen: record }
    const { elb } = await startFlow({
      destinations: {
        segment: { code: destinationSegment, config: { settings: { writeKey: 'k' }, env: { analytics } } },
      },
    })
    await elb(event({ user: { session: 's3ss10n' } }))
    expect(calls).toStrictEqual([
      {
        anonymousId: 's3ss10n',
        event: 'order complete',
        properties: {},
        timestamp: new Date(1_700_000_000_000),
      },
    ])
  })

  it('makes one client for events that come at once, and flushes it when the collector shuts down', async () => {
    const segment = await segmentServer()
    const { elb } = await collectorTo(segment, { settings: { flushInterval: 60_000, flushAt: 100 } })
    // Every client that is made is listened to, also one that no event would reach.
    const opened = vi.spyOn(Analytics.prototype, 'on')
    await Promise.all(Array.from({ length: 20 }, () => elb(event())))
    expect(new Set(opened.mock.contexts).size).toBe(1)
    opened.mockRestore()
    await elb('walker shutdown')
    expect(segment.received).toBe(20)
    expect(segment.batches).toHaveLength(1)
  })

  it.each([
    ['its own', () => undefined],
    [
      'the application’s',
      (host: string) => new Analytics({ writeKey: 'test-key', host, flushInterval: 60_000 }),
    ],
  ])(
    'delivers what is under way and what is not when the collector shuts down, with %s client',
    async (_, open) => {
      const segment = await segmentServer()
      const analytics = open(segment.url)
      const { elb } = await collectorTo(segment, {
        settings: { flushInterval: 60_000 },
        ...(analytics && { env: { analytics } }),
      })
      segment.respondWith([{ delay: 300 }])
      await Promise.all(Array.from({ length: 20 }, () => elb(event())))
      await vi.waitUntil(() => segment.batches.length === 1)
      await elb('walker shutdown')
      expect(segment.received).toBe(20)
    },
  )

  it('keeps the state of a registration apart from that of another', async () => {
    const segments = [await segmentServer(), await segmentServer()] as const
    for (const segment of segments) {
      const settings = { identify: { map: { traits: { map: { email: 'user.email' } } } } }
      const { elb } = await collectorTo(segment, { settings })
      await elb(event({ user: { ...user, email: 'a@example.com' } }))
      await elb('walker shutdown')
    }
    for (const segment of segments)
      expect(segment.calls.map(({ type }) => type)).toEqual(['identify', 'track'])
  })

  it('refuses a missing write key with an error that names it', async () => {
    const errors: string[] = []
    const { elb } = await startFlow({
      logger: { handler: (_level, message, context) => errors.push(`${message} ${JSON.stringify(context)}`) },
      destinations: { segment: { code: destinationSegment, config: { settings: {} } } },
    })
    await elb(event())
    expect(errors.join()).toContain('settings.writeKey')
  })

  it('sends every category although the collector has taken the refusals away', async () => {
    const segment = await segmentServer()
    const { elb } = await collectorTo(segment, {
      consent: { functional: true },
      settings: { consent: { analytics: 'Analytics', marketing: 'Advertising' } },
    })
    await elb(event({ consent: { functional: true, analytics: true, marketing: false } }))
    await elb(event({ consent: { functional: true, analytics: false, marketing: false } }))
    await elb('walker shutdown')
    expect(segment.calls.map(({ context }) => context?.consent)).toEqual([
      { categoryPreferences: { Analytics: true, Advertising: false } },
      { categoryPreferences: { Analytics: false, Advertising: false } },
    ])
  })

  it('enforces the consent of a rule, which walkerOS forgets', async () => {
    const segment = await segmentServer()
    const { elb } = await collectorTo(segment, {
      mapping: { order: { complete: { consent: { marketing: true } } } },
    })
    await elb(event({ consent: { marketing: false } }))
    await elb(event({ consent: { marketing: true } }))
    await elb('walker shutdown')
    expect(segment.received).toBe(1)
  })

  it('keeps null and Date in mapped data, which the collector has lost', async () => {
    const segment = await segmentServer()
    const { elb } = await collectorTo(segment, {
      data: 'data',
      mapping: { order: { complete: { data: { map: { at: 'data.at' } }, remove: ['secret'] } } },
    })
    await elb(event({ data: { at: new Date(0), none: null, secret: 1 } }))
    await elb('walker shutdown')
    expect(segment.calls[0]).toMatchObject({ properties: { at: '1970-01-01T00:00:00.000Z', none: null } })
    expect(segment.calls[0]).not.toHaveProperty('properties.secret')
  })

  it('honours the documentation’s skip and walkerOS’s own name and policy', async () => {
    const segment = await segmentServer()
    // Twice would be once too often.
    const addOne: Mapping.Fn = (value) => Number((value as WalkerOS.Event).data.total) + 1
    const { elb } = await collectorTo(segment, {
      mapping: {
        order: {
          complete: { name: 'Order Completed', policy: { 'data.total': { fn: addOne } }, data: 'data' },
          refund: { skip: true, settings: { page: true } },
        },
      },
    })
    await elb(event())
    await elb(event({ name: 'order refund' }))
    await elb('walker shutdown')
    expect(segment.calls).toMatchObject([
      { type: 'track', event: 'Order Completed', properties: { total: 43 } },
      { type: 'page' },
    ])
  })

  it('takes batches of walkerOS’s own, each entry with its rule', async () => {
    const segment = await segmentServer()
    const { elb } = await collectorTo(segment, {
      batch: 10,
      mapping: { order: { complete: { name: 'Order Completed', data: 'data' }, '*': { ignore: true } } },
    })
    await elb(event({ data: { total: 1 } }))
    await elb(event({ name: 'order refund' }))
    await elb(event({ data: { total: 2 } }))
    await elb(event({ name: 'page view' }))
    await elb('walker shutdown')
    expect(segment.calls).toMatchObject([
      { event: 'Order Completed', properties: { total: 1 } },
      { event: 'Order Completed', properties: { total: 2 } },
      { event: 'page view' },
    ])
  })

  it('takes the batches that a rule asks for, and tells which of their entries failed', async () => {
    const sent: unknown[] = []
    const outcomes: unknown[] = []
    const analytics = {
      ...recording(() => {}),
      track: ({ event, properties }: { event: string; properties?: { total?: number } }) => {
        if (properties?.total === 2) throw new Error('no room')
        sent.push([event, properties])
      },
    }
    const { elb } = await startFlow({
      logger: { handler: () => {} },
      destinations: {
        segment: {
          code: {
            ...destinationSegment,
            async pushBatch(...parameters: Parameters<typeof destinationSegment.pushBatch>) {
              const outcome = await destinationSegment.pushBatch(...parameters)
              outcomes.push(outcome)
              return outcome
            },
          },
          config: {
            settings: { writeKey: 'k' },
            env: { analytics },
            mapping: {
              order: {
                complete: { name: 'Order Completed', data: 'data', batch: 3 },
                refund: { name: 'Order Refunded', data: 'data', batch: 2 },
              },
            },
          },
        },
      },
    })
    for (const total of [1, 2, 3]) await elb(event({ data: { total } }))
    await elb(event({ name: 'order refund', data: { total: 4 } }))
    await elb('walker shutdown')
    expect(sent).toEqual([
      ['Order Completed', { total: 1 }],
      ['Order Completed', { total: 3 }],
      ['Order Refunded', { total: 4 }],
    ])
    expect(outcomes).toEqual([{ failed: [{ index: 1, error: new Error('no room') }] }, { failed: [] }])
  })

  it('has handed the calls to the client when push returns', async () => {
    const made: string[] = []
    const handed: unknown[] = []
    const { elb } = await startFlow({
      destinations: {
        segment: {
          code: {
            ...destinationSegment,
            push(...parameters: Parameters<typeof destinationSegment.push>) {
              const pushed = destinationSegment.push(...parameters)
              handed.push([pushed, [...made]])
              return pushed
            },
          },
          config: {
            settings: { writeKey: 'k', identify: { map: { traits: { map: { plan: { value: 'free' } } } } } },
            env: { analytics: recording((type) => made.push(type)) },
          },
        },
      },
    })
    await elb(event())
    expect(handed).toEqual([[undefined, ['identify', 'track']]])
  })

  it('sends what the collector has parked without consent when it is given, with the state of then', async () => {
    const segment = await segmentServer()
    const { elb } = await collectorTo(segment, {
      consent: { marketing: true },
      settings: { consent: { analytics: 'Analytics', marketing: 'Advertising' } },
    })
    await elb(event({ consent: { marketing: false } }))
    await elb('walker consent', { marketing: true, analytics: false })
    await elb('walker shutdown')
    expect(segment.calls).toMatchObject([{ event: 'order complete' }])
    expect(segment.calls[0]?.context?.consent).toEqual({
      categoryPreferences: { Advertising: true, Analytics: false },
    })
  })

  it('says so when it drops an event that nobody could be told of', async () => {
    const errors: string[] = []
    const segment = await segmentServer()
    const { elb } = await startFlow({
      logger: { handler: (_level, message) => errors.push(message) },
      destinations: {
        segment: { code: destinationSegment, config: { settings: { writeKey: 'k', host: segment.url } } },
      },
    })
    await elb(event({ user: {} }))
    expect(errors.join()).toContain('neither settings.userId nor settings.anonymousId')
  })

  it('says so when Segment refuses, and identifies again afterwards', async () => {
    const errors: string[] = []
    const segment = await segmentServer()
    const { elb } = await startFlow({
      logger: { handler: (_level, message) => errors.push(message) },
      destinations: {
        segment: {
          code: destinationSegment,
          config: {
            settings: {
              writeKey: 'k',
              host: segment.url,
              flushInterval: 10,
              identify: { map: { traits: { map: { email: 'user.email' } } } },
            },
          },
        },
      },
    })
    segment.respondWith([{ status: 400, times: 3 }])
    const identified = event({ user: { ...user, email: 'a@example.com' } })
    await elb(identified)
    await vi.waitFor(() => expect(errors.join()).toContain('not delivered'))
    await elb(identified)
    await elb('walker shutdown')
    expect(segment.calls.map(({ type }) => type)).toEqual(['identify', 'track'])
  })
})

describe('at its end', () => {
  it('closes the client that its predecessor has left in the settings', async () => {
    const closed: unknown[] = []
    const _analytics = { closeAndFlush: (options: unknown) => void closed.push(options) }
    await destinationSegment.destroy({
      config: { settings: Object.assign({ writeKey: 'test-key' }, { _analytics }) },
    })
    expect(closed).toEqual([{ timeout: 5_000 }])
  })

  it.each([undefined, null, 7, {}, { closeAndFlush: true }])(
    'leaves alone what is no client: %j',
    async (_analytics) => {
      const settings = Object.assign({ writeKey: 'test-key' }, { _analytics })
      await expect(destinationSegment.destroy({ config: { settings } })).resolves.toBeUndefined()
    },
  )
})
