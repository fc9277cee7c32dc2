import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { Tracker, Tracking } from '../../src/index.js'
import { recordTracking, type SegmentServer } from '../../src/testing/index.js'
import { startChild } from '../shutdown/child.js'
import { expectBalance } from '../support/books.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

type Config = Parameters<typeof trackingTo>[1]

const QUIET = { logger: { handler: () => {} } }
const payment = (tracker: Tracker) => tracker.track('payment receive', { total: 42 }, { key: 'evt_1' })

function quiet(segment: SegmentServer, config: Config = {}): Tracking {
  return trackingTo(segment, { ...QUIET, ...config })
}

function run(tracking: Tracking, work: (tracker: Tracker) => void, id = 'u-1'): void {
  tracking.run({ user: { id } }, work)
}

/** The messageIds that a work makes with a tracking of its own. */
async function messageIdsOf(work: (tracker: Tracker) => void, config: Config = {}): Promise<unknown[]> {
  const recorded = recordTracking({ ...QUIET, ...config })
  recorded.run({ user: { id: 'u-1' } }, work)
  await recorded.settled()
  const ids = recorded.calls.map(({ messageId }) => messageId)
  await recorded.shutdown()
  return ids
}

/** Waits until nothing is open any more. */
async function dispatched(tracking: Tracking): Promise<void> {
  await vi.waitUntil(() => tracking.stats().events.open === 0)
}

describe('the same webhook, delivered twice', () => {
  it('is one message, whichever machines have it', async () => {
    const segment = await segmentServer()
    const machines = [0, 1].map(() =>
      startChild(fileURLToPath(new URL('fixtures/webhook.ts', import.meta.url)), { host: segment.url }),
    )
    for (const { exited } of machines) expect(await exited).toMatchObject({ code: 0 })
    expect(segment.calls).toMatchObject([{ event: 'payment receive', userId: 'u-1' }])
    expect(segment.duplicates).toEqual([{ messageId: segment.calls[0]?.messageId, count: 1 }])
    expect(segment.calls[0]?.messageId).toMatch(/^[0-9a-f]{32}-track$/)
  })

  it('is one message in requests, runs and of senders', async () => {
    const segment = await segmentServer()
    const tracking = quiet(segment)
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => payment(tracker), visitor('s-1'))
    await tracking.flush()
    run(tracking, payment)
    await tracking.flush()
    tracking.forSender({ user: { id: 'u-1' } }).track({ name: 'payment receive', key: 'evt_1' })
    await tracking.flush()
    expect(segment.received).toBe(1)
    expect(segment.duplicates).toMatchObject([{ count: 2 }])
    expect(tracking.stats().calls).toMatchObject({ made: 3, delivered: 3, deduplicated: 0 })
  })

  it.each<[string, (segment: SegmentServer) => unknown]>([
    ['waits', (segment) => segment.stop()],
    ['is in flight', (segment) => segment.respondWith([{ delay: 1_500 }])],
  ])('goes once while the first %s', async (_where, hold) => {
    const segment = await segmentServer()
    await hold(segment)
    const failed = vi.fn()
    const tracking = quiet(segment, { settings: { flushAt: 1 }, on: { failed } })
    run(tracking, payment)
    await dispatched(tracking)
    await vi.waitUntil(() => segment.batches.length > 0 || tracking.health().state === 'retrying')
    run(tracking, payment)
    run(tracking, payment, 'u-2')
    await dispatched(tracking)
    const { events, calls } = tracking.stats()
    expect(events).toMatchObject({ tracked: 3, dispatched: 3 })
    expect(calls).toMatchObject({ made: 1, pending: 1, deduplicated: 2 })
    expectBalance(tracking.stats())
    await segment.start().catch(() => {})
    await segment.waitFor(1, 20_000)
    await tracking.flush()
    expect(segment.batches.flatMap((batch) => (batch.taken ? batch.messageIds : []))).toHaveLength(1)
    expect(tracking.stats().calls).toMatchObject({ made: 1, delivered: 1, deduplicated: 2 })
    expect(failed).not.toHaveBeenCalled()
  })

  it('goes once of two in the same scope', async () => {
    const segment = await segmentServer()
    const tracking = quiet(segment)
    run(tracking, (tracker) => {
      payment(tracker)
      payment(tracker)
    })
    await tracking.flush()
    expect(segment.received).toBe(1)
    expect(segment.duplicates).toEqual([])
    expect(tracking.stats().calls).toMatchObject({ made: 1, deduplicated: 1 })
  })

  it('goes once while `beforeSend` is asked about both', async () => {
    const segment = await segmentServer()
    const tracking = quiet(segment, { beforeSend: async (call) => call })
    run(tracking, payment, 'u-1')
    run(tracking, payment, 'u-2')
    await tracking.flush()
    expect(segment.received).toBe(1)
    expect(segment.duplicates).toEqual([])
    expect(tracking.stats().calls).toMatchObject({ made: 1, deduplicated: 1 })
  })
})

describe('a second one goes', () => {
  /** Tracks the payment twice: the first meets what keeps it from going. */
  async function twice(
    config: Config,
    first: (tracker: Tracker) => void,
    second = payment,
    segment?: SegmentServer,
  ) {
    const server = segment ?? (await segmentServer())
    const tracking = quiet(server, config)
    run(tracking, first)
    await tracking.flush()
    run(tracking, second)
    await tracking.flush()
    expectBalance(tracking.stats())
    return { segment: server, stats: tracking.stats() }
  }

  it('where the first was discarded', async () => {
    const { segment, stats } = await twice({}, (tracker) => {
      payment(tracker)
      tracker.discard()
    })
    expect(segment.received).toBe(1)
    expect(stats.events.dropped.discarded).toBe(1)
  })

  it('where the first lacked consent', async () => {
    const { segment, stats } = await twice({ consent: { analytics: true } }, payment, (tracker) => {
      tracker.consent({ analytics: true })
      payment(tracker)
    })
    expect(segment.received).toBe(1)
    expect(stats.events.dropped.consent).toBe(1)
  })

  it('where `beforeSend` withheld the first', async () => {
    let calls = 0
    const { segment, stats } = await twice({ beforeSend: (call) => (++calls === 1 ? null : call) }, payment)
    expect(segment.received).toBe(1)
    expect(stats.calls).toMatchObject({ withheld: 1, deduplicated: 0 })
  })

  it('where the first was of a request that is skipped', async () => {
    const segment = await segmentServer()
    const tracking = quiet(segment, { request: { skip: [(req) => req.headers['x-skip'] === 'yes'] } })
    const inRequest = await requestsOf(tracking)
    await inRequest(payment, { ...visitor('s-1'), 'x-skip': 'yes' })
    await inRequest(payment, visitor('s-1'))
    await tracking.flush()
    expect(segment.received).toBe(1)
    expect(tracking.stats().events.dropped.skipped).toBe(1)
  })

  it('where Segment refused the first', async () => {
    const segment = await segmentServer()
    segment.respondWith([{ status: 400 }])
    const { stats } = await twice({ settings: { flushAt: 1 } }, payment, payment, segment)
    expect(segment.received).toBe(1)
    expect(stats.calls).toMatchObject({ made: 2, delivered: 1, failed: { rejected: 1 }, deduplicated: 0 })
  })

  it('where the first expired', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const tracking = quiet(segment, { settings: { flushAt: 1 }, delivery: { maxAge: 1_000 } })
    run(tracking, payment)
    await vi.waitUntil(() => tracking.stats().calls.failed.expired === 1, { timeout: 20_000 })
    run(tracking, payment)
    await dispatched(tracking)
    expect(tracking.stats().calls).toMatchObject({ made: 2, deduplicated: 0 })
  })
})

describe('the calls of one event', () => {
  const mapping = {
    order: {
      complete: {
        settings: {
          identify: { map: { traits: { map: { plan: 'data.plan' } } } },
          group: { map: { groupId: 'data.team' } },
          page: true,
          screen: true,
        },
      },
    },
  }
  const order = (tracker: Tracker) =>
    tracker.track('order complete', { plan: 'team', team: 'acme' }, { key: 'A-1' })
  const types = ['identify', 'group', 'page', 'screen', 'track']

  it('stay apart, and are the same again on another machine', async () => {
    const ids = await messageIdsOf(order, { mapping })
    expect(ids.map((id) => String(id).split('-')[1])).toEqual(types)
    expect(new Set(ids.map((id) => String(id).split('-')[0]))).toHaveLength(1)
    expect(await messageIdsOf(order, { mapping })).toEqual(ids)
  })

  it('are each counted when they are on their way already', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const tracking = quiet(segment, { mapping })
    run(tracking, order)
    run(tracking, order)
    await dispatched(tracking)
    expect(tracking.stats().calls).toMatchObject({ made: 5, pending: 5, deduplicated: 5 })
    expectBalance(tracking.stats())
  })

  it('leave what is known of the person right', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const tracking = quiet(segment, {
      mapping: {
        order: {
          complete: { skip: true, settings: mapping.order.complete.settings },
          '*': mapping.order.complete,
        },
      },
    })
    const ofPlan = (plan: string, options = {}) =>
      run(tracking, (tracker) => tracker.track('order view', { plan }, options))
    ofPlan('free', { key: 'A-1' })
    ofPlan('team', { key: 'A-1' })
    await dispatched(tracking)
    // Segment was told of `free`, never of `team`.
    ofPlan('team')
    await dispatched(tracking)
    await segment.start()
    await tracking.flush({ timeout: 20_000 })
    const traits = segment.calls.flatMap((call) => (call.type === 'identify' ? [call.traits] : []))
    expect(traits).toEqual([{ plan: 'free' }, { plan: 'team' }])
  })
})

describe('what a key is of', () => {
  const key = 'A-1'
  const methods: [string, (tracker: Tracker, key: string) => void][] = [
    ['track(name)', (tracker, key) => tracker.track('order complete', {}, { key })],
    ['track(another name)', (tracker, key) => tracker.track({ name: 'order refund', key })],
    ['identify', (tracker, key) => tracker.identify({ plan: 'team' }, { key })],
    ['group', (tracker, key) => tracker.group('acme', {}, { key })],
    ['group, another', (tracker, key) => tracker.group('other', {}, { key })],
    ['page', (tracker, key) => tracker.page('Home', { key })],
    ['page, another', (tracker, key) => tracker.page('About', { key })],
    ['screen', (tracker, key) => tracker.screen({ name: 'Home' }, { key })],
    ['alias', (tracker, key) => tracker.alias('u-0', { key })],
    ['alias, another', (tracker, key) => tracker.alias('u-00', { key })],
  ]

  it.each(methods)('every method takes one: %s', async (_method, track) => {
    const [id, ...others] = await messageIdsOf((tracker) => track(tracker, key))
    expect(others).toEqual([])
    expect(await messageIdsOf((tracker) => track(tracker, key))).toEqual([id])
    expect(await messageIdsOf((tracker) => track(tracker, 'A-2'))).not.toEqual([id])
  })

  it('events of different names and methods are different ones', async () => {
    const ids = await messageIdsOf((tracker) => {
      for (const [, track] of methods) track(tracker, key)
    })
    expect(new Set(ids).size).toBe(methods.length)
  })

  it('whom it is about does not count, nor what it says', async () => {
    const one = await messageIdsOf((tracker) =>
      tracker.track('order complete', { total: 1 }, { key, user: { id: 'u-1' } }),
    )
    const other = await messageIdsOf((tracker) =>
      tracker.track('order complete', { total: 2 }, { key, user: { id: 'u-2' }, timestamp: 1 }),
    )
    expect(other).toEqual(one)
  })

  it('a rule that renames the event changes nothing', async () => {
    const rename = { mapping: { payment: { receive: { name: 'Order Paid' } } } }
    expect(await messageIdsOf(payment, rename)).toEqual(await messageIdsOf(payment))
  })

  it('another source has other messages', async () => {
    const other = await messageIdsOf(payment, { settings: { writeKey: 'another' } })
    expect(other).not.toEqual(await messageIdsOf(payment))
  })

  it('events without one are all different', async () => {
    const ids = await messageIdsOf((tracker) => {
      for (const options of [undefined, {}, { key: undefined }, { key: undefined }])
        tracker.track('order complete', {}, options)
    })
    expect(new Set(ids).size).toBe(4)
  })

  it('any two texts are two keys', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.integer({ min: 0xd800, max: 0xdfff }).map((unit) => String.fromCharCode(unit)) }),
      fc.constantFrom('__proto__', 'constructor', '","', '\0', 'A-1 ', ' A-1'),
    )
    const keys = text.filter((text) => text.trim() !== '' && text.length <= 255)
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(keys, { minLength: 2, maxLength: 20 }), async (keys) => {
        const track = (tracker: Tracker) => {
          for (const key of keys) tracker.track('order complete', {}, { key })
        }
        const ids = await messageIdsOf(track)
        expect(new Set(ids).size).toBe(keys.length)
        for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}-track$/)
        expect(await messageIdsOf(track)).toEqual(ids)
      }),
      { numRuns: 20 },
    )
  })
})

describe('a key that is none', () => {
  const secret = 'secret'
  it.each<[string, unknown]>([
    ['null', null],
    ['a number', 42],
    ['a bigint', 42n],
    ['a boolean', true],
    ['a symbol', Symbol(secret)],
    ['a function', () => secret],
    ['an object', { secret }],
    ['an object that is a text to others', { toString: () => secret }],
    ['a boxed text', Object(secret)],
    ['a list of one', [secret]],
    [
      'a proxy',
      new Proxy(
        {},
        {
          get: () => secret,
          ownKeys: () => {
            throw new Error(secret)
          },
        },
      ),
    ],
    ['an empty text', ''],
    ['white space', ' \t\n\u00a0'],
    ['256 characters', secret.padEnd(256, 'x')],
    ['a megabyte', secret.repeat(170_000)],
  ])('drops the event as invalid and says so: %s', async (_what, key) => {
    const lines: string[] = []
    const errors: unknown[] = []
    const recorded = recordTracking({
      logger: { handler: (_level, message) => lines.push(message) },
      on: { error: ({ error }) => errors.push(error) },
    })
    recorded.run({ user: { id: 'u-1' } }, (tracker) => {
      const options: object = { key }
      tracker.track('order complete', {}, options)
      tracker.track({ name: 'order complete', ...options })
      tracker.identify({}, options)
      tracker.group('acme', {}, options)
      tracker.page('Home', options)
      tracker.alias('u-0', options)
      tracker.track('order view')
    })
    await recorded.settled()
    expect(recorded.calls).toMatchObject([{ event: 'order view' }])
    expect(recorded.stats().events.dropped).toMatchObject({ invalid: 6 })
    expect(lines.join()).toContain('has a key that is')
    expect(lines.join()).toContain('expected a text of 1 to 255 characters')
    expect(lines.join()).not.toContain(secret)
    expect(errors).toHaveLength(6)
  })

  it('costs its own event alone where it throws', async () => {
    const recorded = recordTracking(QUIET)
    const hostile = {
      get key(): never {
        throw new Error('secret')
      },
    }
    recorded.run({ user: { id: 'u-1' } }, (tracker) => {
      tracker.track('order complete', {}, hostile)
      tracker.page('Home', hostile)
      tracker.track('order view')
    })
    await recorded.settled()
    expect(recorded.calls).toMatchObject([{ event: 'order view' }])
    expect(recorded.stats().events.dropped).toMatchObject({ error: 2 })
  })

  it('is read once: what it says later is not another key', async () => {
    let reads = 0
    const changing = {
      name: 'order complete',
      get key(): string {
        reads++
        return reads === 1 ? 'A-1' : 'x'.repeat(1_000)
      },
    }
    const [id] = await messageIdsOf((tracker) => tracker.track(changing))
    expect(await messageIdsOf((tracker) => tracker.track('order complete', {}, { key: 'A-1' }))).toEqual([id])
  })

  it('may have 255 characters', async () => {
    expect(
      await messageIdsOf((tracker) => tracker.track('order complete', {}, { key: 'x'.repeat(255) })),
    ).toHaveLength(1)
  })
})

describe('a recording', () => {
  it('has one call of a key, and tells of the others', async () => {
    const recorded = recordTracking(QUIET)
    for (let time = 0; time < 3; time++) {
      run(recorded, payment)
      await recorded.settled()
    }
    expect(recorded.calls).toHaveLength(1)
    expect(recorded.duplicates).toEqual([{ messageId: recorded.calls[0]?.messageId, count: 2 }])
    recorded.clear()
    expect(recorded.duplicates).toEqual([])
    run(recorded, payment)
    await recorded.settled()
    expect(recorded.calls).toHaveLength(1)
  })

  it('tells those that are on their way in the books', async () => {
    const recorded = recordTracking(QUIET)
    run(recorded, payment)
    run(recorded, payment)
    await recorded.settled()
    expect(recorded.calls).toHaveLength(1)
    expect(recorded.events).toHaveLength(2)
    expect(recorded.drops).toEqual([])
    expect(recorded.failures).toEqual([])
    expect(recorded.stats().calls).toMatchObject({ made: 1, delivered: 1, deduplicated: 1 })
  })
})
