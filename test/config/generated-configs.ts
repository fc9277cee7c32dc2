import fc from 'fast-check'
import { oneTrust } from '../../src/index.js'
import { definePlan } from '../../src/plan/index.js'
import { problemsOf, type Schema } from '../../src/support/schema/index.js'

/** How deep values of schemas that refer to themselves go. */
const MAX_DEPTH = 7

const function_ = fc.constantFrom(() => 1, oneTrust)

/** What only its own function can judge: one of these is right wherever it stands. */
const opaque = fc.oneof(
  function_,
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(
    { track() {} },
    { makeRequest() {} },
    { open() {} },
    { open() {}, isShared: true },
    { run() {}, get() {} },
    definePlan({ events: {} }),
    false,
  ),
)

/** Right nowhere, or right elsewhere. */
const junk = fc.oneof(
  fc.constantFrom(undefined, null, Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1.5, 1n, '', ' '),
  fc.constantFrom(Symbol('x'), new Date(), new Map()),
  fc.constantFrom([], {}, { key: 'a' }, [{}], ['a', 'b'], { '': {} }, { 'a b': { ' c': {} } }),
  fc.oneof(opaque, fc.integer(), fc.double(), fc.boolean(), fc.string()),
)

/** Keys that are known somewhere, slips of them, and others. */
const key = fc.oneof(
  fc.constantFrom('writeKey', 'flushat', 'queue', 'batch', 'extend', 'order', '*', 'constructor', 'a b', ''),
  fc.string({ maxLength: 4 }).filter((text) => text !== '__proto__'),
)

/** Values that are mostly as a schema has them, with a slip here and there: of configurations about half are right. */
export function valuesOf(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  if (depth > MAX_DEPTH) return junk
  return fc.oneof({ weight: 99, arbitrary: rightValuesOf(schema, depth) }, { weight: 1, arbitrary: junk })
}

function rightValuesOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  switch (schema.kind) {
    case 'text':
      return fc
        .constantFrom('data.total', '/v1', ' a ')
        .filter((value) => schema.pattern?.test(value) ?? true)
    case 'number':
      return fc.constantFrom(0, 0.5, 1, 2, 1e300).filter((value) => problemsOf(schema, value).length === 0)
    case 'boolean':
      return fc.boolean()
    case 'constant':
      return fc.constantFrom(...schema.values)
    case 'opaque':
      return opaque.filter((value) => schema.accepts(value))
    case 'list':
      return fc.array(valuesOf(schema.of, depth + 1), { maxLength: 2 })
    case 'pair':
      return fc.tuple(valuesOf(schema.of[0], depth + 1), valuesOf(schema.of[1], depth + 1))
    case 'record':
      return fc.dictionary(
        fc.oneof({ weight: 99, arbitrary: fc.constantFrom('order', 'Complete', '*') }, key),
        valuesOf(schema.of, depth + 1),
        { maxKeys: 2 },
      )
    case 'object':
      return objectsOf(schema, depth)
    case 'union':
      return fc.oneof(...schema.of.map((one) => valuesOf(one, depth + 1)))
    case 'lazy':
      return fc.constant(0).chain(() => rightValuesOf(schema.of(), depth))
    case 'refined':
      return fc
        .oneof(rightValuesOf(schema.of, depth), fc.constant('https://example.com'))
        .filter((value) => schema.expects(value) === undefined)
  }
}

function objectsOf({ members }: Extract<Schema, { kind: 'object' }>, depth: number): fc.Arbitrary<unknown> {
  const entries = Object.entries(members).map(([name, { schema, isOptional }]) =>
    sometimes(
      isOptional ? 0.25 : 0.99,
      valuesOf(schema, depth + 1).map((value) => [name, value] as const),
    ),
  )
  return fc
    .tuple(...entries, sometimes(0.01, fc.tuple(key, junk)))
    .map((given) => Object.fromEntries(given.filter((entry) => entry !== undefined)))
}

function sometimes<T>(share: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  const weight = Math.round(share * 100)
  return fc.oneof({ weight, arbitrary }, { weight: 100 - weight, arbitrary: fc.constant(undefined) })
}
