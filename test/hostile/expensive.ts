import { monsters } from './things.js'

/** A call of a tracker's method that a handler makes. */
export interface ExpensiveCall {
  readonly what: string
  readonly method: string
  readonly given: () => readonly unknown[]
}

/** Nearly the 32 KB that Segment takes for a call, in as many members as there is room for: the most that an event may cost. */
export const largest: ExpensiveCall = {
  what: 'the largest event',
  method: 'track',
  given: () => [
    'order complete',
    Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`key${at}`, at])),
  ],
}

const names: readonly [what: string, make: () => unknown][] = [
  ['100 KB of words', () => 'word '.repeat(20_000)],
  ['100 KB of white space', () => ' '.repeat(100_000)],
  ['100 KB of line ends', () => '\n'.repeat(100_000)],
  ['100 KB of half characters', () => '\ud800 '.repeat(50_000)],
  ['a prototype', () => '__proto__ constructor'],
  ['what a pattern backtracks over', () => `${'a'.repeat(50_000)}!`],
]

const METHODS: readonly [method: string, before: readonly unknown[]][] = [
  ['track', ['order complete']],
  ['track', ['order complete', {}]],
  ['track', []],
  ['identify', []],
  ['identify', ['u-1']],
  ['group', []],
  ['group', ['g-1']],
  ['page', []],
  ['screen', []],
  ['alias', []],
  ['user', []],
  ['consent', []],
  ['waitUntil', []],
  ['carry', []],
]

/** Every method, with whatever could make it work for long. */
export const expensive: readonly ExpensiveCall[] = METHODS.flatMap(([method, before]) =>
  [...monsters, ...names].flatMap(([what, make]) => [
    {
      what: `${method}(${before.map(() => '…, ').join('')}${what})`,
      method,
      given: () => [...before, make()],
    },
    {
      what: `${method}(${before.map(() => '…, ').join('')}{ all: ${what} })`,
      method,
      given: () => [...before, all(make())],
    },
  ]),
)

/** An object whose every member that a method reads is the same. */
function all(value: unknown): object {
  const members = [
    'name',
    'data',
    'properties',
    'id',
    'session',
    'analytics',
    'key',
    'timestamp',
    'integrations',
  ]
  return Object.fromEntries(members.map((member) => [member, value]))
}
