import { describe, expect, it } from 'vitest'
import { PlanError, walkerOSContract } from '../../src/plan/index.js'
import { tracked } from './planning.js'

const needs = (...keys: string[]) => ({ properties: { data: { required: keys } } })
const typed = {
  properties: {
    data: {
      type: 'object',
      required: ['id'],
      properties: { id: { type: 'string' }, total: { type: 'number' } },
    },
    nested: { type: 'array', items: { properties: { entity: { const: 'product' } } } },
    custom: { properties: { tier: { enum: ['a'] } } },
    globals: { required: ['release'] },
    user: { required: ['id'] },
  },
  required: ['data', 'globals'],
}

function problemsOf(...[json, options]: Parameters<typeof walkerOSContract>): Record<string, string> {
  try {
    walkerOSContract(json, options)
  } catch (error) {
    if (!(error instanceof PlanError)) throw error
    return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]))
  }
  return {}
}

describe('walkerOSContract()', () => {
  it.each([
    ['by entity and action', { order: { complete: typed } }, {}],
    ['as a flow has it', { tagging: 1, events: { order: { complete: typed } } }, {}],
    ['the only one by its name', { web: { events: { order: { complete: typed } } } }, {}],
    [
      'one of several, with what it extends',
      { base: { events: { order: { complete: typed } } }, web: { extend: 'base', events: {} } },
      { contract: 'web' },
    ],
  ])('takes a contract %s, and checks what a handler gives', async (_, json, options) => {
    const plan = walkerOSContract(json, { ...options, invalid: 'omit' })
    const recorded = await tracked(plan, ({ track }) =>
      track(
        'order complete',
        { id: 'A', total: 'x', more: 1 },
        { nested: [{ entity: 'product', data: {} }, { entity: 'x' }], custom: { tier: 'b', c: 1 } },
      ),
    )
    expect(recorded.violations.map(({ path, expected }) => `${path}: ${expected}`)).toEqual([
      'data.total: a number',
      'nested[1].entity: "product"',
      'custom.tier: "a"',
    ])
    expect(recorded.events).toMatchObject([
      { data: { id: 'A', more: 1 }, nested: [{ entity: 'product', data: {} }, {}], custom: { c: 1 } },
    ])
    expect(recorded.events[0]?.data).toEqual({ id: 'A', more: 1 })
  })

  it('goes by entity and action, and by wildcards as walkerOS does', async () => {
    const plan = walkerOSContract({
      '*': { '*': needs('any'), add: needs('add') },
      order: { '*': needs('order'), complete: needs('complete') },
      cart: { view: needs('view') },
    })
    const recorded = await tracked(plan, ({ track }) => {
      for (const name of ['order complete', 'order view', 'cart view', 'cart add', 'some thing']) track(name)
    })
    expect(recorded.violations.map(({ event, path }) => `${event} ${path}`)).toEqual([
      'order complete data.any',
      'order complete data.order',
      'order complete data.complete',
      'order view data.any',
      'order view data.order',
      'cart view data.any',
      'cart view data.view',
      'cart add data.add',
      'some thing data.any',
    ])
  })

  it('reports what it does not know', async () => {
    const recorded = await tracked(walkerOSContract({ order: { complete: typed } }), ({ track }) => {
      track('order view')
    })
    expect(recorded.violations).toMatchObject([{ event: 'order view', problem: 'not planned' }])
  })

  it('takes a schema that names no part of an event for that of its data', async () => {
    const plan = walkerOSContract({
      order: { complete: { required: ['id'], properties: { id: { type: 'string' } } } },
    })
    const recorded = await tracked(plan, ({ track }) => track('order complete', { id: 1 }))
    expect(recorded.violations).toMatchObject([{ path: 'data.id' }])
  })

  it('drops an event whose data are wrong as a whole', async () => {
    const plan = walkerOSContract(
      { order: { complete: { properties: { data: { minProperties: 1 } } } } },
      { invalid: 'omit' },
    )
    const recorded = await tracked(plan, ({ track }) => track('order complete'))
    expect(recorded.drops).toMatchObject([{ reason: 'plan' }])
  })

  it('lists everything that is wrong at once, with its path', () => {
    expect(
      problemsOf({
        order: { complete: 5, view: { type: 'strng', properties: { data: { type: 'x' } } } },
        x: 1,
      }),
    ).toEqual({
      'order.complete': 'given the number 5, expected a JSON Schema',
      'order.view': expect.stringContaining('no JSON Schema'),
      x: expect.stringContaining('expected an object of JSON Schemas'),
    })
    expect(problemsOf([])).toHaveProperty([''])
    expect(problemsOf({ events: { order: 1 } })).toHaveProperty(['events.order'])
    expect(problemsOf({ a: { events: {} }, b: { events: {} } })).toHaveProperty(['options.contract'])
    expect(problemsOf({ a: { events: {}, extend: 'c' } })).toHaveProperty([''])
    expect(problemsOf({ order: {} }, { contract: 5 as never, foo: 1 } as never)).toEqual({
      'options.contract': expect.any(String),
      'options.foo': expect.stringContaining('unknown key'),
    })
  })
})
