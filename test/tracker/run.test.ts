import { describe, expect, it, vi } from 'vitest'
import type { Outcome, Sender, Tracker } from '../../src/index.js'
import { type RecordingConfig, recordTracking } from '../../src/testing/index.js'

const ada: Sender = { user: { id: 'u-1', session: 'a-1' }, consent: { analytics: true } }

function recorded(config: RecordingConfig = {}) {
  return recordTracking({ logger: { handler: () => {} }, ...config })
}

/** A promise and what settles it. */
function pending<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((...both) => {
    ;[resolve, reject] = both
  })
  return { promise, resolve, reject }
}

/** As a query of a database is: it runs when it is awaited, each time anew. */
class Query<T> implements PromiseLike<T> {
  started = 0
  readonly #rows: T

  constructor(rows: T) {
    this.#rows = rows
  }

  // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested.
  then<A, B>(...both: Parameters<PromiseLike<T>['then']>): Promise<A | B> {
    this.started++
    return Promise.resolve(this.#rows).then(...both) as Promise<A | B>
  }
}

describe('what run() gives', () => {
  it.each([['a text'], [0], [undefined], [null], [Number.NaN], [JSON.parse('{"then":"no function"}')]])(
    'is what the work gives: %j',
    (value) => {
      expect(recorded().run(ada, () => value)).toBe(value)
    },
  )

  it('is the very promise that a plain function has from elsewhere', async () => {
    const promise = Promise.resolve('done')
    const more = Object.assign(Promise.resolve('done'), { pid: 42 })
    const tracking = recorded()
    expect(tracking.run(ada, () => promise)).toBe(promise)
    expect(tracking.run(ada, () => more)).toBe(more)
    await tracking.settled()
  })

  it('is what an async function promises', async () => {
    const value = { done: true }
    await expect(recorded().run(ada, async () => value)).resolves.toBe(value)
  })

  it('throws what the work throws, and rejects with what it rejects with', async () => {
    const tracking = recorded()
    for (const thrown of [new Error('broken'), 'a text', undefined, Object.freeze(new Error('frozen'))]) {
      const fail = () => {
        throw thrown
      }
      expect(catching(() => tracking.run(ada, fail))).toEqual({ thrown })
      const asynchronously = async () => fail()
      await expect(tracking.run(ada, asynchronously).then(String, caught)).resolves.toEqual({ thrown })
      await expect(tracking.run(ada, () => Promise.reject(thrown)).then(String, caught)).resolves.toEqual({
        thrown,
      })
    }
    await tracking.settled()
    expect(tracking.stats().events.tracked).toBe(0)
  })

  it('leaves it to Node to notice a rejection that nobody handles', async () => {
    const tracking = recorded()
    const error = new Error('nobody handles this')
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    try {
      const noticed = new Promise((resolve) => process.once('unhandledRejection', resolve))
      tracking.run(ada, async () => {
        throw error
      })
      expect(await noticed).toBe(error)
    } finally {
      for (const other of others) process.on('unhandledRejection', other)
    }
  })

  it('is the outcome of a thenable, which is begun once', async () => {
    const tracking = recorded()
    const query = new Query('three rows')
    const outcome = tracking.run(ada, (tracker) => {
      tracker.track('report run')
      return query
    })
    expect(await outcome).toBe('three rows')
    expect(query.started).toBe(1)
    await tracking.settled()
    expect(tracking.calls).toHaveLength(1)
  })

  it('is the outcome of a function with a then', async () => {
    const query = new Query('three rows')
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested.
    const builder = Object.assign(() => 'called', { then: query.then.bind(query) })
    const tracking = recorded()
    expect(await tracking.run(ada, () => builder)).toBe('three rows')
    expect(query.started).toBe(1)
  })

  it('is the very promise of a class of its own, whose then is left to the caller', async () => {
    const tracking = recorded()
    let started = 0
    class LazyPromise extends Promise<string> {
      static override get [Symbol.species]() {
        return Promise
      }
      // biome-ignore lint/suspicious/noThenProperty: what is tested.
      override then<A, B>(...both: Parameters<Promise<string>['then']>): Promise<A | B> {
        started++
        return super.then(...both) as Promise<A | B>
      }
    }
    const query = new LazyPromise((resolve) => resolve('three rows'))
    const given = tracking.run(ada, (tracker) => {
      tracker.track('report run')
      return query
    })
    expect(given).toBe(query)
    await tracking.settled()
    expect([started, tracking.calls.length]).toEqual([0, 1])
    expect(await given).toBe('three rows')
    expect(started).toBe(1)
  })

  it('is what the work gives even where that throws when it is looked at', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const tracking = recorded()
    expect(
      Object.is(
        tracking.run(ada, () => proxy),
        proxy,
      ),
    ).toBe(true)
    expect(tracking.stats().events.open).toBe(0)
  })
})

describe('the end of a run', () => {
  it('comes when the work has returned', async () => {
    const tracking = recorded()
    tracking.run(ada, (tracker) => {
      tracker.track('report run')
      expect(tracking.stats().events).toMatchObject({ tracked: 1, open: 1 })
    })
    await tracking.settled()
    expect(tracking.calls).toMatchObject([{ event: 'report run', userId: 'u-1', anonymousId: 'a-1' }])
  })

  it.each(['resolves', 'rejects'] as const)('comes when its promise %s', async (how) => {
    const tracking = recorded()
    const { promise, resolve, reject } = pending<void>()
    const outcome = tracking.run(ada, (tracker) => {
      tracker.track('report begin')
      return promise
    })
    await tracking.flush()
    expect(tracking.stats().events).toMatchObject({ tracked: 1, open: 1 })
    if (how === 'resolves') resolve()
    else reject(new Error('broken'))
    await expect(
      outcome.then(
        () => 'resolves',
        () => 'rejects',
      ),
    ).resolves.toBe(how)
    await tracking.settled()
    expect(tracking.calls).toMatchObject([{ event: 'report begin' }])
  })

  it('takes the latest identity and consent for all that was tracked', async () => {
    const tracking = recorded({ consent: { analytics: true } })
    tracking.run({}, (tracker) => {
      tracker.track('report begin')
      tracker.user({ id: 'u-2' })
      tracker.consent({ analytics: true })
      tracker.track('report end')
    })
    tracking.run(ada, (tracker) => {
      tracker.track('report begin')
      tracker.consent({ analytics: false })
    })
    await tracking.settled()
    expect(tracking.calls).toMatchObject([
      { event: 'report begin', userId: 'u-2' },
      { event: 'report end', userId: 'u-2' },
    ])
    expect(tracking.drops).toMatchObject([{ reason: 'consent' }])
  })

  it('is followed by what its tracker still tracks', async () => {
    const tracking = recorded()
    const tracker = tracking.run(ada, (tracker) => tracker)
    tracker.track('report late')
    await tracking.settled()
    expect(tracking.calls).toMatchObject([{ event: 'report late', userId: 'u-1' }])
  })

  it('can drop what was collected: discard()', async () => {
    const tracking = recorded()
    tracking.run(ada, (tracker) => {
      tracker.track('report begin')
      tracker.discard()
      tracker.track('report end')
    })
    await tracking.settled()
    expect(tracking.calls).toMatchObject([{ event: 'report end' }])
    expect(tracking.stats().events.dropped.discarded).toBe(1)
  })
})

describe('the dispatch option', () => {
  async function tracked(dispatch: RecordingConfig['dispatch']) {
    const tracking = recorded({ dispatch })
    tracking.run(ada, (tracker) => tracker.track('run succeed'))
    await tracking.run(ada, async (tracker) => tracker.track('promise keep'))
    catching(() =>
      tracking.run(ada, (tracker) => {
        tracker.track('run throw')
        throw new Error('broken')
      }),
    )
    await tracking
      .run(ada, async (tracker) => {
        tracker.track('promise break')
        throw new Error('broken')
      })
      .catch(() => {})
    tracking.forSender(ada).track('sender track')
    await tracking.settled()
    return { names: tracking.calls.map((call) => 'event' in call && call.event), tracking }
  }

  const all = ['run succeed', 'promise keep', 'run throw', 'promise break', 'sender track']

  it('always takes all', async () => {
    expect((await tracked('always')).names).toEqual(all)
  })

  it('success means that the work did not throw', async () => {
    const { names, tracking } = await tracked('success')
    expect(names).toEqual(['run succeed', 'promise keep', 'sender track'])
    expect(tracking.stats().events.dropped.outcome).toBe(2)
  })

  it('gives a function an outcome without a status and without a route', async () => {
    const outcomes: Outcome[] = []
    const { names } = await tracked((outcome) => {
      outcomes.push(outcome)
      return outcome.aborted
    })
    expect(names).toEqual(['run throw', 'promise break'])
    expect(outcomes).toEqual(
      [false, false, true, true, false].map((aborted) => ({
        status: undefined,
        aborted,
        route: undefined,
        durationMs: expect.any(Number),
      })),
    )
  })
})

describe('bad input', () => {
  const work = () => 'never run'
  const calls: [string, unknown[], RegExp][] = [
    ['no work', [ada], /given undefined as work: expected a function/],
    ['a promise as work', [ada, Promise.resolve()], /given an array or another special object as work/],
    ['no sender', [undefined, work], /given undefined as sender: expected an object such as \{ user/],
    ['an id as sender', ['u-1', work], /given a string as sender/],
    ['a list as sender', [[], work], /as sender/],
    ['a user that is an id', [{ user: 'u-1' }, work], /sender\.user: a string; expected an object/],
    [
      'an empty id',
      [{ user: { id: '' } }, work],
      /sender\.user\.id as an empty string: expected a non-empty/,
    ],
    ['null as id', [{ user: { id: null } }, work], /sender\.user\.id as null/],
    ['an object as id', [{ user: { id: { toHexString: () => 'ff' } } }, work], /write id\.toHexString\(\)/],
    [
      'an id that is not a number',
      [{ user: { session: Number.NaN } }, work],
      /sender\.user\.session as a number/,
    ],
    [
      'a consent of strings',
      [{ consent: { analytics: 'true' } }, work],
      /sender\.consent\.analytics: a string; expected true or false/,
    ],
    ['a consent that is one', [{ consent: true }, work], /sender\.consent: a boolean; expected an object/],
    ['null as consent', [{ consent: null }, work], /sender\.consent: null/],
    ['a context that is none', [{ context: 'server' }, work], /sender\.context: a string/],
    ['a name that is none', [{ name: 42 }, work], /sender\.name: a number; expected a string/],
    ['a trace that is none', [{ trace: 'abc' }, work], /sender\.trace: a string; expected 32 lower-case hex/],
    ['an all-zero trace', [{ trace: '0'.repeat(32) }, work], /sender\.trace/],
    ['a generator function', [ada, function* () {}], /given a generator: its body would run after the end/],
    ['an async generator function', [ada, async function* () {}], /given a generator/],
    ['work that gives a generator', [ada, () => (function* () {})()], /given a generator/],
    ['work that gives an async generator', [ada, () => (async function* () {})()], /given a generator/],
  ]

  it.each(calls)('is refused with a TypeError: %s', (_what, args, message) => {
    const tracking = recorded()
    const { thrown } = catching(() => Reflect.apply(tracking.run, undefined, args))
    expect(thrown).toBeInstanceOf(TypeError)
    expect(String(thrown)).toMatch(message)
    expect(String(thrown)).toMatch(/^TypeError: tracking\.run\(\) was given /)
    expect(tracking.stats().events).toMatchObject({ tracked: 0, open: 0 })
  })

  it('is refused before the work has begun, and never keeps a shutdown waiting', async () => {
    const tracking = recorded()
    const begun = vi.fn()
    for (const sender of [undefined, { user: { id: '' } }, { consent: { analytics: 1 } }]) {
      catching(() => Reflect.apply(tracking.run, undefined, [sender, begun]))
    }
    catching(() => tracking.run(ada, () => (function* () {})()))
    expect(begun).not.toHaveBeenCalled()
    expect(await tracking.shutdown({ timeout: 2_000 })).toMatchObject({ timedOut: false })
  })

  it.each(['forSender', 'resume'] as const)('%s() names itself', (method) => {
    const { thrown } = catching(() => Reflect.apply(recorded()[method], undefined, []))
    expect(String(thrown)).toMatch(
      new RegExp(`^TypeError: tracking\\.${method}\\(\\) was given undefined as`),
    )
  })

  it('what is undefined is as good as absent', async () => {
    const tracking = recorded()
    const sender = {
      name: undefined,
      user: { id: undefined, session: 'a-1' },
      consent: { analytics: undefined },
      context: undefined,
      trace: undefined,
    }
    Reflect.apply(tracking.run, undefined, [sender, (tracker: Tracker) => tracker.track('report run')])
    await tracking.settled()
    expect(tracking.calls).toMatchObject([{ event: 'report run', anonymousId: 'a-1' }])
    expect(tracking.events).toMatchObject([{ consent: {} }])
  })
})

describe('a sender', () => {
  it('is copied: what is changed later changes nothing', async () => {
    const sender = {
      user: { id: 'u-1', plan: 'free' },
      consent: { analytics: true },
      context: { ip: '203.0.113.7', page: { path: '/a' } },
    }
    const tracking = recorded({ consent: { analytics: true } })
    await tracking.run(sender, async (tracker) => {
      tracker.track('report run')
      sender.user = { id: 'u-2', plan: 'team' }
      sender.consent.analytics = false
      sender.context.page.path = '/b'
    })
    await tracking.settled()
    expect(tracking.calls).toMatchObject([
      { userId: 'u-1', context: { ip: '203.0.113.7', page: { path: '/a' } } },
    ])
    expect(tracking.events).toMatchObject([
      { user: { id: 'u-1', plan: 'free' }, consent: { analytics: true } },
    ])
  })

  it('gives each call a context of its own', async () => {
    const tracking = recorded()
    tracking.run({ ...ada, context: { page: { path: '/a' } } }, (tracker) => {
      tracker.track('report begin')
      tracker.track('report end')
    })
    await tracking.settled()
    const [first, second] = tracking.calls
    expect(first?.context?.page).toEqual({ path: '/a' })
    expect(first?.context?.page).not.toBe(second?.context?.page)
  })

  it.each([
    ['a trace', '0af7651916cd43dd8448eb211c80319c'],
    ['a traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ])('has %s, which its events belong to', async (_what, trace) => {
    const tracking = recorded()
    tracking.run({ ...ada, trace }, (tracker) => tracker.track('report run'))
    await tracking.settled()
    expect(tracking.events).toMatchObject([{ source: { trace: '0af7651916cd43dd8448eb211c80319c' } }])
  })

  it('without a trace gets one that all events of the run share, and no other run has', async () => {
    const tracking = recorded()
    for (const _run of [1, 2]) {
      tracking.run(ada, (tracker) => {
        tracker.track('report begin')
        tracker.track('report end')
      })
    }
    await tracking.settled()
    const traces = tracking.events.map(({ source }) => source.trace)
    expect(traces).toEqual([traces[0], traces[0], traces[2], traces[2]])
    expect(new Set(traces).size).toBe(2)
    expect(traces[0]).toMatch(/^[\da-f]{32}$/)
  })

  it('sends a referrer with a click id only with marketing granted', async () => {
    const tracking = recorded()
    const context = { referrer: { id: 'gclid-1', type: 'google' } }
    tracking.run({ ...ada, context }, (tracker) => tracker.track('report run'))
    tracking.run({ ...ada, context, consent: { marketing: true } }, (tracker) => tracker.track('report run'))
    await tracking.settled()
    expect(tracking.calls.map((call) => call.context?.referrer)).toEqual([undefined, context.referrer])
  })

  it('has its numbers as ids turned to text', async () => {
    const tracking = recorded()
    tracking.run({ user: JSON.parse('{"id":42,"session":7}') }, (tracker) => {
      expect(tracker.identity).toEqual({ userId: '42', anonymousId: '7' })
      tracker.track('report run')
    })
    await tracking.settled()
    expect(tracking.calls).toMatchObject([{ userId: '42', anonymousId: '7' }])
  })
})

describe('a tracker of a run', () => {
  it('has every method of a request’s', async () => {
    const tracking = recorded()
    tracking.run(ada, ({ track, identify, group, page, screen, alias }: Tracker) => {
      track('report run')
      identify({ plan: 'free' })
      identify('u-2', { plan: 'team' })
      group('g-1', { name: 'Engines' })
      page('Home')
      screen({ category: 'Shop', name: 'Cart' })
      alias('a-0')
    })
    await tracking.settled()
    expect(tracking.failures).toEqual([])
    expect(tracking.calls.map(({ type, userId }) => [type, userId])).toEqual([
      ['track', 'u-1'],
      ['identify', 'u-1'],
      ['identify', 'u-2'],
      ['group', 'u-1'],
      ['page', 'u-1'],
      ['screen', 'u-1'],
      ['alias', 'u-1'],
    ])
  })

  it('has mapping, consent of events, misuse and the books of a request’s', async () => {
    const tracking = recorded({
      consent: { analytics: true },
      mapping: { order: { complete: { name: 'Order Completed' } } },
      settings: { consent: { analytics: 'Analytics', marketing: 'Advertising' } },
    })
    tracking.run(ada, (tracker) => {
      tracker.track('order complete', { total: 42 })
      tracker.track('order complete', { total: 1 }, { consent: { analytics: false } })
      tracker.group('')
    })
    await tracking.settled()
    expect(tracking.calls).toMatchObject([
      {
        event: 'Order Completed',
        properties: { total: 42 },
        context: { consent: { categoryPreferences: { Analytics: true, Advertising: false } } },
      },
    ])
    expect(tracking.stats().events).toMatchObject({
      tracked: 3,
      open: 0,
      dispatched: 1,
      dropped: { consent: 1, invalid: 1 },
    })
  })

  it('sends before the end what may go already: flush()', async () => {
    const tracking = recorded({ consent: { analytics: true } })
    await tracking.run(ada, async (tracker) => {
      tracker.track('report begin')
      tracker.track('report hold', {}, { consent: { analytics: false } })
      await tracker.flush()
      expect(tracking.calls).toMatchObject([{ event: 'report begin' }])
      tracker.track('report end')
      expect(tracking.calls).toHaveLength(1)
    })
    await tracking.settled()
    expect(tracking.calls).toHaveLength(2)
    expect(tracking.stats().events.dropped.consent).toBe(1)
  })
})

function catching(run: () => unknown): { thrown?: unknown } {
  try {
    run()
    return {}
  } catch (thrown) {
    return { thrown }
  }
}

function caught(thrown: unknown): { thrown: unknown } {
  return { thrown }
}
