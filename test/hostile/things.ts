import fc from 'fast-check'

/** An object that nothing can be asked of. */
export function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

/** A proxy whose every trap throws. */
function refusing(): object {
  const refuse = () => {
    throw new Error('refused')
  }
  const traps = Reflect.ownKeys(Reflect).filter((name) => typeof name === 'string')
  return new Proxy({}, Object.fromEntries(traps.map((name) => [name, refuse])))
}

/** A proxy that has whatever it is asked for, without an end. */
function endless(): object {
  return new Proxy(() => {}, { get: (_, key) => (typeof key === 'symbol' ? undefined : endless()) })
}

function cyclic(): object {
  const one: Record<string, unknown> = { name: 'one' }
  one.self = [one, { one }]
  return one
}

function deep(levels: number): unknown {
  let value: unknown = 'bottom'
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? { value } : [value]
  return value
}

function throwing(key: string): object {
  return Object.defineProperty({ beside: 1 }, key, {
    enumerable: true,
    get: () => {
      throw new Error(`no ${key}`)
    },
  })
}

function wide(members: number): object {
  return Object.fromEntries(Array.from({ length: members }, (_, at) => [`key${at}`, at]))
}

class Refusing {
  toJSON(): never {
    throw new Error('no JSON')
  }
  toString(): never {
    throw new Error('no text')
  }
  [Symbol.toPrimitive](): never {
    throw new Error('no primitive')
  }
}

/** Objects that turn against whoever looks into them, each made anew. */
export const monsters: readonly [name: string, make: () => unknown][] = [
  ['a revoked proxy', revoked],
  ['a refusing proxy', refusing],
  ['an endless proxy', endless],
  ['a revoked function', () => Proxy.revocable(() => {}, {}).proxy],
  ['a cycle', cyclic],
  ['10,000 levels', () => deep(10_000)],
  ['200 levels', () => deep(200)],
  ['5,000 members', () => wide(5_000)],
  ['100 KB of text', () => 'x'.repeat(100_000)],
  ['half characters', () => '\ud800'.repeat(40)],
  ['a list of a length that it does not have', () => Object.assign([], { length: 4_000_000_000 })],
  ['a long list', () => Array.from({ length: 20_000 }, (_, at) => ({ at }))],
  ['a symbol', () => Symbol('s')],
  ['a function', () => () => 1],
  ['a class', () => Refusing],
  ['an object that refuses', () => new Refusing()],
  ['a toJSON that goes on', () => ({ toJSON: (): unknown => ({ toJSON: () => refusing() }) })],
  ['a toJSON that is a getter that throws', () => throwing('toJSON')],
  ['a then that throws', () => throwing('then')],
  ['an id that throws', () => throwing('id')],
  ['a name that throws', () => throwing('name')],
  ['a consent that throws', () => throwing('consent')],
  ['a timeout that throws', () => throwing('timeout')],
  ['a wait that throws', () => throwing('wait')],
  ['an error without a stack', () => Object.assign(new Error('x'), { stack: undefined, cause: cyclic() })],
  ['an invalid date', () => new Date(Number.NaN)],
  ['a typed array', () => new Float64Array(10_000)],
  ['a detached buffer', () => new Uint8Array(structuredClone(new ArrayBuffer(8)))],
  [
    'a map of monsters',
    () =>
      new Map<unknown, unknown>([
        [refusing(), cyclic()],
        ['a', 1n],
      ]),
  ],
  ['a set of itself', () => ((set: Set<unknown>) => set.add(set))(new Set())],
  ['a weak map', () => new WeakMap()],
  ['boxed primitives', () => [Object(1n), Object('text'), Object(1), Object(Symbol('s'))]],
  [
    'a prototype of its own',
    () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1}}'),
  ],
  [
    'a constructor that throws',
    () =>
      Object.create({
        get constructor(): never {
          throw new Error('no')
        },
      }),
  ],
  ['a regular expression', () => /(a+)+$/],
  ['the global object', () => globalThis],
  ['a promise', () => Promise.resolve(1)],
]

/** How a value is made: many of them could not even be printed by what reports a failure. */
export class Recipe {
  readonly #name: string
  readonly make: () => unknown

  constructor(name: string, make: () => unknown) {
    this.#name = name
    this.make = make
  }

  [fc.toStringMethod](): string {
    return this.#name
  }
}

const monster = fc.constantFrom(...monsters).map(([name, make]) => new Recipe(`<${name}>`, make))

const plain = fc
  .anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  })
  .map((value) => new Recipe(fc.stringify(value), () => value))

/** Whatever there is in JavaScript. */
export const thing: fc.Arbitrary<Recipe> = fc.oneof(
  { arbitrary: plain, weight: 3 },
  { arbitrary: monster, weight: 3 },
  { arbitrary: fc.dictionary(fc.string({ maxLength: 5 }), monster, { maxKeys: 3 }).map(objectOf), weight: 1 },
  { arbitrary: fc.array(monster, { maxLength: 3 }).map(listOf), weight: 1 },
)

/** An object that has some of such members, each of which may be anything. */
export function objectWith(members: readonly string[], sensible: object = {}): fc.Arbitrary<Recipe> {
  const some = fc.subarray([...members], { maxLength: Math.min(3, members.length) })
  return some.chain((keys) =>
    fc
      .tuple(...keys.map(() => thing))
      .map((values) => objectOf(Object.fromEntries(keys.map((key, at) => [key, values[at]])), sensible)),
  )
}

/** One of some values. */
export function oneOf(...values: readonly unknown[]): fc.Arbitrary<Recipe> {
  return fc.constantFrom(...values).map((value) => new Recipe(fc.stringify(value), () => value))
}

function objectOf(members: Readonly<Record<string, Recipe | undefined>>, sensible: object = {}): Recipe {
  const entries = Object.entries(members)
  return new Recipe(
    `{ ${entries.map(([key, value]) => `${JSON.stringify(key)}: ${fc.stringify(value)}`).join(', ')} }`,
    () => ({ ...sensible, ...Object.fromEntries(entries.map(([key, value]) => [key, value?.make()])) }),
  )
}

function listOf(members: readonly Recipe[]): Recipe {
  return new Recipe(fc.stringify(members), () => members.map((each) => each.make()))
}
