import { describe, expect, it, vi } from 'vitest'
import type { Tracker, Tracking } from '../../src/index.js'
import { type RecordedTracking, recordTracking } from '../../src/testing/index.js'
import { requestsOf, visitor } from '../support/servers.js'

/** What an application sees of what it did wrong. */
interface Recording {
  readonly recorded: RecordedTracking
  readonly errors: string[]
  run(handler: (tracker: Tracker) => void): Promise<void>
}

async function recording(): Promise<Recording> {
  const errors: string[] = []
  const recorded = recordTracking({
    logger: { handler: (_level, message) => errors.push(message) },
    request: { userId: () => 'admin' },
  })
  const inRequest = await requestsOf(recorded)
  return {
    recorded,
    errors,
    async run(handler) {
      await inRequest(handler, visitor('anonymous-1'))
      await recorded.settled()
    },
  }
}

/** What JavaScript lets through, and a cast in TypeScript. */
function loosely(tracker: Tracker): Record<string, (...given: unknown[]) => void> {
  return tracker as never
}

class ObjectId {
  toHexString() {
    return '65f1c0ffee'
  }
}

class Uuid {
  toString() {
    return 'b9f0…'
  }
}

interface Customer {
  plan: string
}

const unfitIds: [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['an empty string', ''],
  ['NaN', Number.NaN],
  ['true', true],
  ['an object', { id: 'u-1' }],
  ['an ObjectId', new ObjectId()],
  ['a UUID object', new Uuid()],
  ['a list', ['u-1']],
  ['a symbol', Symbol('u-1')],
  ['a function', () => 'u-1'],
]

describe('an id that was given and is none', () => {
  it.each(unfitIds)('is never taken for the own user by identify: %s', async (_name, id) => {
    const { recorded, errors, run } = await recording()
    await run((tracker) => loosely(tracker).identify?.(id, { email: 'customer@example.org' }))
    expect(recorded.calls).toEqual([])
    expect(recorded.drops).toMatchObject([{ reason: 'invalid' }])
    expect(errors[0]).toMatch(/^tracker\.identify\(userId\) was given .*: expected a non-empty string/)
  })

  it.each(unfitIds)('is never taken for the own user by an event: %s', async (_name, id) => {
    const { recorded, errors, run } = await recording()
    await run((tracker) => {
      loosely(tracker).track?.('order complete', {}, { user: { id } })
      loosely(tracker).track?.({ name: 'order complete', user: { session: id } })
    })
    expect(recorded.calls).toEqual([])
    expect(recorded.drops).toMatchObject([{ reason: 'invalid' }, { reason: 'invalid' }])
    expect(errors[0]).toContain('has a user whose id is no id')
    expect(errors[1]).toContain('has a user whose session is no id')
  })

  it.each(unfitIds)('changes nothing with tracker.user(): %s', async (_name, id) => {
    const { recorded, errors, run } = await recording()
    await run((tracker) => {
      loosely(tracker).user?.({ id, email: 'customer@example.org' })
      tracker.track('order complete')
    })
    expect(recorded.events[0]?.user).toEqual({ id: 'admin', session: 'anonymous-1' })
    expect(errors[0]).toMatch(/^tracker\.user\(\) was given user\.id as .*: expected a non-empty string/)
  })

  it.each(unfitIds)('is refused by group and alias: %s', async (_name, id) => {
    const { recorded, run } = await recording()
    await run((tracker) => {
      loosely(tracker).group?.(id, {})
      loosely(tracker).alias?.(id)
    })
    expect(recorded.calls).toEqual([])
    expect(recorded.drops).toHaveLength(2)
  })

  it('is met with what to write, where a database gives ids as objects', async () => {
    const { errors, run } = await recording()
    await run((tracker) => {
      loosely(tracker).identify?.(new ObjectId())
      loosely(tracker).group?.(new Uuid())
    })
    expect(errors[0]).toContain('write id.toHexString()')
    expect(errors[1]).toContain('write String(id)')
  })
})

describe('identify', () => {
  it.each([
    ['userId and traits', { userId: 'u-1', traits: { plan: 'team' } }],
    ['userId', { userId: 'u-1', plan: 'team' }],
    ['anonymousId', { anonymousId: 'a-1' }],
    ['traits', { traits: { plan: 'team' } }],
  ])('refuses the argument of the SDK’s own: %s', async (_name, given) => {
    const { recorded, errors, run } = await recording()
    await run((tracker) => loosely(tracker).identify?.(given))
    expect(recorded.calls).toEqual([])
    expect(recorded.drops).toMatchObject([{ reason: 'invalid' }])
    expect(errors[0]).toContain('identify(userId, traits)')
  })

  it('refuses it when the application is compiled, too, and takes traits of any type', async () => {
    const { recorded, run } = await recording()
    await run((tracker) => {
      // @ts-expect-error: the SDK's own form
      tracker.identify({ userId: 'u-1', traits: {} })
      const customer: Customer = { plan: 'team' }
      tracker.identify(customer)
      tracker.identify()
      tracker.identify(undefined)
      tracker.identify({})
    })
    expect(recorded.calls.map(({ userId }) => userId)).toEqual(['admin', 'admin', 'admin', 'admin'])
    expect(recorded.calls[0]).toMatchObject({ traits: { plan: 'team' } })
  })
})

describe('page and screen', () => {
  it('take a text as the name', async () => {
    const { recorded, run } = await recording()
    await run((tracker) => {
      tracker.page('Home')
      tracker.screen('Cart')
    })
    expect(recorded.calls).toMatchObject([
      { type: 'page', name: 'Home' },
      { type: 'screen', name: 'Cart' },
    ])
  })

  it.each([[42], [true], [['Home']], [null], [{ name: {} }], [{ category: [] }]])(
    'refuse what is neither a page nor a name: %j',
    async (given) => {
      const { recorded, errors, run } = await recording()
      await run((tracker) => loosely(tracker).page?.(given))
      expect(recorded.calls).toEqual([])
      expect(recorded.drops).toMatchObject([{ reason: 'invalid' }])
      expect(errors[0]).toMatch(/^tracker\.page\(\) was given /)
    },
  )
})

describe('a choice that is no boolean', () => {
  it.each([['true'], ['granted'], [1], [null], [undefined], [{}]])('refuses its key: %j', async (choice) => {
    const errors: string[] = []
    const recorded = recordTracking({
      logger: { handler: (_level, message) => errors.push(message) },
      request: { consent: () => ({ analytics: true }) },
      consent: { analytics: true },
    })
    const inRequest = await requestsOf(recorded)
    await inRequest((tracker) => {
      tracker.track('order complete')
      loosely(tracker).consent?.({ analytics: choice, marketing: true })
    }, visitor('anonymous-1'))
    await inRequest((tracker) => {
      loosely(tracker).track?.('order complete', {}, { consent: { analytics: choice } })
    }, visitor('anonymous-1'))
    await recorded.settled()
    expect(recorded.calls).toEqual([])
    expect(recorded.drops).toMatchObject([{ reason: 'consent' }, { reason: 'consent' }])
    expect(recorded.drops[0]?.event).toMatchObject({ consent: { analytics: false, marketing: true } })
    expect(errors).toHaveLength(2)
    expect(errors[0]).toContain('the choice of "analytics" is neither true nor false, and counts as refused')
  })
})

describe('every method', () => {
  const uses: { [K in keyof Tracker]: (tracker: Pick<Tracker, K>) => void } = {
    track: ({ track }) => track('order complete'),
    identify: ({ identify }) => identify('u-1', { plan: 'team' }),
    group: ({ group }) => group('g-1'),
    page: ({ page }) => page('Home'),
    screen: ({ screen }) => screen('Home'),
    alias: ({ alias }) => alias('u-0'),
    user: ({ user }) => user({ id: 'u-1' }),
    consent: ({ consent }) => consent({ analytics: true }),
    waitUntil: ({ waitUntil }) => waitUntil(Promise.resolve()),
    discard: ({ discard }) => discard(),
    carry: ({ carry }) => void carry(),
    flush: ({ flush }) => void flush(),
    identity: ({ identity }) => void identity,
  }

  it.each(Object.entries(uses))(
    'works taken off the tracker, and on a proxy of it: %s',
    async (_name, use) => {
      const { recorded, errors, run } = await recording()
      const thrown: unknown[] = []
      await run((tracker) => {
        for (const each of [tracker, new Proxy(tracker, {})]) {
          try {
            use(each)
          } catch (error) {
            thrown.push(error)
          }
        }
      })
      expect(thrown).toEqual([])
      expect(errors).toEqual([])
      const { tracked, dispatched, dropped } = recorded.stats().events
      expect(dispatched).toBe(tracked)
      expect(dropped.invalid).toBe(0)
    },
  )

  it('of a tracking works taken off it, and on a proxy of it', async () => {
    const { recorded, run } = await recording()
    for (const each of [recorded, new Proxy(recorded, {})] satisfies Tracking[]) {
      const { current, stats, health, flush, settled, clear } = each
      expect(current()).toBeUndefined()
      expect(stats().events.tracked).toBe(0)
      expect(health().state).toBe('ok')
      await flush()
      await settled()
      clear()
    }
    await run((tracker) => tracker.track('order complete'))
    expect(recorded.calls).toHaveLength(1)
    const { shutdownOnSignals, shutdown } = recorded
    shutdownOnSignals()()
    expect(await shutdown()).toMatchObject({ delivered: 1 })
  })

  it('can be replaced and spied on by a test', async () => {
    const { run } = await recording()
    const seen: unknown[] = []
    await run((tracker) => {
      const spy = vi.spyOn(tracker, 'identify')
      tracker.identify('u-1')
      seen.push(...spy.mock.calls)
      tracker.group = (id) => seen.push(id)
      tracker.group('g-1')
    })
    expect(seen).toEqual([['u-1'], 'g-1'])
  })
})
