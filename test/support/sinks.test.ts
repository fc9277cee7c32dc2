import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TrackingConfig } from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'
import { requestsOf, visitor } from './servers.js'

/** What JavaScript can throw, as bad as it comes. */
function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const thrown: [string, () => unknown][] = [
  ['an error', () => new Error('closed')],
  ['null', () => null],
  ['undefined', () => undefined],
  ['a symbol', () => Symbol('closed')],
  ['a revoked proxy', revoked],
  [
    'an error whose name throws',
    () =>
      Object.defineProperty(new Error('x'), 'name', {
        get: () => {
          throw revoked()
        },
      }),
  ],
  ['an object without a prototype', () => Object.create(null)],
]

const sinks: [string, (value: () => unknown) => TrackingConfig['logger']][] = [
  [
    'throws',
    (value) => ({
      handler: () => {
        throw value()
      },
    }),
  ],
  ['rejects', (value) => ({ handler: () => Promise.reject(value()) as never })],
  [
    'answers with a then that throws',
    (value) => ({
      handler: () =>
        Object.defineProperty({}, 'then', {
          get: () => {
            throw value()
          },
        }) as never,
    }),
  ],
  [
    'throws at a level below errors',
    (value) => ({
      level: 'DEBUG',
      handler: () => {
        throw value()
      },
    }),
  ],
]

/** Does everything that makes a line in the log, in a handler. */
async function misuse(logger: TrackingConfig['logger'], fails: () => unknown): Promise<void> {
  const fail = () => {
    throw fails()
  }
  const recorded = recordTracking({
    logger,
    request: { userId: fail, consent: fail, skip: fail, anonymousId: () => 'a-1' },
    mapping: { order: { fail: { data: { fn: fail } } } },
    on: { dropped: fail, failed: fail, delivered: fail, error: fail, shutdown: fail },
    ambient: { run: fail, get: fail },
  })
  const inRequest = await requestsOf(recorded)
  let answered = 0
  for (let count = 0; count < 3; count++) {
    await inRequest((tracker, _req, res) => {
      tracker.track('order fail')
      tracker.track('oops', 'no object' as never)
      tracker.track('')
      tracker.consent('yes' as never)
      tracker.user(7 as never)
      tracker.waitUntil(7 as never)
      tracker.group({} as never)
      tracker.track('order complete', { cyclic: 1n })
      answered++
      res.end('ok')
    }, visitor('a-1'))
  }
  await recorded.settled()
  await recorded.shutdown()
  expect(answered).toBe(3)
  expect(recorded.calls.length).toBeGreaterThan(3)
  const { tracked, open, dispatched, dropped } = recorded.stats().events
  expect(open).toBe(0)
  expect(tracked).toBe(dispatched + Object.values(dropped).reduce((sum, count) => sum + count))
}

const METHODS = ['error', 'log', 'warn', 'info', 'debug'] as const

// A line that the sink did not take goes to the console.
beforeEach(() => {
  for (const method of METHODS) vi.spyOn(console, method).mockImplementation(() => {})
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('a log sink', () => {
  it.each(sinks.flatMap(([how, sink]) => thrown.map(([what, value]) => ({ how, what, sink, value }))))(
    'costs its lines and no more where it $how: $what',
    async ({ sink, value }) => {
      await misuse(sink(value), value)
    },
  )

  it('is the console, which throws where its pipe is closed', async () => {
    for (const method of METHODS) {
      vi.spyOn(console, method).mockImplementation(() => {
        throw new Error('EPIPE')
      })
    }
    await misuse(undefined, () => new Error('no'))
  })

  it('gets lines for whatever the application throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything({ withNullPrototype: true, withSparseArray: true }), async (value) => {
        await misuse({ handler: () => {} }, () => value)
      }),
      { numRuns: 15 },
    )
  })
})
