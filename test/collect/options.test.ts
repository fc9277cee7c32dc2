import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { expressCollect } from '../../src/frameworks/express.js'
import { koaCollect } from '../../src/frameworks/koa.js'
import { createTracking } from '../../src/index.js'
import { definePlan } from '../../src/plan/index.js'
import { endpoint } from './endpoint.js'

const tracking = createTracking({ settings: { writeKey: 'test-key', disable: true } })
/** Calls a function as plain JavaScript does, with options that no type allows. */
const mount = (adapter: typeof expressCollect | typeof koaCollect, options: unknown) => () =>
  Reflect.apply(adapter, undefined, [tracking, options])

describe('the options of an endpoint', () => {
  it.each([
    { problem: 'are missing', options: undefined, message: /given|missing/ },
    { problem: 'have no events', options: {}, message: /events is missing.*no tracking plan.*'any'/ },
    {
      problem: 'have events that are no list',
      options: { events: 'all' },
      message: /events is given a string: expected a list of names, or 'any'/,
    },
    {
      problem: 'have an event that is no name',
      options: { events: [7] },
      message: /a member of events is given the number 7/,
    },
    { problem: 'allow every event by a pattern', options: { events: ['*'] }, message: /events: 'any'/ },
    {
      problem: 'have an origin with a path',
      options: { events: 'any', origin: 'https://a.example/b' },
      message: /origin .* such as https:\/\/shop\.example/,
    },
    {
      problem: 'have an origin without a scheme',
      options: { events: 'any', origin: 'a.example' },
      message: /origin/,
    },
    {
      problem: 'have a wrong option',
      options: { events: 'any', origins: [] },
      message: /unknown option origins, did you mean origin\?/,
    },
    {
      problem: 'have groups that are a list',
      options: { events: 'any', groups: ['G-1'] },
      message: /groups is given a list: expected a function/,
    },
    {
      problem: 'have traits that are no list',
      options: { events: 'any', traits: 'plan' },
      message: /traits is given a string/,
    },
    {
      problem: 'believe the body of everybody',
      options: { events: 'any', anonymousId: true },
      message: /anonymousId is given true: expected 'body'/,
    },
    {
      problem: 'take no event',
      options: { events: 'any', maxEvents: 0 },
      message: /maxEvents is given the number 0/,
    },
    {
      problem: 'have a wrong limit',
      options: { events: 'any', limit: { perVisitor: -1 } },
      message: /limit\.perVisitor is given the number -1/,
    },
    {
      problem: 'have a wrong store',
      options: { events: 'any', limit: { store: {} } },
      message: /limit\.store is given an object/,
    },
  ])('are refused where they $problem', ({ options, message }) => {
    expect(mount(expressCollect, options)).toThrow(TypeError)
    expect(mount(expressCollect, options)).toThrow(message)
    const path = '/collect'
    const ofKoa = options === undefined ? undefined : { ...options, path }
    expect(mount(koaCollect, ofKoa)).toThrow(TypeError)
  })

  it('are refused where they name no path in Koa', () => {
    expect(mount(koaCollect, { events: 'any' })).toThrow(/path is missing/)
    expect(mount(koaCollect, { events: 'any', path: 'collect' })).toThrow(/begins with a slash/)
  })

  it('come with a tracking', () => {
    expect(() => Reflect.apply(expressCollect, undefined, [{}, { events: 'any' }])).toThrow(/createTracking/)
    expect(() => Reflect.apply(koaCollect, undefined, [{}, { events: 'any', path: '/' }])).toThrow(
      /createTracking/,
    )
  })
})

describe('the events that browsers may track', () => {
  it('are names and patterns', async () => {
    const { send, tracking } = await endpoint({ options: { events: ['page view', 'product *', /^cart /g] } })
    const names = [
      'page view',
      'product view',
      'cart open',
      'cart close',
      'page views',
      'a product view',
      'my cart open',
    ]
    const { json } = await send('', { body: names.map((name) => ({ name })) })
    expect(json).toMatchObject({ processed: 4, errors: [{ index: 4 }, { index: 5 }, { index: 6 }] })
    expect(tracking.stats().events.dropped.refused).toBe(3)
  })

  it('are those of the plan, where no others are named', async () => {
    const plan = definePlan({
      events: { 'product view': z.object({ id: z.string() }), 'order complete': { unplanned: 'allow' } },
      page: z.object({}),
      invalid: 'drop',
    })
    const { send, calls, tracking } = await endpoint({ config: { plan }, options: { events: undefined } })
    await send('/t', { body: { event: 'product view', properties: { id: 'P-1' } } })
    await send('/t', { body: { event: 'product view', properties: { id: 7 } } })
    await send('/t', { body: { event: 'order complete' } })
    await send('/t', { body: { event: 'cart open' } })
    await send('/p', { body: { name: 'Home' } })
    await send('/s', { body: { name: 'Home' } })
    expect((await calls()).map(({ type }) => type)).toEqual(['track', 'page'])
    expect(tracking.stats().events.dropped).toMatchObject({ refused: 3, plan: 1 })
  })
})

describe('a reader that wants nothing of a request', () => {
  it('gets no answer but that the request was fine, and its events are dropped', async () => {
    const { send, calls, tracking } = await endpoint({ config: { request: { skip: () => true } } })
    expect((await send('', { body: [{ name: 'product view' }] })).status).toBe(204)
    expect(await calls()).toEqual([])
    expect(tracking.stats().events.dropped.skipped).toBe(1)
  })
})
