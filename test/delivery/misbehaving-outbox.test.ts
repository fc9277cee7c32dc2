import { describe, expect, it } from 'vitest'
import type { OpenOutbox } from '../../src/index.js'
import { expectBooksBalance, watchProcess } from '../hostile/harm.js'
import { memoryOutbox } from '../hostile/memory-outbox.js'
import { segmentServer, trackingTo } from '../support/servers.js'

const METHODS: readonly ('open' | keyof OpenOutbox)[] = [
  'open',
  'write',
  'take',
  'settle',
  'setAside',
  'isThere',
  'close',
]

const boom = (): never => {
  throw new Error('boom')
}

const ACTS: readonly [what: string, act: () => unknown][] = [
  ['throws', boom],
  ['rejects', () => Promise.reject(new Error('boom'))],
  ['gives nothing', () => undefined],
  ['gives a text', () => 'nonsense'],
  ['gives a list of nothing', () => [null, undefined, 7]],
  ['promises a list of nothing', async () => [null, {}]],
  ['gives a list that has a length and nothing else', () => Object.assign([], { length: 4e9 })],
  ['gives a then that cannot be read', () => Object.defineProperty({}, 'then', { get: boom })],
  ['gives a then that throws', () => Object.defineProperty({}, 'then', { value: boom })],
  ['never answers', () => new Promise(() => {})],
]

const TRIED_AGAIN = METHODS.map((method) => [`${method} is tried again and`, method, true] as const)
const TRIED_ONCE = METHODS.map((method) => [method, method, false] as const)

describe.each([...TRIED_ONCE, ...TRIED_AGAIN])('an outbox whose %s', (_, method, isRetried) => {
  it.each(ACTS)('%s harms nothing, and a shutdown ends in time', async (_, act) => {
    const { harm } = watchProcess()
    const segment = await segmentServer()
    const outbox = { ...memoryOutbox((name) => (name === method ? () => act : undefined)), isRetried }
    const tracking = trackingTo(segment, {
      settings: { flushInterval: 5 },
      delivery: { outbox },
      logger: { handler: () => {} },
    })
    const tracker = tracking.forSender({ user: { id: 'u-1' } })
    for (let time = 0; time < 15; time++) tracker.track('order complete')
    await tracking.flush({ timeout: 300 })
    const { durationMs } = await tracking.shutdown({ timeout: 300 })
    expect(durationMs).toBeLessThan(3_000)
    await new Promise(setImmediate)
    expect(harm).toEqual([])
    expect(tracking.stats().events.tracked).toBe(15)
    expectBooksBalance(tracking)
  })
})
