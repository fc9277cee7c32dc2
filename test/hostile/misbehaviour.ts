import fc from 'fast-check'
import { revoked } from './things.js'

/** A function that an application could hand in, and that it should not. */
export type Act = (...given: unknown[]) => unknown

const boom = () => new Error('boom')

/** An error that cannot be told. */
export function unspeakable(): unknown {
  const fail = () => {
    throw revoked()
  }
  const get = { get: fail }
  // The stack comes first: to define it, Node writes the one that was there, with the name and the message.
  return Object.defineProperties(new Error('x'), { stack: get, name: get, message: get, cause: get })
}

const thrown: readonly [string, () => unknown][] = [
  ['an error', boom],
  ['undefined', () => undefined],
  ['a symbol', () => Symbol('boom')],
  ['a revoked proxy', revoked],
  ['an unspeakable error', unspeakable],
]

const nonsense: readonly [string, () => unknown][] = [
  ['undefined', () => undefined],
  ['null', () => null],
  ['NaN', () => Number.NaN],
  ['true', () => true],
  ['a symbol', () => Symbol('nonsense')],
  ['a function', () => () => 'nonsense'],
  ['a revoked proxy', revoked],
  ['a revoked function', () => Proxy.revocable(() => {}, {}).proxy],
  ['an object without a prototype', () => Object.create(null)],
  ['1 MB of text', () => 'x'.repeat(1_000_000)],
  ['a list of 10,000', () => Array.from({ length: 10_000 }, () => ({}))],
  [
    'what throws at every member',
    () =>
      new Proxy(
        {},
        {
          get: () => {
            throw boom()
          },
          has: () => {
            throw boom()
          },
          ownKeys: () => {
            throw boom()
          },
        },
      ),
  ],
  [
    'a then that is a getter that throws',
    () =>
      Object.defineProperty({}, 'then', {
        get: () => {
          throw boom()
        },
      }),
  ],
  [
    'a then that throws',
    () =>
      thenable(() => {
        throw boom()
      }),
  ],
  [
    'a then that answers and throws',
    () =>
      thenable((resolve) => {
        resolve('answer')
        throw boom()
      }),
  ],
  [
    'a then that answers twice',
    () =>
      thenable((resolve, reject) => {
        resolve('one')
        resolve('two')
        reject(boom())
      }),
  ],
  ['a then that never answers', () => thenable(() => {})],
  ['a then that rejects with a revoked proxy', () => thenable((_, reject) => reject(revoked()))],
]

function thenable(
  then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void,
): object {
  return Object.defineProperty({}, 'then', { value: then })
}

/** Calls every function that it was given, as often as it likes. */
function callTwice(given: readonly unknown[]): unknown {
  let answer: unknown
  for (let time = 0; time < 2; time++) {
    for (const each of given) if (typeof each === 'function') answer = Reflect.apply(each, undefined, [])
  }
  return answer
}

const misbehaviours: readonly [string, Act][] = [
  ...thrown.flatMap(([what, make]): [string, Act][] => [
    [
      `throws ${what}`,
      () => {
        throw make()
      },
    ],
    [`rejects with ${what}`, () => Promise.reject(make())],
    [`rejects later with ${what}`, () => new Promise((_, reject) => setImmediate(() => reject(make())))],
  ]),
  ...nonsense.flatMap(([what, make]): [string, Act][] => [
    [`gives ${what}`, () => make()],
    [`promises ${what}`, async () => make()],
  ]),
  ['never settles', () => new Promise(() => {})],
  ['calls what it is given twice', (...given) => callTwice(given)],
  [
    'calls what it is given and throws',
    (...given) => {
      callTwice(given)
      throw boom()
    },
  ],
]

/** A misbehaving function, which a failure tells the name of. */
export class Misbehaviour {
  readonly #name: string
  readonly act: Act

  constructor(name: string, act: Act) {
    this.#name = name
    this.act = act
  }

  [fc.toStringMethod](): string {
    return this.#name
  }
}

export const misbehaviour: fc.Arbitrary<Misbehaviour> = fc
  .constantFrom(...misbehaviours)
  .map(([name, act]) => new Misbehaviour(name, act))
