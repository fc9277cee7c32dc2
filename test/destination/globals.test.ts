import { describe, expect, it } from 'vitest'
import type { DroppedEvent, Globals, Rules, Settings, Tracker, TrackingConfig } from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

const globals = { release: '1.4.2', tenant: { id: 't-1' } }

interface Given extends Omit<TrackingConfig, 'settings'> {
  settings?: Partial<Settings>
}

async function callsOf(config: Given, track: (tracker: Tracker) => void, headers = visitor('s1')) {
  const segment = await segmentServer()
  const errors: unknown[] = []
  const drops: DroppedEvent[] = []
  const tracking = trackingTo(segment, {
    request: { context: false },
    logger: { handler: () => {} },
    on: { error: (error) => errors.push(error), dropped: (dropped) => drops.push(dropped) },
    ...config,
  })
  const inRequest = await requestsOf(tracking)
  await inRequest(track, headers)
  await tracking.flush({ timeout: 15_000 })
  const calls = segment.calls.map(({ messageId: _, timestamp: __, context: ___, ...call }) => {
    const { _metadata, anonymousId, integrations, ...rest } = call as Record<string, unknown>
    return rest
  })
  return { calls, errors, drops, segment, inRequest, tracking }
}

const rule = (given: NonNullable<Rules['order']>['complete']): Rules => ({ order: { complete: given ?? {} } })

describe('config.globals', () => {
  it('lie under the properties of track, page and screen, and are in no traits', async () => {
    const { calls } = await callsOf({ globals }, (tracker) => {
      tracker.user({ id: 'u-1' })
      tracker.track('order complete', { total: 42 })
      tracker.track('order view')
      tracker.page({ name: 'Home', properties: { path: '/' } })
      tracker.screen()
      tracker.identify({ plan: 'team' })
      tracker.group('acme', { size: 2 })
      tracker.alias('u-0')
    })
    expect(calls).toEqual([
      {
        type: 'track',
        userId: 'u-1',
        event: 'order complete',
        properties: { ...globals, total: 42 },
      },
      { type: 'track', userId: 'u-1', event: 'order view', properties: globals },
      { type: 'page', userId: 'u-1', name: 'Home', properties: { ...globals, path: '/' } },
      { type: 'screen', userId: 'u-1', properties: globals },
      { type: 'identify', userId: 'u-1', traits: { plan: 'team' } },
      { type: 'group', userId: 'u-1', groupId: 'acme', traits: { size: 2 } },
      { type: 'alias', userId: 'u-1', previousId: 'u-0' },
    ])
  })

  it('lie under what the handler says: in the data, and in the event’s own globals', async () => {
    const { calls } = await callsOf({ globals }, (tracker) => {
      tracker.track('order complete', { release: 'beta', tenant: null })
      tracker.track('order complete', {}, { globals: { release: 'beta', extra: true } })
      tracker.page({ properties: { release: 'beta' } })
    })
    expect(calls.map(({ properties }) => properties)).toEqual([
      { release: 'beta', tenant: null },
      { release: 'beta', tenant: { id: 't-1' } },
      { release: 'beta', tenant: { id: 't-1' } },
    ])
  })

  it.each([
    ['its own data', rule({ data: { map: { total: 'data.total' } } }), { ...globals, total: 42 }],
    ['data that say nothing', rule({ data: { map: {} } }), globals],
    ['data that are no object', rule({ data: 'data.total' }), globals],
    [
      'data that say otherwise',
      rule({ data: { map: { release: { value: 'rule' } } } }),
      { ...globals, release: 'rule' },
    ],
    [
      'asynchronous data',
      rule({ data: { map: { total: { fn: async () => 7 } } } }),
      { ...globals, total: 7 },
    ],
    [
      'include',
      rule({ include: ['globals'] }),
      { ...globals, globals_release: '1.4.2', globals_tenant: { id: 't-1' }, total: 42 },
    ],
    ['remove', rule({ remove: ['release', 'tenant.id'] }), { tenant: {}, total: 42 }],
    [
      'a policy',
      rule({ policy: { 'globals.release': { value: 'policy' } } }),
      { ...globals, release: 'policy', total: 42 },
    ],
    ['a path to them', rule({ data: { map: { by: 'globals.tenant.id' } } }), { ...globals, by: 't-1' }],
    [
      'a function that reads them',
      rule({ data: { map: { by: { fn: (_, { event }) => event.globals?.release } } } }),
      { ...globals, by: '1.4.2' },
    ],
  ])('are there with a rule that has %s', async (_what, mapping, properties) => {
    const { calls } = await callsOf({ globals, mapping }, (tracker) =>
      tracker.track('order complete', { total: 42 }),
    )
    expect(calls).toEqual([{ type: 'track', event: 'order complete', properties }])
  })

  it('are there with the config’s own data and include', async () => {
    const config = { globals, data: { map: { shop: { value: 'berlin' } } }, include: ['data'] }
    const { calls } = await callsOf(config, (tracker) => tracker.track('order complete', { total: 42 }))
    expect(calls[0]?.properties).toEqual({ ...globals, shop: 'berlin', data_total: 42 })
  })

  it('lie under the properties of a rule’s page and screen, and never in its traits', async () => {
    const mapping = rule({
      skip: true,
      settings: {
        identify: { map: { traits: { map: { total: 'data.total' } } } },
        group: { map: { groupId: { value: 'acme' }, traits: { map: { total: 'data.total' } } } },
        page: true,
        screen: { map: { properties: { map: { release: { value: 'rule' } } } } },
      },
    })
    const { calls } = await callsOf({ globals, mapping }, (tracker) =>
      tracker.track('order complete', { total: 42 }),
    )
    expect(calls).toEqual([
      { type: 'identify', traits: { total: 42 } },
      { type: 'group', groupId: 'acme', traits: { total: 42 } },
      { type: 'page', properties: globals },
      { type: 'screen', properties: { ...globals, release: 'rule' } },
    ])
  })

  it('are not in the event that tells Segment of a choice', async () => {
    const config: Given = {
      globals,
      settings: { consent: { marketing: 'Advertising' } },
      request: { consentUpdates: true, context: false },
    }
    const { calls } = await callsOf(config, (tracker) => tracker.consent({ marketing: false }))
    expect(calls).toEqual([{ type: 'track', event: 'Segment Consent Preference Updated', properties: {} }])
  })

  it('hold for a sender without an end, too, under the properties and in the event', async () => {
    const events: unknown[] = []
    const { tracking, segment } = await callsOf(
      { globals, mapping: rule({ data: { map: { total: 'data.total', release: 'globals.release' } } }) },
      () => {},
    )
    const tracker = tracking.forSender({ user: { id: 'u-1' } })
    tracker.track('order complete', { total: 42 })
    tracker.track('order view')
    await tracking.flush()
    for (const call of segment.calls) if (call.type === 'track') events.push(call.properties)
    expect(events).toEqual([{ ...globals, total: 42 }, globals])
  })

  it('are plain and copied: no event can change those of another', async () => {
    const given = { release: '1.4.2', tenant: { id: 't-1' } }
    const spoil = rule({
      data: {
        map: {
          done: {
            fn: (_, { event }) => {
              const { tenant } = event.globals ?? {}
              if (typeof tenant === 'object') Object.assign(tenant, { id: 'spoiled' })
              return true
            },
          },
        },
      },
    })
    const { calls } = await callsOf({ globals: given, mapping: spoil }, (tracker) => {
      tracker.track('order complete')
      tracker.track('order view')
      given.release = 'changed'
      given.tenant.id = 'changed'
    })
    expect(calls[1]?.properties).toEqual({ release: '1.4.2', tenant: { id: 't-1' } })
  })
})

describe('outside of a request', () => {
  it.each([
    ['lie under the properties where they are given', globals, { ...globals, total: 42 }],
    ['are none where a request would have to be read', () => globals, { total: 42 }],
  ])('config.globals %s', async (_what, given, properties) => {
    const { tracking, segment, errors } = await callsOf({ globals: given }, () => {})
    tracking.run({ name: 'worker', user: { id: 'u-1' } }, (tracker) =>
      tracker.track('order complete', { total: 42 }),
    )
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ userId: 'u-1' }])
    expect(segment.calls.map((call) => 'properties' in call && call.properties)).toEqual([properties])
    expect(errors).toEqual([])
  })
})

describe('a reader of globals', () => {
  const readers: [string, Globals][] = [
    ['answers at once', ({ headers }) => ({ tenant: String(headers['x-tenant']) })],
    ['answers later', async ({ headers }) => ({ tenant: String(headers['x-tenant']) })],
  ]

  it.each(readers)('that %s is asked once for each request', async (_how, globals) => {
    let asked = 0
    const counted: Globals = (request) => {
      asked++
      return typeof globals === 'function' ? globals(request) : globals
    }
    const first = { ...visitor('s1'), 'x-tenant': 'a' }
    const track = (tracker: Tracker) => {
      tracker.track('order complete')
      tracker.page()
    }
    const { inRequest, tracking, segment } = await callsOf({ globals: counted }, track, first)
    await inRequest(track, { ...visitor('s1'), 'x-tenant': 'b' })
    await tracking.flush()
    expect(segment.calls.map((call) => 'properties' in call && call.properties)).toEqual([
      { tenant: 'a' },
      { tenant: 'a' },
      { tenant: 'b' },
      { tenant: 'b' },
    ])
    expect(asked).toBe(2)
  })

  const broken = (): never => {
    throw new Error('broken')
  }
  const circular: Record<string, unknown> = { release: '1' }
  circular.self = circular
  const misbehaving: [string, unknown, number, object][] = [
    ['throws', broken, 1, {}],
    ['rejects', async () => broken(), 1, {}],
    ['never answers', () => new Promise(() => {}), 0, {}],
    ['has nothing to say', () => undefined, 0, {}],
    ['gives a string', () => 'production', 1, {}],
    ['gives a list', () => ['production'], 1, {}],
    ['gives more than a call can hold', () => ({ big: 'x'.repeat(40_000) }), 1, {}],
    ['gives what is circular', () => circular, 0, { release: '1' }],
    [
      'gives what throws when it is read',
      () => ({
        release: '1',
        get secret() {
          return broken()
        },
      }),
      0,
      { release: '1' },
    ],
    [
      'gives functions and dates',
      () => ({ at: new Date(0), fn: () => 1 }),
      0,
      { at: '1970-01-01T00:00:00.000Z' },
    ],
    [
      'gives what has a hostile name',
      () => JSON.parse('{"__proto__":{"x":1},"release":"1"}'),
      0,
      { release: '1' },
    ],
  ]

  it.each(misbehaving)('that %s costs its globals only', async (_how, reader, failures, properties) => {
    const { calls, errors, drops } = await callsOf({ globals: reader as Globals }, (tracker) => {
      tracker.track('order complete', { total: 42 })
      tracker.page()
    })
    expect(calls).toMatchObject([{ event: 'order complete' }, { type: 'page' }])
    expect(calls.map((call) => call.properties)).toEqual([{ ...properties, total: 42 }, properties])
    expect(errors).toHaveLength(failures)
    expect(drops).toEqual([])
  })
})
