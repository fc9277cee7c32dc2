import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import type { Tracker, Violation } from '../../src/index.js'
import { definePlan } from '../../src/plan/index.js'
import { planning, sent, tracked } from './planning.js'

const order = z.object({
  id: z.string(),
  total: z.number(),
  items: z.array(z.object({ price: z.number() })).optional(),
})
const SECRET = 'alice@example.com'

describe('an event that keeps to the plan', () => {
  it('goes on as it came, and nothing is told', async () => {
    const plan = definePlan({ events: { 'order complete': order } })
    const data = { id: 'A-1', total: 42, more: [1, { deep: true }] }
    const recorded = await tracked(plan, ({ track }) => track('order complete', data))
    expect(sent(recorded)).toEqual(data)
    expect(recorded.violations).toEqual([])
    expect(recorded.stats().violations).toEqual({})
    expect(recorded.lines).toEqual([])
  })

  it('is checked as the plain JSON that it has become', async () => {
    const plan = definePlan({
      events: { 'order complete': z.object({ at: z.iso.datetime(), n: z.string() }) },
    })
    const recorded = await tracked(plan, ({ track }) => track('order complete', { at: new Date(0), n: 5n }))
    expect(sent(recorded)).toEqual({ at: '1970-01-01T00:00:00.000Z', n: '5' })
    expect(recorded.violations).toEqual([])
  })

  it('is one without data, where the schema wants none', async () => {
    const plan = definePlan({ events: { 'user logout': z.strictObject({}) } })
    const recorded = await tracked(plan, ({ track }) => track('user logout'))
    expect(recorded.violations).toEqual([])
  })
})

describe("invalid: 'report'", () => {
  it('sends the event as it is, and tells event, path, kind and what was expected', async () => {
    const plan = definePlan({ events: { 'order complete': order } })
    const data = { total: SECRET, items: [{ price: 1 }, { price: null }, 7] }
    const recorded = await tracked(plan, ({ track }) => track('order complete', data))
    expect(sent(recorded)).toEqual(data)
    const common = { event: 'order complete', outcome: 'reported' }
    expect(recorded.violations).toEqual([
      { ...common, problem: 'id is missing', path: 'id', received: 'nothing', expected: 'a string' },
      { ...common, problem: 'total is a string', path: 'total', received: 'string', expected: 'a number' },
      {
        ...common,
        problem: 'items[].price is null',
        path: 'items[1].price',
        received: 'null',
        expected: 'a number',
      },
      {
        ...common,
        problem: 'items[] is a number',
        path: 'items[2]',
        received: 'number',
        expected: 'an object',
      },
    ])
    expect(recorded.stats().violations).toEqual({
      'order complete': {
        'id is missing': 1,
        'total is a string': 1,
        'items[].price is null': 1,
        'items[] is a number': 1,
      },
    })
  })

  it('is the default, and can be another for one event', async () => {
    const plan = definePlan({ events: { 'a b': order, 'c d': { schema: order, invalid: 'drop' } } })
    const recorded = await tracked(plan, ({ track }) => {
      track('a b', { id: 1, total: 1 })
      track('c d', { id: 1, total: 1 })
    })
    expect(recorded.calls).toMatchObject([{ event: 'a b' }])
    expect(recorded.drops).toMatchObject([{ reason: 'plan', event: { name: 'c d' } }])
  })
})

describe("invalid: 'omit'", () => {
  const plan = definePlan({ events: { 'order complete': order }, invalid: 'omit' })

  it('leaves out the wrong parts, nested ones and members of lists, and sends the rest', async () => {
    const recorded = await tracked(plan, ({ track }) =>
      track('order complete', {
        id: 'A-1',
        total: '42',
        items: [{ price: 1, sku: 'a' }, { price: '2', sku: 'b' }, 3, { price: 4 }],
        rest: { of: ['it', null] },
      }),
    )
    expect(sent(recorded)).toEqual({
      id: 'A-1',
      items: [{ price: 1, sku: 'a' }, { sku: 'b' }, { price: 4 }],
      rest: { of: ['it', null] },
    })
    expect(recorded.violations.map(({ path, outcome }) => [path, outcome])).toEqual([
      ['total', 'omitted'],
      ['items[1].price', 'omitted'],
      ['items[2]', 'omitted'],
    ])
  })

  it('reports what is missing and sends the rest', async () => {
    const recorded = await tracked(plan, ({ track }) => track('order complete', { total: 1 }))
    expect(sent(recorded)).toEqual({ total: 1 })
    expect(recorded.violations).toMatchObject([{ path: 'id', received: 'nothing', outcome: 'reported' }])
  })

  it('drops only where the root itself is wrong', async () => {
    const pair = z.object({ from: z.number(), to: z.number() }).refine(({ from, to }) => from < to)
    const ranges = definePlan({ events: { 'range set': pair }, invalid: 'omit' })
    const recorded = await tracked(ranges, ({ track }) => track('range set', { from: 2, to: 1 }))
    expect(recorded.calls).toEqual([])
    expect(recorded.drops).toMatchObject([{ reason: 'plan' }])
    expect(recorded.violations).toEqual([
      {
        event: 'range set',
        problem: 'not as planned as a whole',
        path: '',
        received: 'object',
        expected: 'an object',
        outcome: 'dropped',
      },
    ])
    expect(recorded.stats().events).toMatchObject({ open: 0, tracked: 1, dropped: { plan: 1 } })
  })

  it('changes nothing that the handler, the events or a mapping hold on to', async () => {
    const data = { id: 'A-1', total: 'x', rest: { a: 1 } }
    const recorded = await tracked(plan, ({ track }) => {
      track('order complete', data)
      track('order view', data)
    })
    expect(data.total).toBe('x')
    expect(recorded.calls).toMatchObject([
      { event: 'order complete', properties: { id: 'A-1', rest: { a: 1 } } },
      { event: 'order view', properties: { total: 'x' } },
    ])
    expect(recorded.events[0]?.data).toEqual({ id: 'A-1', rest: { a: 1 } })
  })

  it('gives a mapping what is left, so that its default stands in for it', async () => {
    const recorded = await tracked(plan, ({ track }) => track('order complete', { id: 'A', total: 'x' }), {
      mapping: { order: { complete: { data: { map: { revenue: { key: 'data.total', value: 0 } } } } } },
    })
    expect(sent(recorded)).toEqual({ revenue: 0 })
  })
})

describe("invalid: 'drop'", () => {
  it('drops what is wrong or misses something', async () => {
    const plan = definePlan({ events: { 'order complete': order }, invalid: 'drop' })
    const recorded = await tracked(plan, ({ track }) => {
      track('order complete', { id: 'A', total: 'x' })
      track('order complete', { id: 'A' })
      track('order complete', { id: 'A', total: 1 })
    })
    expect(recorded.calls).toHaveLength(1)
    expect(recorded.stats().events.dropped.plan).toBe(2)
    expect(recorded.violations.every(({ outcome }) => outcome === 'dropped')).toBe(true)
  })
})

describe('an event that is not planned', () => {
  const unplanned = (unplanned?: 'allow' | 'report' | 'drop') =>
    definePlan({
      events: {
        'order complete': order,
        'debug ping': { unplanned: 'allow' },
        'legacy x': { unplanned: 'drop' },
      },
      ...(unplanned && { unplanned }),
    })

  it.each([
    [undefined, ['other y', 'debug ping'], ['other y', 'legacy x']],
    ['report' as const, ['other y', 'debug ping'], ['other y', 'legacy x']],
    ['allow' as const, ['other y', 'debug ping'], ['legacy x']],
    ['drop' as const, ['debug ping'], ['other y', 'legacy x']],
  ])('with %s', async (policy, called, told) => {
    const recorded = await tracked(unplanned(policy), ({ track }) => {
      for (const name of ['other y', 'debug ping', 'legacy x']) track(name, { a: 1 })
    })
    expect(recorded.calls.map((call) => call.type === 'track' && call.event)).toEqual(called)
    expect(recorded.violations.map(({ event }) => event)).toEqual(told)
    expect(recorded.violations.every(({ problem, path }) => problem === 'not planned' && path === '')).toBe(
      true,
    )
    expect(recorded.drops.every(({ reason }) => reason === 'plan')).toBe(true)
  })

  it('is never a name that every object has', async () => {
    const recorded = await tracked(unplanned(), ({ track }) => {
      track('constructor x')
      track('__proto__ y')
    })
    expect(recorded.violations.map(({ problem }) => problem)).toEqual(['not planned', 'not planned'])
    expect(Object.keys(recorded.stats().violations)).toEqual(['constructor x', '__proto__ y'])
  })
})

describe("a tracker's own methods", () => {
  const plan = definePlan({
    events: {},
    identify: z.object({ plan: z.enum(['free', 'team']) }).partial(),
    group: z.object({ seats: z.number() }),
    page: z.object({ section: z.string() }),
    screen: z.object({ section: z.string() }),
    unplanned: 'drop',
    invalid: 'omit',
  })

  it('are held to their schemas', async () => {
    const recorded = await tracked(plan, (tracker) => {
      tracker.identify('u-1', { plan: SECRET, name: 'Alice' })
      tracker.group('g-1', { seats: 'many' })
      tracker.page({ name: 'Home', properties: { section: 1, a: 1 } })
      tracker.screen({ properties: { section: 'x' } })
      tracker.alias('u-0')
    })
    expect(recorded.calls).toMatchObject([
      { type: 'identify', traits: { name: 'Alice' } },
      { type: 'group', traits: {} },
      { type: 'page', properties: { a: 1 } },
      { type: 'screen', properties: { section: 'x' } },
    ])
    expect(recorded.violations.map(({ event, method, path }) => [event, method, path])).toEqual([
      ['user identify', 'identify', 'plan'],
      ['user group', 'group', 'seats'],
      ['page view', 'page', 'section'],
    ])
  })

  it('are not looked at without a schema', async () => {
    const bare = definePlan({ events: {}, unplanned: 'drop', invalid: 'drop' })
    const recorded = await tracked(bare, (tracker) => {
      tracker.identify('u-1', { plan: 1 })
      tracker.page()
    })
    expect(recorded.calls.map(({ type }) => type)).toEqual(['identify', 'page'])
    expect(recorded.violations).toEqual([])
  })

  it('are not what the tracking adds by itself', async () => {
    const recorded = await tracked(plan, (tracker) => tracker.consent({ marketing: true }), {
      settings: { consent: { marketing: 'Advertising' } },
      request: { consentUpdates: true, pageViews: true },
    })
    expect(recorded.calls.map((call) => call.type)).toEqual(['track'])
    expect(recorded.violations).toEqual([])
  })
})

describe('what is not what the handler gave', () => {
  it('is not checked: the request’s user, consent and source', async () => {
    const plan = definePlan({ events: { 'order complete': z.strictObject({ id: z.string() }) } })
    const recorded = await tracked(plan, ({ track }) =>
      track('order complete', { id: 'A' }, { globals: { g: 1 } }),
    )
    expect(recorded.violations).toEqual([])
  })

  it('is not sent, such as a default, unless the plan transforms', async () => {
    const schema = z.object({ id: z.coerce.string(), currency: z.string().default('EUR') })
    const events = { 'order complete': schema }
    const as = (transform: boolean) =>
      tracked(definePlan({ events, transform }), ({ track }) => track('order complete', { id: 5, more: 1 }))
    expect(sent(await as(false))).toEqual({ id: 5, more: 1 })
    expect(sent(await as(true))).toEqual({ id: '5', currency: 'EUR' })
  })

  it('is plain JSON where the plan transforms, also after something was omitted', async () => {
    const schema = z.object({ at: z.string().transform((at) => new Date(at)), n: z.number().optional() })
    const plan = definePlan({ events: { 'order complete': schema }, transform: true, invalid: 'omit' })
    const recorded = await tracked(plan, ({ track }) => track('order complete', { at: '1970-01-01', n: 'x' }))
    expect(sent(recorded)).toEqual({ at: '1970-01-01T00:00:00.000Z' })
  })

  it('is sent as it came where the schema makes no object of it, and that is told', async () => {
    const plan = definePlan({
      events: { 'order complete': z.object({ id: z.string() }).transform(({ id }) => id) },
      transform: true,
    })
    const recorded = await tracked(plan, ({ track }) => track('order complete', { id: 'A' }))
    expect(sent(recorded)).toEqual({ id: 'A' })
    expect(recorded.lines).toEqual([expect.stringContaining('no object')])
  })
})

describe('a violation', () => {
  const plan = definePlan({ events: { 'order complete': order }, invalid: 'omit' })
  const wrong = { id: 'A', total: SECRET }

  it('is told to on.violation and the channel reqtrack:violation, and names no value anywhere', async () => {
    const told: Violation[] = []
    const published: unknown[] = []
    const listen = (message: unknown) => void published.push(message)
    subscribe('reqtrack:violation', listen)
    onTestFinished(() => void unsubscribe('reqtrack:violation', listen))
    const recorded = await tracked(plan, ({ track }) => track('order complete', wrong), {
      on: { violation: (violation) => void told.push(violation) },
    })
    expect(told).toEqual(recorded.violations)
    expect(published).toEqual(recorded.violations)
    expect(told).toHaveLength(1)
    expect(JSON.stringify([told, recorded.lines, recorded.stats(), recorded.errors])).not.toContain(SECRET)
  })

  it('is logged once for an event and problem, however many have it', async () => {
    const { recorded, visit } = await planning(plan)
    for (let visits = 0; visits < 3; visits++) {
      await visit(({ track }) => {
        track('order complete', wrong)
        track('order complete', { total: 1 })
      })
    }
    expect(recorded.lines.map((line) => line.replace(/ \{.*/, ''))).toEqual([
      'event "order complete" is against the plan: total is a string, expected a number (omitted; said once)',
      'event "order complete" is against the plan: id is missing, expected a string (reported; said once)',
    ])
    expect(recorded.stats().violations).toEqual({
      'order complete': { 'total is a string': 3, 'id is missing': 3 },
    })
  })

  it('says in development where the handler tracked it', async () => {
    function myHandler({ track }: Tracker): void {
      track('order complete', wrong)
    }
    expect((await tracked(plan, myHandler)).violations[0]).not.toHaveProperty('stack')
    vi.stubEnv('NODE_ENV', 'development')
    onTestFinished(() => void vi.unstubAllEnvs())
    const recorded = await tracked(plan, myHandler)
    expect(recorded.violations[0]?.stack).toMatch(/^\s+at myHandler .*policies\.test\.ts/)
    expect(recorded.lines[0]).toContain('at myHandler')
  })

  it('costs nothing but itself if on.violation throws', async () => {
    const recorded = await tracked(plan, ({ track }) => track('order complete', wrong), {
      on: {
        violation: () => {
          throw new Error('mine')
        },
      },
    })
    expect(sent(recorded)).toEqual({ id: 'A' })
  })

  it('has its kinds counted in bounds', async () => {
    const named = definePlan({ events: {}, unplanned: 'report' })
    const { recorded, visit } = await planning(named)
    for (let from = 0; from < 1_200; from += 300) {
      await visit(({ track }) => {
        for (let index = from; index < from + 300; index++) track(`made up${index}`)
      })
    }
    const { violations } = recorded.stats()
    expect(Object.keys(violations)).toHaveLength(1_001)
    expect(violations['(others)']).toEqual({ '(others)': 200 })
    expect(recorded.lines).toHaveLength(1_001)
  })

  it('of a list of thousands is told a hundred times, and all of it is left out', async () => {
    const recorded = await tracked(plan, ({ track }) =>
      track('order complete', { id: 'A', total: 1, items: Array.from({ length: 3_000 }, () => 1) }),
    )
    expect(sent(recorded)).toEqual({ id: 'A', total: 1, items: [] })
    expect(recorded.violations).toHaveLength(100)
  })
})
