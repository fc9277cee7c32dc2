import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { PlanError, segmentPlan } from '../../src/plan/index.js'
import { sent, tracked } from './planning.js'
import { COMMON, ORDER, rule } from './segment.js'

const SECRET = 'alice@example.com'
const good = { order_id: 'A', revenue: null, ordered_at: new Date(0), items: [{ sku: 'x' }], tenant: 'a' }

function problemsOf(...[json, options]: Parameters<typeof segmentPlan>): Record<string, string> {
  try {
    segmentPlan(json, options)
  } catch (error) {
    if (!(error instanceof PlanError)) throw error
    for (const { path } of error.problems) expect(error.message).toContain(path)
    return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]))
  }
  return {}
}

describe('segmentPlan()', () => {
  it.each([
    ['a list of rules', [ORDER, COMMON]],
    ['rules', { rules: [ORDER, COMMON] }],
    ["the API's answer", { data: { rules: [ORDER, COMMON], pagination: { totalEntries: 2 } } }],
  ])('takes %s, with labels and unknown keywords', async (_, json) => {
    const recorded = await tracked(segmentPlan(json), ({ track }) => track('Order Completed', good))
    expect(recorded.violations).toEqual([])
    expect(sent(recorded)).toMatchObject({ order_id: 'A', ordered_at: '1970-01-01T00:00:00.000Z' })
  })

  it('tells what is wrong with what was expected, and names no value', async () => {
    const recorded = await tracked(segmentPlan([ORDER]), ({ track }) =>
      track('Order Completed', { order_id: 5, ordered_at: SECRET, items: [{ sku: 'x' }, {}, SECRET] }),
    )
    expect(recorded.violations.map(({ path, received, expected }) => [path, received, expected])).toEqual([
      ['order_id', 'number', 'a string'],
      ['ordered_at', 'string', 'a string of the format date-time'],
      ['items[1].sku', 'nothing', 'a string'],
      ['items[2]', 'string', 'an object'],
    ])
    expect(JSON.stringify([recorded.violations, recorded.lines])).not.toContain(SECRET)
  })

  it('omits what is wrong, and drops where it is told so for one event', async () => {
    const plan = segmentPlan([ORDER, rule('TRACK', 'Signed Up', { required: ['plan'] })], {
      invalid: 'omit',
      events: { 'Signed Up': { invalid: 'drop' }, Ping: { unplanned: 'allow' } },
    })
    const recorded = await tracked(plan, ({ track }) => {
      track('Order Completed', { order_id: 'A', revenue: 'x', items: [1, { sku: 'x' }] })
      track('Signed Up', {})
    })
    expect(sent(recorded)).toEqual({ order_id: 'A', items: [{ sku: 'x' }] })
    expect(recorded.drops).toMatchObject([{ reason: 'plan', event: { name: 'Signed Up' } }])
  })

  it('lays common rules under all, and under what is not planned', async () => {
    const plan = segmentPlan([ORDER, COMMON, rule('PAGE', 'Home'), rule('IDENTIFY', null)], {
      invalid: 'omit',
    })
    const recorded = await tracked(plan, (tracker) => {
      tracker.track('Order Completed', { ...good, tenant: 'c' })
      tracker.track('Other Thing', { tenant: 'c', a: 1 })
      tracker.page({ name: 'Home', properties: { tenant: 'c' } })
      tracker.page({ name: 'Elsewhere', properties: { tenant: 'b' } })
      tracker.identify('u-1', { tenant: 'c' })
    })
    expect(recorded.violations.map(({ event, path }) => `${event}: ${path}`)).toEqual([
      'Order Completed: tenant',
      'Other Thing: ',
      'Other Thing: tenant',
      'page view: tenant',
    ])
    expect(recorded.calls.at(-1)).toMatchObject({ type: 'identify', traits: { tenant: 'c' } })
  })

  it('holds methods to their rules, and pages to those of their names', async () => {
    const seats = (limit: number) => ({ properties: { n: { type: 'number', maximum: limit } } })
    const plan = segmentPlan([
      rule('IDENTIFY', null, seats(1)),
      rule('GROUP', 'GROUP', seats(2)),
      rule('PAGE', 'Home', seats(3)),
      rule('PAGE', null, seats(4)),
      rule('SCREEN', '', seats(5)),
    ])
    const recorded = await tracked(plan, (tracker) => {
      for (const n of [0, 9]) {
        tracker.identify('u-1', { n })
        tracker.group('g-1', { n })
        tracker.page({ name: 'Home', properties: { n } })
        tracker.page({ name: 'Other', properties: { n } })
        tracker.screen({ name: 'Any', properties: { n } })
      }
    })
    expect(recorded.violations.map(({ method, expected }) => `${method}: ${expected}`)).toEqual([
      'identify: a number to 1',
      'group: a number to 2',
      'page: a number to 3',
      'page: a number to 4',
      'screen: a number to 5',
    ])
  })

  it.each<[string, object, object, string[], object | undefined]>([
    [
      'a member that is not known',
      { additionalProperties: false, properties: { a: {} } },
      { a: 1, b: 2 },
      ['b'],
      { a: 1 },
    ],
    [
      'a name that is not allowed',
      { propertyNames: { pattern: '^[a-z]$' } },
      { a: 1, BB: 2 },
      ['BB'],
      { a: 1 },
    ],
    ['a member that another one needs', { dependencies: { a: ['b'] } }, { a: 1 }, ['b'], { a: 1 }],
    [
      'none of several types',
      { properties: { a: { anyOf: [{ type: 'string' }, { type: 'object', required: ['x'] }] } } },
      { a: { y: 1 }, b: 1 },
      ['a'],
      { b: 1 },
    ],
    [
      'one of two that are missing',
      { anyOf: [{ required: ['a'] }, { required: ['b'] }] },
      { c: 1 },
      ['a', 'b'],
      { c: 1 },
    ],
    ['what `not` forbids', { properties: { a: { not: { const: 1 } } } }, { a: 1, b: 1 }, ['a'], { b: 1 }],
    [
      'a list with doubles',
      { properties: { a: { uniqueItems: true } } },
      { a: [1, 1], b: 1 },
      ['a'],
      { b: 1 },
    ],
    [
      'what follows from something else',
      // biome-ignore lint/suspicious/noThenProperty: it is a keyword of JSON Schema.
      { if: { required: ['a'] }, then: { properties: { b: { type: 'string' } } } },
      { a: 1, b: 2 },
      ['b'],
      { a: 1 },
    ],
    ['a reference', { properties: { a: { $ref: '#/definitions/id' } } }, { a: 1, b: 1 }, ['a'], { b: 1 }],
    [
      'keys with signs of their own',
      { properties: { 'a/b~c': { type: 'string' } } },
      { 'a/b~c': 1, b: 1 },
      ['["a/b~c"]'],
      { b: 1 },
    ],
    ['too little of everything', { minProperties: 2 }, { a: 1 }, [''], undefined],
    [
      'names that every object has',
      { required: ['constructor'], properties: { toString: { type: 'string' } } },
      { a: 1 },
      ['constructor'],
      { a: 1 },
    ],
  ])('finds %s', async (_, own, data, paths, left) => {
    const json = [rule('TRACK', 'A b', own, { definitions: { id: { type: 'string' } } })]
    const held = await tracked(segmentPlan(json, { invalid: 'omit' }), ({ track }) => track('A b', data))
    expect(held.violations.map(({ path }) => path)).toEqual(paths)
    if (left) expect(sent(held)).toEqual(left)
    else expect(held.drops).toMatchObject([{ reason: 'plan' }])
  })

  it.each([
    [
      'date-time',
      ['2020-02-29T10:00:00Z', '2020-02-29T10:00:00.123+02:00'],
      ['2021-02-29T10:00:00Z', '2020-01-01', 'x'],
    ],
    ['date', ['2020-02-29'], ['2021-02-29', '2020-2-1', '']],
    ['time', ['10:00:00Z'], ['25:00:00Z', '10:00']],
    ['email', ['a.b+c@shop.example'], ['a@b@c', 'a b@c', '@c']],
    ['uri', ['https://shop.example/a?b', 'mailto:a@b'], ['/a', 'shop.example', 'http://']],
    ['uuid', ['6ba7b810-9dad-11d1-80b4-00c04fd430c8'], ['6ba7b810']],
    ['ipv4', ['127.0.0.1'], ['::1', '256.0.0.1']],
    ['ipv6', ['::1'], ['127.0.0.1', ':::']],
    ['hostname', ['shop.example'], ['-a.example', 'a_b', '']],
  ])('holds the format %s', async (format, right, wrong) => {
    const plan = segmentPlan([rule('TRACK', 'A b', { properties: { x: { type: 'string', format } } })])
    const recorded = await tracked(plan, ({ track }) => {
      for (const x of [...right, ...wrong]) track('A b', { x })
    })
    expect(recorded.violations).toHaveLength(wrong.length)
  })

  it('takes rules whose schemas have the same ids inside', async () => {
    const own = { definitions: { id: { $id: 'https://shop.example/id', type: 'string' } } }
    const other = { definitions: { id: { $id: 'https://shop.example/id', type: 'number' } } }
    const of = (key: string, definitions: object) =>
      rule('TRACK', key, { properties: { a: { $ref: '#/definitions/id' } } }, definitions)
    const recorded = await tracked(segmentPlan([of('A b', own), of('C d', other)]), ({ track }) => {
      track('A b', { a: 1 })
      track('C d', { a: 1 })
    })
    expect(recorded.violations.map(({ event }) => event)).toEqual(['A b'])
  })

  it('takes the rules of old exports, which name an older draft', () => {
    const old = rule('TRACK', 'A', {}, { $schema: 'http://json-schema.org/draft-04/schema#', id: 'a' })
    expect(problemsOf([old])).toEqual({})
  })

  it.each([[undefined], [null], ['rules'], [5], [{}], [{ events: {} }], [{ rules: {} }]])(
    'says that %j is no tracking plan',
    (json) => {
      expect(problemsOf(json)['']).toContain("expected a tracking plan as Segment's Public API exports it")
    },
  )

  it('lists everything that is wrong at once, with its path', () => {
    const wrong = problemsOf(
      {
        rules: [
          ORDER,
          { ...ORDER },
          5,
          { type: 'EVENT', key: 'x', jsonSchema: {} },
          { type: 'TRACK', key: ' ', jsonSchema: {} },
          { type: 'TRACK', key: 'y', jsonSchema: 'x', version: '1' },
          rule('TRACK', 'z', { type: 'strng' }),
          rule('TRACK', 'w', { $ref: '#/definitions/none' }),
        ],
      },
      { invalid: 'no' as never, events: { 'Order Completed': { unplanned: 'drop' } } },
    )
    expect(wrong).toEqual({
      'rules[1]': 'a second rule for "Order Completed", the first is rules[0]: keep one of them',
      'rules[2]': expect.stringContaining('given the number 5'),
      'rules[3].type': expect.stringContaining('expected one of TRACK, IDENTIFY'),
      'rules[4].key': expect.stringContaining('expected the name of the event'),
      'rules[5].jsonSchema': expect.stringContaining('expected a JSON Schema'),
      'rules[5].version': expect.stringContaining('expected a number'),
      'rules[6].jsonSchema': expect.stringContaining('no JSON Schema that ajv can take'),
      'rules[7].jsonSchema': expect.stringContaining("can't resolve reference"),
      'options.invalid': expect.stringContaining("expected 'report', 'omit', 'drop'"),
      'options.events["Order Completed"]': expect.stringContaining('expected { invalid: … }'),
    })
  })

  it('refuses a name twice in different versions, unless the latest is wanted', async () => {
    const second = { ...rule('TRACK', 'Order Completed', { required: ['id'] }), version: 2 }
    expect(problemsOf([second, ORDER])).toEqual({
      '[0]':
        'a second rule for "Order Completed" (version 2, and 1 there), the first is [1]: keep one of them',
    })
    const latest = segmentPlan([second, ORDER], { versions: 'latest' })
    const recorded = await tracked(latest, ({ track }) => track('Order Completed', {}))
    expect(recorded.violations.map(({ path }) => path)).toEqual(['id'])
    expect(problemsOf([ORDER, ORDER], { versions: 'latest' })).toHaveProperty('[1]')
  })

  it('says what to install where ajv is missing, or is another version', () => {
    const run = (found: string) =>
      spawnSync(
        process.execPath,
        [
          '--import',
          'tsx',
          '--import',
          `data:text/javascript,${encodeURIComponent(`
            import Module from 'node:module'
            const { _load } = Module
            Module._load = function (name, ...rest) {
              return name === 'ajv' ? (${found})() : _load.call(this, name, ...rest)
            }`)}`,
          '--input-type=module',
          '-e',
          `import { segmentPlan } from './src/plan/index.ts'
          try { segmentPlan([{ type: 'TRACK', key: 'A', jsonSchema: { properties: { properties: { type: 'object' } } } }]) }
          catch (error) { console.log(error.message) }`,
        ],
        { encoding: 'utf8' },
      )
    const missing = run(`() => { throw Object.assign(new Error('no ajv'), { code: 'MODULE_NOT_FOUND' }) }`)
    expect(missing.stdout.trim(), missing.stderr).toBe(
      'segmentPlan() needs the package ajv: npm install ajv@8',
    )
    const other = run('() => function Ajv() {}')
    expect(other.stdout.trim(), other.stderr).toContain('needs version 8 of the package ajv')
  })
})
