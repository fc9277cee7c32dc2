import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { isLargerThan } from '../../src/model/json-size.js'
import { plain, TooLargeError, toPlain } from '../../src/model/values.js'
import { withFrozenPrototype } from '../support/frozen-prototype.js'

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withSparseArray: true,
  withNullPrototype: true,
  withTypedArray: true,
})

/** JSON without the one key that is always left out, since it would set a prototype. */
const json = fc
  .jsonValue()
  .map((value): unknown =>
    JSON.parse(JSON.stringify(value), (key, member: unknown) => (key === '__proto__' ? undefined : member)),
  )

describe('toPlain', () => {
  it('gives what JSON can write for whatever it is given, and never throws', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const { value: copied } = toPlain(value)
        const written = JSON.stringify(copied)
        if (written === undefined) return
        expect(JSON.parse(JSON.stringify(toPlain(JSON.parse(written)).value))).toEqual(JSON.parse(written))
      }),
      { numRuns: 2_000 },
    )
  })

  it('gives for JSON what JSON gives', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(JSON.stringify(toPlain(value).value)).toBe(JSON.stringify(value))
        expect(toPlain(value).problems).toEqual([])
      }),
    )
  })

  it('agrees with the bytes of the text about what is too large', () => {
    fc.assert(
      fc.property(json, fc.integer({ min: 0, max: 200 }), (value, limit) => {
        const larger = Buffer.byteLength(JSON.stringify(value)) > limit
        expect(toPlain(value, limit).tooLarge).toBe(larger)
        expect(isLargerThan(value, limit)).toBe(larger)
      }),
      { numRuns: 2_000 },
    )
  })

  it('shares nothing with what it was given', () => {
    const given = { list: [{ a: 1 }], map: { b: 2 } }
    const { value } = toPlain(given)
    expect(value).toEqual(given)
    given.list[0] = { a: 9 }
    given.map.b = 9
    expect(value).toEqual({ list: [{ a: 1 }], map: { b: 2 } })
  })

  it('names what it leaves out by its path', () => {
    const circular: Record<string, unknown> = { list: [] }
    circular.list = [{ back: circular }]
    const { value, problems } = toPlain({
      circular,
      get bad() {
        throw new Error('secret')
      },
      toJson: {
        toJSON() {
          throw new Error('secret')
        },
      },
    })
    expect(value).toEqual({ circular: { list: [{}] } })
    expect(problems).toEqual([
      'circular.list[0].back is circular and was left out',
      'bad threw when it was read and was left out',
      'toJson threw when it was read and was left out',
    ])
  })

  it('stops at a depth that no stack minds, and does not take a shared object for a circle', () => {
    let deep: object = { end: true }
    for (let level = 0; level < 10_000; level++) deep = { deep }
    expect(toPlain(deep).problems).toHaveLength(1)
    const shared = { a: 1 }
    expect(toPlain([shared, shared])).toMatchObject({ value: [{ a: 1 }, { a: 1 }], problems: [] })
  })

  it('cannot be made to change a prototype', () => {
    const { value } = toPlain(JSON.parse('{"__proto__":{"polluted":true},"a":1}'))
    expect(value).toEqual({ a: 1 })
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(toPlain(new Map([['__proto__', { polluted: true }]])).value).toEqual({})
  })

  it('does not go through what is far too large', () => {
    let read = 0
    const huge = Array.from({ length: 100_000 }, () => ({
      get text() {
        read++
        return 'x'.repeat(100)
      },
    }))
    expect(toPlain(huge, 32 * 1024).tooLarge).toBe(true)
    expect(read).toBeLessThan(1_000)
  })

  it('reads built-in objects of another realm as its own', () => {
    const foreign: unknown = runInNewContext(`({
      map: new Map([['a', 1], [2, new Map([['b', true]])]]),
      set: new Set([1, 'x', new Set()]),
      date: new Date(0),
      never: new Date(NaN),
      boxed: [new Number(1), new String('s'), new Boolean(false), Object(7n)],
      list: [1, , null],
      plain: { a: { b: 1 } },
      bytes: new Uint8Array([1, 2]),
    })`)
    const { value, problems, tooLarge } = toPlain(foreign)
    expect(JSON.parse(JSON.stringify(value))).toEqual({
      map: { a: 1, 2: { b: true } },
      set: [1, 'x', []],
      date: '1970-01-01T00:00:00.000Z',
      never: null,
      boxed: [1, 's', false, '7'],
      list: [1, null, null],
      plain: { a: { b: 1 } },
      bytes: { 0: 1, 1: 2 },
    })
    expect({ problems, tooLarge }).toEqual({ problems: [], tooLarge: false })
  })

  it('reads a collection by what it holds, whatever a subclass says', () => {
    class Endless extends Set {
      override *[Symbol.iterator](): SetIterator<number> {
        for (let count = 0; ; count++) yield count
      }
      override get size(): number {
        return 0
      }
    }
    expect(toPlain(new Endless([1, 2])).value).toEqual([1, 2])
  })

  it('names the entries of a map that have no name', () => {
    const { value, problems } = toPlain({
      map: new Map<unknown, number>([
        ['a', 1],
        [{}, 2],
        [null, 3],
        [4n, 5],
      ]),
    })
    expect(value).toEqual({ map: { a: 1, null: 3, 4: 5 } })
    expect(problems).toEqual(['map has an entry whose key is no text, which was left out'])
  })

  it.each(['toString', 'constructor', 'valueOf', 'hasOwnProperty'])(
    'copies a member `%s`, also where the prototype is frozen or has a setter of that name',
    async (name) => {
      const given: unknown = JSON.parse(`{"${name}":"x","in":{"${name}":[1]}}`)
      const expected = { [name]: 'x', in: { [name]: [1] } }
      expect(JSON.parse(JSON.stringify(toPlain(given).value))).toEqual(expected)
      const frozen = await withFrozenPrototype(() => toPlain(given))
      expect(frozen).toMatchObject({ value: expected, problems: [], tooLarge: false })
      expect(Object.keys(Object(plain(new Map([[name, 1]]))))).toEqual([name])
    },
  )

  it('calls no setter that the application has put on all objects', () => {
    const set = vi.fn()
    Object.defineProperty(Object.prototype, 'should', { set, configurable: true })
    try {
      expect(toPlain({ should: 1 }).value).toHaveProperty('should', 1)
      expect(set).not.toHaveBeenCalled()
    } finally {
      Reflect.deleteProperty(Object.prototype, 'should')
    }
  })

  it('ends where toJSON never does', () => {
    const endless = { toJSON: () => ({ toJSON: endless.toJSON }) }
    const itself = { a: 1, toJSON: () => itself }
    expect(toPlain(endless).problems).toEqual(['the value is nested deeper than 64 levels and was left out'])
    expect(toPlain({ itself }).value).toEqual({ itself: { a: 1 } })
  })

  it('names the first parts that it leaves out, and counts the others', () => {
    const broken: object = {}
    for (let index = 0; index < 100; index++) {
      Object.defineProperty(broken, `k${index}`, { enumerable: true, get: () => fail() })
    }
    const { problems } = toPlain({ broken })
    expect(problems).toHaveLength(11)
    expect(problems[0]).toBe('broken.k0 threw when it was read and was left out')
    expect(problems.at(-1)).toBe('90 more parts were left out')
    const [long] = toPlain({ ['x'.repeat(10_000)]: { toJSON: fail } }).problems
    expect(long?.length).toBeLessThan(300)
  })
})

function fail(): never {
  throw new Error('secret')
}

const MB = 1_000_000
const bytes = new ArrayBuffer(40 * MB)
const graph = Array.from({ length: 12 }, (_, id) => ({ id, name: `Person ${id}`, knows: [] as object[] }))
for (const person of graph) person.knows.push(...graph.filter((other) => other !== person))
/** Each level holds the next one twice: 60 levels are 2 ** 60 objects. */
const doubled = (leaf: object, level: (inner: object) => object) => {
  let value = leaf
  for (let depth = 0; depth < 60; depth++) value = level(value)
  return value
}
/** A proxy that has more inside of it wherever one looks. */
const bottomless = (): object =>
  new Proxy(
    {},
    {
      ownKeys: () => ['a', 'b', 'c', 'd'],
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
      has: () => false,
      get: bottomless,
    },
  )

const MILLION = new Array(MB).fill(1)

/** Bounded, but read as far as the bound goes. */
const BOUNDED = new Set([
  'lists in lists',
  'persons who know each other',
  'objects that are shared',
  'a proxy without an end',
])

/** None of them fits a call. */
const huge: [what: string, value: unknown][] = [
  ['a Buffer', Buffer.from(bytes)],
  ['an upload of multer', { fieldname: 'avatar', mimetype: 'image/png', buffer: Buffer.from(bytes) }],
  ['a typed array', new Uint8Array(bytes)],
  ['a typed array of floats', new Float64Array(bytes)],
  ['an ArrayBuffer', bytes],
  ['a SharedArrayBuffer', new SharedArrayBuffer(40 * MB)],
  ['a DataView', new DataView(bytes)],
  ['a Blob', new Blob([bytes])],
  ['a typed array of another realm', runInNewContext('new Uint8Array(40e6)')],
  ['a Map', new Map(Array.from({ length: 100_000 }, (_, index) => [index, index]))],
  ['a Map of another realm', runInNewContext('new Map(Array.from({ length: 1e5 }, (_, i) => [i, i]))')],
  ['a Map with a huge key', new Map([['x'.repeat(MB), 1]])],
  ['a Set', new Set(Array.from({ length: 100_000 }, (_, index) => index))],
  ['a list', MILLION],
  ['a list of Buffers', new Array(1_000).fill(Buffer.from(bytes))],
  ['a list of nothing', new Array(4_294_967_295)],
  ['lists in lists', doubled([], (inner) => [inner, inner])],
  ['a string', 'x'.repeat(100 * MB)],
  ['a string in an object', { text: 'x'.repeat(100 * MB) }],
  ['a boxed string', Object('x'.repeat(100 * MB))],
  ['a key', { ['x'.repeat(MB)]: 1 }],
  ['a BigInt', 1n << 80_000_000n],
  ['a negative BigInt', -(1n << 80_000_000n)],
  ['a boxed BigInt', { id: Object(1n << 80_000_000n) }],
  ['persons who know each other', graph[0]],
  ['objects that are shared', doubled({}, (inner) => ({ a: inner, b: inner }))],
  ['a proxy without an end', bottomless()],
  ['what toJSON gives', { toJSON: () => ({ file: Buffer.from(bytes) }) }],
  ['what a getter gives', Object.defineProperty({}, 'file', { enumerable: true, get: () => MILLION })],
]

describe('what is too large', () => {
  it.each(huge)('is told without reading it: %s', (what, value) => {
    let fastest = Number.POSITIVE_INFINITY
    for (let run = 0; run < 20; run++) {
      const start = performance.now()
      expect(toPlain(value).tooLarge).toBe(true)
      fastest = Math.min(fastest, performance.now() - start)
    }
    expect(fastest).toBeLessThan(BOUNDED.has(what) ? 200 : 1)
    expect(() => plain(value)).toThrow(TooLargeError)
  })

  it('is an object of a million members, after one enumeration', () => {
    let enumerations = 0
    let reads = 0
    const keys = Array.from({ length: MB }, (_, index) => `k${index}`)
    const counted = new Proxy(Object.create(null), {
      ownKeys: () => {
        enumerations++
        return keys
      },
      getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }),
      get: (_target, key) => {
        if (typeof key === 'string') reads++
      },
    })
    expect(toPlain(counted).tooLarge).toBe(true)
    expect({ enumerations, reads }).toEqual({ enumerations: 1, reads: 0 })
  })

  it('is one of members that JSON leaves out, too', () => {
    const nothing = Object.fromEntries(Array.from({ length: 40_000 }, (_, index) => [`k${index}`, undefined]))
    expect(toPlain(nothing).tooLarge).toBe(true)
    expect(toPlain(Object.fromEntries(Object.entries(nothing).slice(0, 30_000)))).toMatchObject({ value: {} })
  })

  it('is none of what just fits', () => {
    expect(toPlain(Buffer.alloc(8_000)).tooLarge).toBe(false)
    expect(toPlain(new Array(16_000).fill(1)).tooLarge).toBe(false)
    expect(toPlain('x'.repeat(32 * 1024 - 2)).tooLarge).toBe(false)
    expect(toPlain(10n ** 32_000n).tooLarge).toBe(false)
    expect(toPlain(new Map(Array.from({ length: 2_500 }, (_, index) => [index, 1]))).tooLarge).toBe(false)
  })

  it('is a mapping’s result only if it is far too large: the rest fails as a call', () => {
    expect(plain({ text: 'x'.repeat(40_000) })).toEqual({ text: 'x'.repeat(40_000) })
    expect(() => plain({ text: 'x'.repeat(70_000) })).toThrow(/32 KB/)
  })
})
