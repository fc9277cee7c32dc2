import {
  getGrantedConsent,
  getMappingEvent,
  getMappingValue,
  type Mapping,
  processEventMapping,
  type WalkerOS,
} from '@walkeros/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isGranted } from '../../src/destination/consent.js'
import { produceData } from '../../src/destination/event-data.js'
import { compileValue } from '../../src/destination/mapping-value.js'
import { applyPolicy, compilePolicy, compileRules } from '../../src/destination/rules.js'
import type { MappingSettings, Rule, Rules } from '../../src/index.js'

/**
 * Compiled mappings are held to walkerOS's own evaluator: on values without `null` and `Date`, where walkerOS loses
 * data, both give the same.
 */
const logger = {
  error() {},
  warn() {},
  info() {},
  debug() {},
  json() {},
  throw: neverThrows,
  scope: () => logger,
}
const collector = { consent: {}, logger, status: { failed: 0 } } as unknown as Mapping.Context['collector']

function neverThrows(): never {
  throw new Error('not used')
}

const names = fc.constantFrom('id', 'total', 'name', 'list', 'deep', 'flag')
const leaf = fc.oneof(fc.string({ maxLength: 4 }), fc.integer({ min: -5, max: 5 }), fc.boolean())
const { properties } = fc.letrec<{ properties: Record<string, unknown>; property: unknown }>((tie) => ({
  property: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(fc.oneof(leaf, tie('properties')), { maxLength: 3 }),
    tie('properties'),
  ),
  properties: fc.dictionary(names, tie('property'), { maxKeys: 4 }),
}))

const consent = fc.dictionary(fc.constantFrom('analytics', 'marketing', 'functional'), fc.boolean(), {
  maxKeys: 3,
})
const event = fc.record({
  name: fc.constantFrom('order complete', 'order refund', 'page view', 'user login now'),
  data: properties,
  context: fc.constant({ stage: ['checkout', 0] }),
  globals: properties,
  custom: properties,
  user: properties,
  nested: fc.array(fc.record({ entity: fc.constant('product'), data: properties }), { maxLength: 3 }),
  consent,
  id: fc.constant('0123456789abcdef'),
  trigger: fc.constant(''),
  entity: fc.constant('order'),
  action: fc.constant('complete'),
  timestamp: fc.constant(1_700_000_000_000),
  timing: fc.constant(0.5),
  source: fc.constant({ type: 'test' }),
}) as unknown as fc.Arbitrary<WalkerOS.Event>

const path = fc
  .tuple(
    fc.constantFrom('data', 'user', 'globals', 'nested', 'missing'),
    fc.array(fc.oneof(names, fc.constantFrom('*', '0', 'data')), { maxLength: 3 }),
  )
  .map(([first, rest]) => [first, ...rest].join('.'))

const functions = {
  fn: fc.constantFrom<Mapping.Fn>(
    (value) => JSON.stringify(value)?.length ?? 0,
    () => undefined,
    async () => 'later',
    () => {
      throw new Error('fn')
    },
    (_value, context) => Object.keys(context.consent ?? {}).length,
  ),
  condition: fc.constantFrom<Mapping.Condition>(
    () => true,
    () => false,
    async () => false,
    () => {
      throw new Error('condition')
    },
  ),
  validate: fc.constantFrom<Mapping.Validate>(
    (value) => typeof value === 'string',
    async (value) => typeof value === 'number',
    () => {
      throw new Error('validate')
    },
  ),
}

const { value: mappingValue } = fc.letrec<{ value: Mapping.Value; item: Mapping.ValueType }>((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, path, tie('item'), fc.array(tie('item'), { maxLength: 3 })) as never,
  item: fc.oneof(
    { maxDepth: 4 },
    path,
    fc.record(
      {
        key: path,
        value: leaf,
        fn: functions.fn,
        condition: functions.condition,
        validate: functions.validate,
        consent: consent,
        map: fc.dictionary(names, tie('value'), { maxKeys: 3 }),
        loop: fc.tuple(fc.oneof(fc.constant('this'), path), tie('value')),
        set: fc.array(tie('value'), { maxLength: 3 }),
      },
      { requiredKeys: [] },
    ),
  ) as never,
}))

/** walkerOS leaves `undefined` in lists, which JSON writes as `null`. */
function onTheWire(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

describe('a compiled mapping value', () => {
  it('gives what getMappingValue of @walkeros/core gives', async () => {
    await fc.assert(
      fc.asyncProperty(event, mappingValue, async (given, mapping) => {
        const expected = await getMappingValue(given, mapping, { collector })
        const scope = { event: given, consent: given.consent, collector, logger, plain: true }
        const actual = await compileValue(mapping)(given, scope)
        expect(onTheWire(actual)).toEqual(onTheWire(expected))
      }),
      { numRuns: 10_000 },
    )
  }, 120_000)
})

const sections = fc.array(fc.constantFrom('data', 'globals', 'context', 'user', 'event', 'source', 'all'), {
  maxLength: 2,
})
const policy = fc.dictionary(fc.constantFrom('data.total', 'user.id', 'custom.deep.id'), mappingValue, {
  maxKeys: 2,
})
const rule: fc.Arbitrary<Rule> = fc.record(
  {
    name: fc.constantFrom('Order Completed', ''),
    data: mappingValue,
    include: sections,
    remove: fc.array(fc.constantFrom('id', 'total', 'data_id', 'list.0', 'deep.name'), { maxLength: 2 }),
    policy,
    ignore: fc.boolean(),
    silent: fc.boolean(),
    condition: fc.constantFrom<Mapping.Condition>(
      () => true,
      () => false,
    ),
  },
  { requiredKeys: [] },
)
const words = fc.constantFrom('order', 'page', 'complete', 'view', '*', 'a')
const oneOrMore = fc.oneof(rule, fc.array(rule, { maxLength: 3 }))
const rules: fc.Arbitrary<Rules> = fc.dictionary(
  fc.constantFrom('order', 'page', '*'),
  fc.dictionary(fc.constantFrom('complete', 'view', '*'), oneOrMore, { maxKeys: 3 }),
  { maxKeys: 3 },
)
const config = fc.record(
  { mapping: rules, data: mappingValue, include: sections, policy },
  { requiredKeys: [] },
)

async function processCompiled(given: WalkerOS.Event, mapping: Mapping.Config<MappingSettings>) {
  const scope = { event: given, consent: given.consent, collector, logger, plain: true }
  const changed = await applyPolicy(compilePolicy(mapping.policy), given, scope)
  const match = await compileRules(mapping.mapping)(changed, { ...scope, event: changed })
  const compiled = match?.compiled
  const ruled = await applyPolicy(compiled?.policy ?? [], changed, { ...scope, event: changed })
  const name = compiled?.name ?? ruled.name
  const data = {
    data: mapping.data === undefined ? undefined : compileValue(mapping.data),
    otherwise: undefined,
    include: mapping.include,
  }
  const named = { ...ruled, name }
  return {
    mappingKey: match?.key,
    ignore: compiled?.rule.ignore === true,
    silent: compiled?.silent === true,
    event: named,
    data: await produceData(named, ruled, data, compiled, { ...scope, event: named }),
  }
}

describe('compiled rules', () => {
  it('do what processEventMapping of @walkeros/core does', async () => {
    await fc.assert(
      fc.asyncProperty(event, config, async (given, mapping) => {
        const expected = await processEventMapping(structuredClone(given), mapping, collector)
        const actual = await processCompiled(structuredClone(given), mapping)
        expect(actual.mappingKey ?? '').toBe(expected.mappingKey ?? '')
        expect(actual.ignore).toBe(expected.ignore)
        if (expected.ignore) return
        expect(actual.silent).toBe(expected.silent)
        expect(onTheWire(actual.event)).toEqual(onTheWire(expected.event))
        expect(onTheWire(actual.data)).toEqual(onTheWire(expected.data))
      }),
      { numRuns: 10_000 },
    )
  }, 120_000)
})

describe('the rule of a name of two words', () => {
  const named: fc.Arbitrary<Rules> = fc.dictionary(
    words,
    fc.dictionary(words, fc.constantFrom<Rule | Rule[]>({}, [], [{ condition: () => false }, {}]), {
      maxKeys: 4,
    }),
    { maxKeys: 4 },
  )

  it('is the one that getMappingEvent of @walkeros/core finds', async () => {
    await fc.assert(
      fc.asyncProperty(event, words, words, named, async (given, entity, action, mapping) => {
        const called = { ...given, name: `${entity} ${action}` }
        const expected = await getMappingEvent(called, mapping, collector)
        const scope = { event: called, consent: called.consent, collector, logger, plain: true }
        expect((await compileRules(mapping)(called, scope))?.key).toBe(expected.mappingKey || undefined)
      }),
      { numRuns: 5_000 },
    )
  }, 60_000)
})

describe('the consent gate', () => {
  it('lets through what getGrantedConsent of @walkeros/core lets through', () => {
    fc.assert(
      fc.property(consent, consent, (required, state) => {
        expect(isGranted(required, state)).toBe(getGrantedConsent(required, state) !== false)
      }),
      { numRuns: 1_000 },
    )
    expect(isGranted(undefined, {})).toBe(true)
  })
})
