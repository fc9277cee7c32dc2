import { type } from 'arktype'
import * as v from 'valibot'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { definePlan, type StandardSchema } from '../../src/plan/index.js'
import { sent, tracked } from './planning.js'

const SECRET = 'alice@example.com'

/** The same schemas in each library. */
const libraries: [string, { order: StandardSchema; strict: StandardSchema; tells: boolean }][] = [
  [
    'zod',
    {
      order: z.object({
        id: z.string(),
        items: z.array(z.object({ price: z.number() })),
        coupon: z.string().optional(),
      }),
      strict: z.object({ id: z.string(), inside: z.strictObject({ a: z.number() }) }).strict(),
      tells: true,
    },
  ],
  [
    'valibot',
    {
      order: v.object({
        id: v.string(),
        items: v.array(v.object({ price: v.number() })),
        coupon: v.optional(v.string()),
      }),
      strict: v.strictObject({ id: v.string(), inside: v.strictObject({ a: v.number() }) }),
      tells: false,
    },
  ],
  [
    'arktype',
    {
      order: type({ id: 'string', items: type({ price: 'number' }).array(), 'coupon?': 'string' }),
      strict: type({ id: 'string', inside: type({ a: 'number', '+': 'reject' }), '+': 'reject' }),
      tells: true,
    },
  ],
]

describe.each(libraries)('a plan of %s', (_, { order, strict, tells }) => {
  it('lets through what keeps to it', async () => {
    const plan = definePlan({ events: { 'order complete': order }, unplanned: 'drop', invalid: 'drop' })
    const data = { id: 'A', items: [{ price: 1, sku: 'x' }], more: true }
    const recorded = await tracked(plan, ({ track }) => track('order complete', data))
    expect(sent(recorded)).toEqual(data)
  })

  it('omits exactly what is wrong, and tells no value', async () => {
    const plan = definePlan({ events: { 'order complete': order }, invalid: 'omit' })
    const recorded = await tracked(plan, ({ track }) =>
      track('order complete', {
        items: [{ price: 1, sku: 'x' }, { price: SECRET, sku: 'y' }, null, { sku: 'z' }],
        coupon: 5,
        more: [1],
      }),
    )
    expect(sent(recorded)).toEqual({ items: [{ price: 1, sku: 'x' }, { sku: 'y' }, { sku: 'z' }], more: [1] })
    expect(recorded.violations.map(({ path, received }) => `${path} ${received}`).sort()).toEqual([
      'coupon number',
      'id nothing',
      'items[1].price string',
      'items[2] null',
      'items[3].price nothing',
    ])
    expect(recorded.violations.some(({ expected }) => expected === 'a number')).toBe(tells)
    expect(JSON.stringify([recorded.violations, recorded.lines, recorded.errors])).not.toContain(SECRET)
  })

  it('omits each member that it does not know', async () => {
    const plan = definePlan({ events: { 'order complete': strict }, invalid: 'omit' })
    const recorded = await tracked(plan, ({ track }) =>
      track('order complete', { id: 'A', x: 1, y: 2, inside: { a: 1, b: 2, 'c d': 3 } }),
    )
    expect(sent(recorded)).toEqual({ id: 'A', inside: { a: 1 } })
    expect(recorded.violations.map(({ path }) => path).sort()).toEqual([
      'inside.b',
      'inside["c d"]',
      'x',
      'y',
    ])
  })
})

describe('an asynchronous schema', () => {
  afterEach(() => void vi.useRealTimers())

  const checked = (check: () => Promise<boolean>) =>
    definePlan({
      events: { 'order complete': z.object({ id: z.string().refine(check), total: z.number() }) },
      invalid: 'omit',
    })

  it('is awaited after the response', async () => {
    const recorded = await tracked(
      checked(async () => false),
      ({ track }) => track('order complete', { id: SECRET, total: 1 }),
    )
    expect(sent(recorded)).toEqual({ total: 1 })
    expect(recorded.violations).toMatchObject([{ path: 'id', received: 'string', outcome: 'omitted' }])
    const fine = await tracked(
      checked(async () => true),
      ({ track }) => track('order complete', { id: 'A', total: 1 }),
    )
    expect(fine.violations).toEqual([])
  })

  it('of valibot is, too', async () => {
    const schema = v.pipeAsync(
      v.object({ id: v.string() }),
      v.forwardAsync(
        v.partialCheckAsync([['id']], async () => false),
        ['id'],
      ),
    )
    const plan = definePlan({ events: { 'order complete': schema }, invalid: 'omit' })
    const recorded = await tracked(plan, ({ track }) => track('order complete', { id: 'A', b: 1 }))
    expect(sent(recorded)).toEqual({ b: 1 })
  })

  it('keeps events in their order', async () => {
    const plan = definePlan({
      events: { 'a slow': z.object({}).refine(async () => true), 'b quick': z.object({}) },
    })
    const recorded = await tracked(plan, ({ track }) => {
      track('a slow')
      track('b quick')
    })
    expect(recorded.calls).toMatchObject([{ event: 'a slow' }, { event: 'b quick' }])
  })

  it('that takes longer than two seconds counts as valid, and that is told', async () => {
    const started = performance.now()
    const recorded = await tracked(
      checked(() => new Promise(() => {})),
      ({ track }) => track('order complete', { id: 'A', total: 1 }),
    )
    expect(performance.now() - started).toBeGreaterThan(1_900)
    expect(sent(recorded)).toEqual({ id: 'A', total: 1 })
    expect(recorded.violations).toEqual([])
    expect(recorded.lines).toEqual([expect.stringContaining('took longer than 2000 ms')])
    expect(recorded.errors).toEqual([expect.any(Error)])
  })
})

describe('a schema that fails', () => {
  const broken = (validate: StandardSchema['~standard']['validate']): StandardSchema => ({
    '~standard': { version: 1, vendor: 'test', validate },
  })

  it.each<[string, StandardSchema, string]>([
    [
      'throws',
      broken((value) => {
        throw new RangeError(JSON.stringify(value))
      }),
      'threw RangeError',
    ],
    [
      'rejects',
      broken(async (value) => Promise.reject(new RangeError(JSON.stringify(value)))),
      'rejected with RangeError',
    ],
    ['answers nothing', broken(() => undefined as never), 'answered with neither'],
    ['answers with no list', broken(() => ({ issues: 5 }) as never), 'answered with neither'],
    [
      'throws in a refinement of zod',
      z.object({}).refine((value) => {
        throw new RangeError(JSON.stringify(value))
      }),
      'with RangeError',
    ],
    [
      'has issues that throw when they are read',
      broken(() => ({ issues: [null] }) as never),
      'could not be held',
    ],
    ['has such issues later', broken(async () => ({ issues: [null] }) as never), 'could not be held'],
  ])('because it %s is a fault of the plan and not of the event', async (_case, schema, words) => {
    const plan = definePlan({ events: { 'order complete': schema }, invalid: 'drop' })
    const recorded = await tracked(plan, ({ track }) => track('order complete', { id: SECRET }))
    expect(sent(recorded)).toEqual({ id: SECRET })
    expect(recorded.violations).toEqual([])
    expect(recorded.lines).toHaveLength(1)
    expect(recorded.lines[0]).toContain(words)
    expect(recorded.errors).toEqual([expect.any(Error)])
    expect(String(recorded.errors[0]) + recorded.lines[0]).not.toContain(SECRET)
  })
})
