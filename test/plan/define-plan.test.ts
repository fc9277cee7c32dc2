import { fileURLToPath } from 'node:url'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { ConfigError, createTracking } from '../../src/index.js'
import { definePlan, type PlainJson, PlanError, type PlannedEvents } from '../../src/plan/index.js'
import { errorsOf } from './compiling.js'

const settings = { writeKey: 'test' }

function problemsOf(definition: unknown): Record<string, string> {
  try {
    definePlan(definition as never)
  } catch (error) {
    if (!(error instanceof PlanError)) throw error
    return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]))
  }
  return {}
}

describe('definePlan()', () => {
  it('takes any names and any library', () => {
    const events = { a: z.object({}), 'a b c': v.object({}), 'x ': type({}), '*': z.object({}) }
    expect(Object.keys(definePlan({ events }).events)).toEqual(['a', 'a b c', 'x ', '*'])
  })

  it('lists everything that is wrong at once, with its path', () => {
    const wrong = problemsOf({
      events: {
        'order complete': { id: 'string' },
        '': z.object({}),
        nothing: null,
        'inner one': { schema: {}, invalid: 'maybe' },
        'inner two': { schema: z.object({}), unplanned: 'allow' },
        'inner three': { unplanned: 'never' },
      },
      identify: 5,
      evnts: {},
      unplanned: 'never',
      invalid: 1,
      transform: 'yes',
    })
    const schema = expect.stringContaining('expected a schema that speaks Standard Schema')
    expect(wrong).toEqual({
      'events["order complete"]': schema,
      'events[""]': expect.stringContaining('empty name'),
      'events.nothing': schema,
      'events["inner one"].schema': schema,
      'events["inner one"].invalid': expect.stringContaining("'report', 'omit', 'drop'"),
      'events["inner two"].unplanned': expect.stringContaining('unknown key'),
      'events["inner three"].unplanned': expect.stringContaining("'allow', 'report', 'drop'"),
      identify: schema,
      evnts: 'unknown key, did you mean events?',
      unplanned: expect.stringContaining("'allow', 'report', 'drop'"),
      invalid: expect.stringContaining("'report', 'omit', 'drop'"),
      transform: expect.stringContaining('true or false'),
    })
  })

  it.each([undefined, null, 5, 'plan', [], {}, { events: [] }])('refuses %j', (definition) => {
    expect(Object.keys(problemsOf(definition))).toHaveLength(1)
  })

  it('refuses what throws when it is looked at', () => {
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('mine')
        },
        has() {
          throw new Error('mine')
        },
      },
    )
    expect(problemsOf({ events: { a: hostile } })).toHaveProperty(['events.a'])
    expect(() => createTracking({ settings, plan: hostile as never })).toThrow(ConfigError)
  })
})

describe('config.plan', () => {
  it.each([null, 5, {}, { events: {} }, [], z.object({})])(
    'refuses %j, with everything else that is wrong',
    (plan) => {
      const make = () => createTracking({ settings: { writeKey: '' }, plan: plan as never })
      expect(make).toThrow(/2 problems/)
      expect(make).toThrow(
        / plan: given .*expected a tracking plan, such as definePlan\(\) of reqtrack\/plan gives/,
      )
    },
  )
})

describe('a plan as JSON', () => {
  const plan = definePlan({
    events: {
      'order complete': z.object({ id: z.string(), at: z.date().optional() }),
      'order view': { schema: type({ id: 'string' }), invalid: 'drop' },
      'order list': v.object({}),
      'debug ping': { unplanned: 'allow' },
    },
    identify: z.object({ plan: z.enum(['free']) }),
    invalid: 'omit',
  })
  const id = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] }

  it('has the JSON Schema of what the library gives one of', () => {
    expect(JSON.parse(JSON.stringify(plan))).toMatchObject({
      unplanned: 'report',
      invalid: 'omit',
      events: {
        'order complete': { schema: { type: 'object', properties: { id: { type: 'string' }, at: {} } } },
        'order view': { schema: id, invalid: 'drop' },
        'order list': {},
        'debug ping': { unplanned: 'allow' },
      },
      methods: { identify: { schema: { properties: { plan: { enum: ['free'] } } } } },
    })
  })

  it('can be one JSON Schema for an event', () => {
    const { oneOf, $schema } = plan.toJSONSchema()
    expect($schema).toBe('http://json-schema.org/draft-07/schema#')
    expect(oneOf).toMatchObject([
      { properties: { name: { const: 'order complete' }, data: { type: 'object' } } },
      { properties: { name: { const: 'order view' }, data: id } },
      { properties: { name: { const: 'order list' }, data: {} } },
    ])
  })
})

describe('PlannedEvents', () => {
  it('are what the schemas take, as plain JSON', () => {
    const plan = definePlan({
      events: {
        zod: z.object({
          id: z.string(),
          at: z.date(),
          n: z.number().default(1),
          list: z.array(z.bigint()).optional(),
        }),
        valibot: v.object({ at: v.date(), kind: v.picklist(['a', 'b']) }),
        arktype: type({ 'at?': 'Date', pair: ['string', 'number'] }),
        coerced: z.object({ total: z.string().transform(Number) }),
        entry: { schema: z.object({ id: z.string() }), invalid: 'drop' },
        off: { unplanned: 'allow' },
      },
    })
    interface Events extends PlannedEvents<typeof plan> {}
    expectTypeOf<Events['zod']>().toEqualTypeOf<{ id: string; at: string; n?: number; list?: string[] }>()
    expectTypeOf<Events['valibot']>().toEqualTypeOf<{ at: string; kind: 'a' | 'b' }>()
    expectTypeOf<Events['arktype']>().toEqualTypeOf<{ at?: string; pair: [string, number] }>()
    expectTypeOf<Events['coerced']>().toEqualTypeOf<{ total: string }>()
    expectTypeOf<Events['entry']>().toEqualTypeOf<{ id: string }>()
    expectTypeOf<Events['off']>().toEqualTypeOf<object>()
    expectTypeOf<keyof Events>().toEqualTypeOf<keyof typeof plan.events>()
    expectTypeOf<PlainJson<Set<Date>>>().toEqualTypeOf<string[]>()
    expectTypeOf<PlainJson<{ toJSON(): { at: Date } }>>().toEqualTypeOf<{ at: string }>()
  })

  it('merged into TrackEvents are what handlers can track', () => {
    const file = fileURLToPath(new URL('in-memory.ts', import.meta.url))
    const text = `
      import { createTracking, type Track } from 'reqtrack'
      import { definePlan, type PlannedEvents } from 'reqtrack/plan'
      import { z } from 'zod'

      export const plan = definePlan({
        events: {
          'order complete': z.object({ id: z.string(), at: z.iso.datetime().optional() }),
          Subscribed: z.object({ plan: z.enum(['free', 'team']).optional() }),
        },
        unplanned: 'report',
      })
      export const tracking = createTracking({ settings: { writeKey: '' }, plan })
      declare module 'reqtrack' {
        interface TrackEvents extends PlannedEvents<typeof plan> {}
      }
      export function use(track: Track): void {
        track('order complete', { id: 'A', at: new Date().toISOString() })
        track('Subscribed')
        track('Subscribed', { plan: 'team' })
        // @ts-expect-error: it has data
        track('order complete')
        // @ts-expect-error: a number is no id
        track('order complete', { id: 1 })
        // @ts-expect-error: no such plan
        track('Subscribed', { plan: 'gold' })
        // @ts-expect-error: no such event
        track('order compelte', { id: 'A' })
      }
    `
    expect(errorsOf({ [file]: text })).toEqual([])
  })
})
