import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import type { DroppedEvent, Tracker, TrackingConfig } from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

async function started(config: Omit<TrackingConfig, 'settings'> = {}, settings = {}) {
  const segment = await segmentServer()
  const drops: DroppedEvent[] = []
  const errors: string[] = []
  const tracking = trackingTo(segment, {
    logger: { handler: (_level, message) => errors.push(message) },
    ...config,
    settings,
    on: { dropped: (dropped) => drops.push(dropped), ...config.on },
  })
  return { segment, drops, errors, tracking, inRequest: await requestsOf(tracking) }
}

function fail(): never {
  throw new Error('from inside of a value')
}

/** Values that throw wherever they are looked into. */
const hostile: [string, () => unknown][] = [
  [
    'a getter that throws',
    () => ({
      name: 'order view',
      get data() {
        return fail()
      },
      get properties() {
        return fail()
      },
    }),
  ],
  [
    'a name that throws',
    () => ({
      get name() {
        return fail()
      },
    }),
  ],
  ['a proxy that throws', () => new Proxy({}, { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail })],
  [
    'a proxy that was revoked',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    },
  ],
  [
    'a list that was revoked',
    () => {
      const { proxy, revoke } = Proxy.revocable([], {})
      revoke()
      return proxy
    },
  ],
  ['a then that throws', () => Object.defineProperty({}, 'then', { get: fail })],
  ['a symbol', () => Symbol('order view')],
  ['null', () => null],
  ['a function', () => fail],
]

/** Everything that a tracker can be called with, called with a value that does not belong there. */
function callsWith(tracker: Tracker, make: () => unknown): (() => void)[] {
  // What JavaScript lets through.
  const value = make() as never
  return [
    () => tracker.track(value),
    () => tracker.track('order view', value),
    () => tracker.track('order view', {}, value),
    () => tracker.track('order view', value, value),
    () => tracker.track({ name: 'order view', data: value, user: value, consent: value, nested: value }),
    () => tracker.identify(value),
    () => tracker.identify('u-1', value),
    () => tracker.group(value),
    () => tracker.group('acme', value),
    () => tracker.page(value),
    () => tracker.screen({ properties: value, name: value }),
    () => tracker.alias(value),
    () => tracker.user(value),
    () => tracker.consent(value),
    () => tracker.waitUntil(value),
  ]
}

describe('tracker.track()', () => {
  it('takes a name and data, a name with data and more, and a whole event', async () => {
    const { segment, tracking, inRequest } = await started({ include: ['context', 'globals'] })
    await inRequest(({ track }) => {
      track('order view')
      track('order complete', { total: 42 }, { context: { stage: ['checkout', 0] } })
      track({ name: 'order refund', data: { total: -42 }, globals: { shop: 'berlin' }, timestamp: 0 })
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toMatchObject([
      { event: 'order view', properties: {} },
      { event: 'order complete', properties: { total: 42, context_stage: 'checkout' } },
      {
        event: 'order refund',
        properties: { total: -42, globals_shop: 'berlin' },
        timestamp: '1970-01-01T00:00:00.000Z',
      },
    ])
  })

  it.each([
    [undefined, 'missing'],
    ['', 'is empty'],
    [' ', 'white space alone'],
    ['walker user', 'walkerOS command'],
    [42, 'a number'],
  ])('drops %j as invalid and says why', async (name, why) => {
    const { tracking, inRequest, drops, errors } = await started()
    // @ts-expect-error: what JavaScript lets through.
    await inRequest((tracker) => tracker.track(name, { total: 42 }), visitor('s1'))
    expect(drops.map(({ reason }) => reason)).toEqual(['invalid'])
    expect(errors.join()).toContain(why)
    expect(tracking.stats().events).toMatchObject({ tracked: 1, open: 0, dropped: { invalid: 1 } })
  })

  it('points at the call in development', async () => {
    vi.stubEnv('NODE_ENV', 'development')
    const stacks: unknown[] = []
    const { inRequest } = await started({
      logger: { handler: (_l, _m, context) => stacks.push(context.stack) },
    })
    await inRequest(function theHandler(tracker) {
      tracker.track('')
    }, visitor('s1'))
    vi.unstubAllEnvs()
    expect(String(stacks[0]).split('\n')[1]).toContain('theHandler')
  })

  it('copies what it is given, so that later changes do not count', async () => {
    const { segment, tracking, inRequest } = await started()
    await inRequest((tracker) => {
      const data = { total: 42, list: [1] }
      tracker.track('order complete', data)
      data.total = 0
      data.list.push(2)
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls[0]).toMatchObject({ properties: { total: 42, list: [1] } })
  })

  it.each(hostile)('never throws for %s, and books it', async (_what, make) => {
    const thrown: unknown[] = []
    const { segment, tracking, inRequest } = await started()
    await inRequest((tracker) => {
      for (const call of callsWith(tracker, make)) {
        try {
          call()
        } catch (error) {
          thrown.push(error)
        }
      }
      tracker.track('order complete')
    }, visitor('s1'))
    await tracking.flush()
    expect(thrown).toEqual([])
    const { tracked, open, dispatched, dropped } = tracking.stats().events
    expect({ open, sum: dispatched + sum(dropped) }).toEqual({ open: 0, sum: tracked })
    expect(segment.calls).toContainEqual(expect.objectContaining({ event: 'order complete', properties: {} }))
  })

  it('drops data over 32 KB at once and says so once', async () => {
    const { tracking, inRequest, drops, errors } = await started()
    await inRequest((tracker) => {
      for (let index = 0; index < 3; index++) tracker.track('order complete', { text: 'x'.repeat(33 * 1024) })
    }, visitor('s1'))
    expect(drops.map(({ reason }) => reason)).toEqual(['too-large', 'too-large', 'too-large'])
    expect(errors.filter((error) => error.includes('32 KB'))).toHaveLength(1)
    expect(tracking.stats().events.open).toBe(0)
  })

  it('counts bytes and not characters', async () => {
    const { tracking, inRequest } = await started()
    await inRequest((tracker) => {
      tracker.track('order complete', { text: '€'.repeat(11 * 1024) })
      tracker.track('order complete', { text: 'a'.repeat(31 * 1024) })
    }, visitor('s1'))
    await tracking.flush()
    expect(tracking.stats()).toMatchObject({
      events: { dropped: { 'too-large': 1 } },
      calls: { delivered: 1 },
    })
  })

  it('fails a call that has grown over 32 KB by what was added', async () => {
    const { tracking, inRequest } = await started()
    const headers = { ...visitor('s1'), 'user-agent': 'x'.repeat(400) }
    await inRequest((tracker) => tracker.track('order complete', { text: 'a'.repeat(32_700) }), headers)
    await tracking.flush()
    expect(tracking.stats().calls).toMatchObject({ made: 1, failed: { 'too-large': 1 } })
  })

  it('leaves out what JSON cannot hold, warns, and delivers the rest and its batch-mates', async () => {
    const { segment, tracking, inRequest, errors } = await started()
    const circular: Record<string, unknown> = { total: 1 }
    circular.self = circular
    await inRequest((tracker) => {
      tracker.track('order complete', { ok: 1, big: 1n })
      tracker.track('order complete', circular)
      tracker.track('order complete', {
        ok: 2,
        get bad(): never {
          throw new Error('secret')
        },
      })
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls.map((call) => 'properties' in call && call.properties)).toEqual([
      { ok: 1, big: '1' },
      { total: 1 },
      { ok: 2 },
    ])
    expect(errors.join()).toMatch(/data: self is circular.*data: bad threw/)
    expect(errors.join()).not.toContain('secret')
  })

  it('gives every call an id of its own that nobody else has', async () => {
    const { segment, tracking, inRequest } = await started(
      {},
      { identify: { map: { traits: { map: { a: 'data.a' } } } } },
    )
    await inRequest((tracker) => {
      tracker.track('order complete', { a: 1 })
      tracker.track({ name: 'order complete', data: { a: 2 }, id: '0123456789abcdef' })
    }, visitor('s1'))
    await tracking.flush()
    const ids = segment.calls.map(({ messageId }) => messageId ?? '')
    expect(new Set(ids).size).toBe(4)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}-(track|identify)$/)
    expect(ids[0]?.slice(0, 32)).toBe(ids[1]?.slice(0, 32))
  })
})

describe('who did it', () => {
  it('is read when the event is tracked, and stays although a logout follows', async () => {
    const { segment, tracking, inRequest } = await started()
    await inRequest((tracker, req) => {
      Object.assign(req, { user: { id: 'alice' } })
      tracker.track('user logout')
      Object.assign(req, { user: null })
      tracker.track('page view')
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls.map(({ userId }) => userId)).toEqual(['alice', undefined])
  })

  it('is filled in at the end where it lacked, as after a login', async () => {
    const { segment, tracking, inRequest } = await started()
    await inRequest((tracker, req) => {
      tracker.track('login submit')
      Object.assign(req, { user: { id: 'alice' } })
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls[0]).toMatchObject({ userId: 'alice', anonymousId: 's1' })
  })

  it('is what the handler says with tracker.user(), merged', async () => {
    const { segment, tracking, inRequest } = await started({ include: ['user'] })
    await inRequest((tracker) => {
      tracker.user({ id: 'alice', email: 'a@example.com' })
      tracker.user({ country: 'DE' })
      tracker.track('page view')
      expect(tracker.identity).toEqual({ userId: 'alice', anonymousId: 's1' })
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls[0]).toMatchObject({
      userId: 'alice',
      properties: { user_email: 'a@example.com', user_country: 'DE' },
    })
  })

  it('keeps the details of one person from the next who signs in', async () => {
    const { segment, tracking, inRequest } = await started({ include: ['user'] })
    await inRequest((tracker) => {
      tracker.user({ id: 'alice', email: 'alice@example.com' })
      tracker.track('user logout')
      tracker.user({ id: 'bob', email: 'bob@example.com', phone: '1' })
      tracker.track('user login')
    })
    await tracking.flush()
    expect(segment.calls[0]).toMatchObject({
      userId: 'alice',
      properties: { user_email: 'alice@example.com' },
    })
    expect(segment.calls[0]).not.toHaveProperty('properties.user_phone')
    expect(segment.calls[1]).toMatchObject({ userId: 'bob', properties: { user_email: 'bob@example.com' } })
  })

  it('ties neither the anonymousId nor the details of who edits to who is edited', async () => {
    const { segment, tracking, inRequest } = await started({
      include: ['user'],
      request: { user: () => ({ device: 'of the admin' }) },
    })
    await inRequest((tracker, req) => {
      Object.assign(req, { user: { id: 'admin' } })
      tracker.identify('customer', { plan: 'paid' })
      tracker.track('plan change', {}, { user: { id: 'customer' } })
      tracker.identify('admin', { role: 'admin' })
      tracker.track('page view')
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls.map(({ userId, anonymousId }) => [userId, anonymousId])).toEqual([
      ['customer', undefined],
      ['customer', undefined],
      ['admin', 's1'],
      ['admin', 's1'],
    ])
    const devices = segment.calls.map((call) => call.type === 'track' && call.properties?.user_device)
    expect(devices).toEqual([false, undefined, false, 'of the admin'])
  })

  it('may be answered later, without holding the response up', async () => {
    let answer: (id: string) => void = () => {}
    const asked = new Promise<string>((resolve) => {
      answer = resolve
    })
    const { segment, tracking, inRequest } = await started({
      request: { userId: [() => asked, () => 'fallback'] },
    })
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    expect(tracking.stats().events.open).toBe(1)
    answer('alice')
    await tracking.flush()
    expect(segment.calls[0]).toMatchObject({ userId: 'alice' })
  })

  it('counts as unknown where a reader throws, rejects or takes over two seconds', async () => {
    const errors: unknown[] = []
    const { segment, tracking, inRequest } = await started({
      request: {
        userId: [
          () => {
            throw new Error('throws')
          },
          () => Promise.reject(new Error('rejects')),
          () => new Promise(() => {}),
          () => ({ id: 'an object' }) as never,
          () => 'fallback',
        ],
      },
      on: { error: (error) => errors.push(error) },
    })
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.flush()
    expect(segment.calls[0]).toMatchObject({ userId: 'fallback' })
    expect(errors.length).toBeGreaterThanOrEqual(2)
  })
})

describe('readers that never answer', () => {
  it('are waited for all at once, however many they are and however many events', async () => {
    const never = () => new Promise<never>(() => {})
    const { segment, inRequest } = await started({
      request: {
        userId: [never, never],
        anonymousId: [never, () => 'fallback'],
        user: never,
        consent: [never, async () => ({ analytics: true })],
        skip: [never, never],
      },
      consent: { analytics: true },
    })
    await inRequest((tracker) => {
      for (let index = 0; index < 5; index++) tracker.track('page view')
    })
    // One after the other they would take half a minute.
    const calls = await segment.waitFor(5, 10_000)
    expect(calls.map(({ anonymousId }) => anonymousId)).toEqual(Array(5).fill('fallback'))
  })
})

describe('consent', () => {
  const gated = { consent: { analytics: true } }

  it('is unknown by default, and unknown is not granted', async () => {
    const { drops, tracking, inRequest } = await started(gated)
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.flush()
    expect(drops).toMatchObject([{ reason: 'consent', required: { analytics: true } }])
  })

  it('of the handler holds for the whole request: a grant frees what was tracked before, a refusal stops it', async () => {
    const { segment, tracking, inRequest } = await started({
      ...gated,
      request: { consent: (request) => ({ analytics: request.headers['x-consent'] === 'yes' }) },
    })
    await inRequest((tracker) => {
      tracker.track('page view')
      tracker.consent({ analytics: true })
    }, visitor('granted'))
    await inRequest(
      (tracker) => {
        tracker.track('page view')
        tracker.consent({ analytics: false })
      },
      { ...visitor('refused'), 'x-consent': 'yes' },
    )
    await tracking.flush()
    expect(segment.calls.map(({ anonymousId }) => anonymousId)).toEqual(['granted'])
  })

  it('of an event goes before that of its request', async () => {
    const { segment, tracking, inRequest } = await started({
      ...gated,
      request: { consent: () => ({ analytics: true }) },
    })
    await inRequest((tracker) => {
      tracker.track('page view', {}, { consent: { analytics: false } })
      tracker.track('order complete')
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ event: 'order complete' }])
  })

  it('of several readers is merged in order', async () => {
    const { segment, tracking, inRequest } = await started(
      {
        request: {
          consent: [() => ({ a: true, b: true }), async () => ({ b: false, c: true }), () => undefined],
        },
      },
      { consent: { a: 'A', b: 'B', c: 'C' } },
    )
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.flush()
    expect(segment.calls[0]?.context).toMatchObject({
      consent: { categoryPreferences: { A: true, B: false, C: true } },
    })
  })
})

describe('the tracker’s own calls', () => {
  it('reach Segment as what they are', async () => {
    const { segment, tracking, inRequest } = await started()
    await inRequest((tracker, req) => {
      Object.assign(req, { user: { id: 'alice' } })
      tracker.identify({ plan: 'free' })
      tracker.group('acme', { name: 'Acme' })
      tracker.page({ category: 'docs', name: 'Start', properties: { section: 1 } })
      tracker.screen({ name: 'Welcome' })
      tracker.alias('before')
    }, visitor('s1'))
    await tracking.flush()
    const who = { userId: 'alice', anonymousId: 's1' }
    expect(segment.calls).toMatchObject([
      { type: 'identify', ...who, traits: { plan: 'free' } },
      { type: 'group', ...who, groupId: 'acme', traits: { name: 'Acme' } },
      { type: 'page', ...who, name: 'Start', category: 'docs', properties: { section: 1 } },
      { type: 'screen', ...who, name: 'Welcome' },
      { type: 'alias', userId: 'alice', previousId: 'before' },
    ])
  })

  it('are dropped as invalid without an id, and an alias as nobody’s without a userId', async () => {
    const { drops, tracking, inRequest, errors } = await started()
    await inRequest((tracker) => {
      tracker.identify('')
      tracker.group('')
      // @ts-expect-error: what JavaScript lets through.
      tracker.alias({ id: 1 })
      tracker.alias('before')
    }, visitor('s1'))
    await tracking.flush()
    expect(drops.map(({ reason }) => reason)).toEqual(['invalid', 'invalid', 'invalid', 'identity'])
    expect(errors.join()).toMatch(/identify\(userId\).*group\(groupId\).*alias\(previousId\)/)
    expect(tracking.stats().events.tracked).toBe(4)
  })

  it('pass the consent gate, but no mapping rule', async () => {
    const { segment, tracking, inRequest } = await started({
      mapping: { '*': { '*': { ignore: true } } },
      consent: { analytics: true },
      request: { consent: (request) => ({ analytics: request.headers['x-consent'] === 'yes' }) },
    })
    await inRequest((tracker) => tracker.page({ name: 'granted' }), { ...visitor('s1'), 'x-consent': 'yes' })
    await inRequest((tracker) => tracker.page({ name: 'refused' }), visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ type: 'page', name: 'granted' }])
  })
})

describe('what a request comes to', () => {
  it('is known of a request that the application froze, at once or after its beginning', async () => {
    const { segment, tracking } = await started()
    for (const freezesFirst of [true, false]) {
      const request = new IncomingMessage(new Socket())
      request.headers = visitor('s1')
      const response = new ServerResponse(request)
      if (freezesFirst) Object.freeze(request)
      tracking.handle(request, response).track('page view')
      Object.freeze(request)
      response.emit('close')
    }
    await segment.waitFor(2)
    expect(tracking.stats().events).toMatchObject({ tracked: 2, open: 0, dispatched: 2 })
  })

  it('is nothing after discard()', async () => {
    const { segment, tracking, inRequest, drops } = await started()
    await inRequest((tracker) => {
      tracker.track('order complete')
      tracker.identify('alice')
      tracker.discard()
      tracker.track('order refund')
    }, visitor('s1'))
    await tracking.flush()
    expect(drops.map(({ reason }) => reason)).toEqual(['discarded', 'discarded'])
    expect(segment.calls).toMatchObject([{ event: 'order refund' }])
  })

  it('is dispatched a few events at a time, so that others have their turn', async () => {
    let turn = 0
    const turns: number[] = []
    const { tracking, inRequest } = await started({ dispatch: () => turns.push(turn) < 0 })
    const next = () => {
      turn++
      if (turns.length < 1_000) setImmediate(next)
    }
    await inRequest((tracker) => {
      for (let event = 0; event < 1_000; event++) tracker.track('page view')
      next()
    }, visitor('s1'))
    await tracking.flush()
    const most = Math.max(...turns.map((one) => turns.filter((other) => other === one).length))
    expect(turns).toHaveLength(1_000)
    expect(most).toBeLessThanOrEqual(256)
  })

  it('is dispatched on success only, or as a predicate says', async () => {
    const track = (dispatch: TrackingConfig['dispatch']) => async () => {
      const { segment, tracking, inRequest, drops } = await started({ dispatch })
      for (const status of [200, 404, 500]) {
        await inRequest(
          (tracker, _req, res) => {
            res.statusCode = status
            tracker.track('page view')
          },
          visitor(`s${status}`),
        )
      }
      await tracking.flush()
      expect(drops.every(({ reason }) => reason === 'outcome')).toBe(true)
      return segment.calls.map(({ anonymousId }) => anonymousId)
    }
    expect(await track('always')()).toEqual(['s200', 's404', 's500'])
    expect(await track('success')()).toEqual(['s200'])
    expect(await track(({ status = 0 }) => status >= 500)()).toEqual(['s500'])
  })

  it('is dropped as an error where the predicate answers with a promise, which is true whatever it comes to', async () => {
    const { tracking, inRequest, drops, errors } = await started({ dispatch: (async () => false) as never })
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.flush()
    expect(drops.map(({ reason }) => reason)).toEqual(['error'])
    expect(errors.join()).toContain('could not be dispatched')
  })

  it('is dropped where a skip reader says so', async () => {
    const { tracking, inRequest, drops } = await started({
      request: { skip: [() => false, async (request) => request.headers['x-health'] === '1'] },
    })
    await inRequest((tracker) => tracker.track('page view'), { ...visitor('s1'), 'x-health': '1' })
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.flush()
    expect(drops.map(({ reason }) => reason)).toEqual(['skipped'])
    expect(tracking.stats().calls.delivered).toBe(1)
  })

  it('includes what is tracked after the end, with the request’s user and consent', async () => {
    const { segment, tracking, inRequest } = await started({
      consent: { analytics: true },
      request: { consent: () => ({ analytics: true }) },
    })
    let later: () => void = () => {}
    await inRequest((tracker, req) => {
      Object.assign(req, { user: { id: 'alice' } })
      later = () => tracker.track('invoice send')
    }, visitor('s1'))
    later()
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ event: 'invoice send', userId: 'alice', anonymousId: 's1' }])
  })
})
