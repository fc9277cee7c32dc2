import { describe, expect, it } from 'vitest'
import type { Rules, TrackingConfig } from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

/** The calls, without the request's own context, that a config makes of an event. */
async function callsOf(config: Omit<TrackingConfig, 'settings'>, event: object, settings = {}) {
  const segment = await segmentServer()
  const tracking = trackingTo(segment, {
    ...config,
    settings,
    request: { context: false, ...config.request },
  })
  const inRequest = await requestsOf(tracking)
  await inRequest((tracker) => tracker.track({ name: 'order complete', ...event }), visitor('s1'))
  await tracking.flush({ timeout: 15_000 })
  const calls = segment.calls.map(({ messageId: _, timestamp: __, context: ___, ...call }) => {
    const {
      _metadata: ____,
      anonymousId: _____,
      integrations: ______,
      ...rest
    } = call as Record<string, unknown>
    return rest
  })
  return { calls, stats: tracking.stats() }
}

const rule = (given: NonNullable<Rules['order']>['complete']): Rules => ({ order: { complete: given ?? {} } })
const broken = (): never => {
  throw new Error('broken')
}
const data = { id: 'A-1', total: 42, products: ['x', 'y'] }

describe('a mapping rule', () => {
  it('renames with `name`', async () => {
    const { calls } = await callsOf({ mapping: rule({ name: 'Order Completed' }) }, { data })
    expect(calls).toEqual([{ type: 'track', event: 'Order Completed', properties: data }])
  })

  it('makes the properties with `data`, over the config’s', async () => {
    const config = { data: { map: { shop: { value: 'berlin' }, total: { value: 0 } } } }
    const mapping = rule({ data: { map: { total: 'data.total', order_id: 'data.id' } } })
    const { calls } = await callsOf({ ...config, mapping }, { data })
    expect(calls[0]).toMatchObject({ properties: { shop: 'berlin', total: 42, order_id: 'A-1' } })
  })

  it('adds sections with `include`, and takes members away with `remove`', async () => {
    const event = { data, context: { stage: ['checkout', 0] }, globals: { shop: 'berlin' } }
    const mapping = rule({ include: ['context', 'globals'], remove: ['products', 'globals_shop'] })
    const { calls } = await callsOf({ mapping }, event)
    expect(calls[0]).toMatchObject({ properties: { id: 'A-1', total: 42, context_stage: 'checkout' } })
    expect(Object.keys(calls[0]?.properties as object)).not.toContain('products')
    expect(Object.keys(calls[0]?.properties as object)).not.toContain('globals_shop')
  })

  it('replaces the config’s `include` with its own', async () => {
    const { calls } = await callsOf(
      { include: ['globals'], mapping: rule({ include: ['data'] }) },
      { data, globals: { a: 1 } },
    )
    expect(calls[0]).toMatchObject({ properties: { ...data, data_id: 'A-1' } })
    expect(calls[0]?.properties).not.toHaveProperty('globals_a')
  })

  it('ignores with `ignore`', async () => {
    const { calls, stats } = await callsOf({ mapping: rule({ ignore: true }) }, { data })
    expect(calls).toEqual([])
    expect(stats.events.dropped.ignored).toBe(1)
  })

  it('changes the event with `policy`, the config’s before the rule is looked up', async () => {
    const { calls } = await callsOf(
      {
        policy: { name: { value: 'order refund' }, 'data.shop': { value: 'berlin' } },
        mapping: { order: { refund: { policy: { 'data.total': { fn: () => -42 } } } } },
      },
      { data },
    )
    expect(calls[0]).toMatchObject({ properties: { ...data, shop: 'berlin', total: -42 } })
  })

  it('is gated by its own `consent`', async () => {
    const mapping = rule({ consent: { marketing: true } })
    const denied = await callsOf({ mapping, request: { consent: () => ({ marketing: false }) } }, { data })
    expect(denied.calls).toEqual([])
    expect(denied.stats.events.dropped.consent).toBe(1)
    const granted = await callsOf({ mapping, request: { consent: () => ({ marketing: true }) } }, { data })
    expect(granted.calls).toHaveLength(1)
  })

  it.each(['skip', 'silent'] as const)('makes no track() with `%s`', async (field) => {
    const mapping = rule({
      [field]: true,
      settings: { identify: { map: { traits: { map: { total: 'data.total' } } } } },
    })
    const { calls } = await callsOf({ mapping }, { data })
    expect(calls).toEqual([{ type: 'identify', traits: { total: 42 } }])
  })

  it('counts a silent rule that resolves to no call as ignored', async () => {
    const { stats } = await callsOf({ mapping: rule({ skip: true }) }, { data })
    expect(stats.events.dropped.ignored).toBe(1)
  })

  it.each([
    ['holds', () => true, 'First'],
    ['does not hold', () => false, 'Second'],
    ['holds later', async () => true, 'First'],
    ['does not hold later', async () => false, 'Second'],
    [
      'throws',
      () => {
        throw new Error('broken')
      },
      'Second',
    ],
    ['rejects', () => Promise.reject(new Error('broken')), 'Second'],
    ['never answers', () => new Promise<boolean>(() => {}), 'Second'],
  ])('is the first of a list whose condition %s', async (what, condition, name) => {
    const lines: string[] = []
    const { calls } = await callsOf(
      {
        mapping: rule([{ condition, name: 'First' }, { name: 'Second' }]),
        logger: { handler: (_level, message) => void lines.push(message) },
      },
      { data },
    )
    expect(calls[0]).toMatchObject({ event: name })
    expect(lines).toEqual(what.includes('hold') ? [] : [expect.stringContaining('mapping condition failed')])
  })

  it.each([
    ['throws', () => broken(), 'broken'],
    ['rejects', async () => broken(), 'broken'],
    ['never answers', () => new Promise<never>(() => {}), 'no answer within 2000 ms'],
  ])('gives nothing for a function that %s, tells of it, and goes', async (_how, fails, message) => {
    const errors: unknown[] = []
    const data = {
      map: {
        made: { fn: fails },
        checked: { key: 'data.total', validate: fails },
        chosen: { key: 'data.total', condition: fails },
        id: 'data.id',
      },
    }
    const { calls, stats } = await callsOf(
      {
        mapping: rule([
          { condition: fails, name: 'First' },
          { name: 'Second', data },
        ]),
        logger: { handler: () => {} },
        on: { error: (error) => errors.push(error) },
      },
      { data: { id: 'A-1', total: 42 } },
    )
    expect(calls).toMatchObject([{ event: 'Second', properties: { id: 'A-1' } }])
    expect(Object.keys(calls[0]?.properties ?? {})).toEqual(['id'])
    expect(errors).toMatchObject(Array(4).fill({ message }))
    expect(stats.events).toMatchObject({ open: 0, dispatched: 1 })
  })

  it('matches any entity and action with `*`', async () => {
    const { calls } = await callsOf(
      { mapping: { '*': { '*': { name: 'Anything' } } } },
      { name: 'page view' },
    )
    expect(calls[0]).toMatchObject({ event: 'Anything' })
  })

  it('is not found in the prototype of objects', async () => {
    const { calls } = await callsOf(
      { mapping: rule({ name: 'Order Completed' }) },
      { name: 'constructor name' },
    )
    expect(calls[0]).toMatchObject({ event: 'constructor name' })
  })
})

describe('a rule’s settings', () => {
  const user = { id: 'alice' }

  it('make all calls in order: identify, group, page, screen, track', async () => {
    const mapping = rule({
      settings: {
        identify: { map: { traits: { map: { email: 'data.email' } } } },
        group: { map: { groupId: 'data.company' } },
        page: true,
        screen: { map: { name: 'data.screen', category: { value: 'app' } } },
      },
    })
    const { calls } = await callsOf(
      { mapping },
      { user, data: { email: 'a@b.c', company: 7, screen: 'Welcome' } },
    )
    expect(calls).toEqual([
      { type: 'identify', userId: 'alice', traits: { email: 'a@b.c' } },
      { type: 'group', userId: 'alice', groupId: '7', traits: {} },
      { type: 'page', userId: 'alice', properties: {} },
      { type: 'screen', userId: 'alice', name: 'Welcome', category: 'app', properties: {} },
      {
        type: 'track',
        userId: 'alice',
        event: 'order complete',
        properties: { email: 'a@b.c', company: 7, screen: 'Welcome' },
      },
    ])
  })

  it.each(['page', 'screen'] as const)(
    'make a bare %s() with `true`, and none with `false`',
    async (view) => {
      const { calls } = await callsOf({ mapping: rule({ skip: true, settings: { [view]: true } }) }, { data })
      expect(calls).toEqual([{ type: view, properties: {} }])
      const { stats } = await callsOf(
        { mapping: rule({ skip: true, settings: { [view]: false } }) },
        { data },
      )
      expect(stats.events.dropped.ignored).toBe(1)
    },
  )

  it('override the destination’s identify and group', async () => {
    const mapping = rule({
      settings: {
        identify: { map: { traits: { map: { by: { value: 'rule' } } } } },
        group: { map: { groupId: { value: 'rule' } } },
      },
    })
    const settings = {
      identify: { map: { traits: { map: { by: { value: 'settings' } } } } },
      group: { map: { groupId: { value: 'settings' } } },
    }
    const { calls } = await callsOf({ mapping }, { user }, settings)
    expect(calls[0]).toMatchObject({ type: 'identify', traits: { by: 'rule' } })
    expect(calls[1]).toMatchObject({ type: 'group', groupId: 'rule' })
  })

  it('hold a userId that identify resolves for the event’s other calls, a number too', async () => {
    const mapping = rule({ settings: { identify: { map: { userId: 'data.user_id' } } } })
    const { calls } = await callsOf({ mapping }, { user: { id: 'before' }, data: { user_id: 99 } })
    expect(calls.map(({ type, userId }) => [type, userId])).toEqual([
      ['identify', '99'],
      ['track', '99'],
    ])
  })
})

describe('values', () => {
  const values = {
    none: null,
    at: new Date(0),
    nested: [[1, [2, null]], { at: new Date(1) }],
    big: 12n,
    fn: () => 1,
    symbol: Symbol('s'),
  }
  const onTheWire = {
    none: null,
    at: '1970-01-01T00:00:00.000Z',
    nested: [[1, [2, null]], { at: '1970-01-01T00:00:00.001Z' }],
    big: '12',
  }

  it('survive as properties', async () => {
    const { calls } = await callsOf({}, { data: values })
    expect(calls[0]?.properties).toEqual(onTheWire)
  })

  it('survive a mapping that holds them, where walkerOS drops the whole', async () => {
    const { calls } = await callsOf({ mapping: rule({ data: { map: { all: 'data' } } }) }, { data: values })
    expect(calls[0]?.properties).toEqual({ all: onTheWire })
  })

  it('are made safe again when a mapping function gives them', async () => {
    const circular: Record<string, unknown> = { total: 1 }
    circular.self = circular
    const mapping = rule({ data: { map: { all: { fn: () => ({ ...values, circular }) } } } })
    const { calls } = await callsOf({ mapping }, {})
    expect(calls[0]?.properties).toEqual({ all: { ...onTheWire, circular: { total: 1 } } })
  })
})
