import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import express4 from 'express4'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { TrackingConfig } from '../../src/index.js'
import { type InspectorOptions, inspector } from '../../src/inspector/index.js'
import type { RequestSummary, RequestView, Totals } from '../../src/inspector/view.js'
import { redisOutbox } from '../../src/redis/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { clientOf } from '../redis/clients.js'
import { startChild } from '../shutdown/child.js'
import { hasRedis, redisServer } from '../support/redis.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'
import { openStream } from './event-stream.js'
import { createShop, shopConfig, visitorWith } from './shop.js'

async function openShop(
  options?: InspectorOptions,
  config: Omit<TrackingConfig, 'settings'> & { settings?: Partial<TrackingConfig['settings']> } = {},
  given?: SegmentServer,
) {
  const segment = given ?? (await segmentServer())
  const settings = { ...shopConfig.settings, ...config.settings }
  const tracking = trackingTo(segment, { ...shopConfig, ...config, settings })
  const { url } = await serve(createShop(tracking, options))
  const mounted = `${url}/__reqtrack`
  const json = async <T>(path: string): Promise<T> =>
    JSON.parse(await (await fetch(`${mounted}${path}`)).text())
  const requests = () => json<RequestSummary[]>('/api/requests')
  return {
    segment,
    tracking,
    url,
    mounted,
    requests,
    totals: () => json<Totals>('/api/totals'),
    /** Makes a request of the shop. */
    async ask(path: string, init: RequestInit = { headers: visitorWith('a1') }): Promise<void> {
      const response = await fetch(url + path, init)
      await response.text()
    },
    /** Waits until a request to a path has ended, and its calls have their outcome. */
    async shown(path: string): Promise<RequestView> {
      const stream = await openStream(`${mounted}/stream`)
      const isMeant = (summary: RequestSummary) => summary.path === path
      await stream.find(({ requests }) => requests.some(isMeant))
      await tracking.flush()
      const number = (await requests()).findLast(isMeant)?.number
      await vi.waitFor(async () =>
        expect((await json<RequestView>(`/api/requests/${number}`)).who).toBeDefined(),
      )
      return json(`/api/requests/${number}`)
    },
  }
}

/** What the minutes come to: a test may run from one into the next. */
function inAll(minutes: Totals['minutes']): Record<string, number> {
  const all: Record<string, number> = {}
  for (const [name, count] of minutes.flatMap((minute) => Object.entries(minute))) {
    all[name] = (all[name] ?? 0) + count
  }
  return all
}

const order = (headers: Record<string, string>): RequestInit => ({ method: 'POST', headers })
const wayOf = (view: RequestView, index = 0) =>
  view.events[index]?.stages.map(({ state, note }) => (note === '' ? state : `${state}: ${note}`))

describe('the page', () => {
  it('is one document that may run its own script and nothing else', async () => {
    const { mounted } = await openShop()
    for (const address of [mounted, `${mounted}/`, `${mounted}?a=b`]) {
      const response = await fetch(address)
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      const text = await response.text()
      const policy = response.headers.get('content-security-policy') ?? ''
      const [, script = ''] = /<script type="module">([\s\S]*?)<\/script>/.exec(text) ?? []
      const [, styles = ''] = /<style>([\s\S]*?)<\/style>/.exec(text) ?? []
      const hash = (part: string) => createHash('sha256').update(part).digest('base64')
      expect(policy.split('; ')).toEqual([
        "default-src 'none'",
        `script-src 'sha256-${hash(script)}'`,
        `style-src 'sha256-${hash(styles)}'`,
        "connect-src 'self'",
        'img-src data:',
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ])
      expect(script.length).toBeGreaterThan(1000)
      expect(text).not.toMatch(/\son[a-z]+=|\ssrc=|style=/)
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
      expect(response.headers.get('cache-control')).toBe('no-store')
    }
  })

  it('only looks: other methods than GET and HEAD are refused, other paths are not its own', async () => {
    const { mounted } = await openShop()
    for (const path of ['/', '/stream', '/api/requests', '/api/totals', '/api/requests/1']) {
      const response = await fetch(mounted + path, { method: 'POST' })
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    }
    expect((await fetch(`${mounted}/stream`, { method: 'HEAD' })).status).toBe(200)
    expect((await fetch(`${mounted}/`, { method: 'HEAD' })).status).toBe(200)
    // Express's own answer.
    expect(await (await fetch(`${mounted}/api/other`)).text()).toContain('Cannot GET /__reqtrack/api/other')
    expect((await fetch(`${mounted}/api/requests/99999`)).status).toBe(404)
  })

  it('is served by Express 4', async () => {
    const segment = await segmentServer()
    const app = express4()
    app.use('/deep/__reqtrack', inspector(trackingTo(segment)))
    const { url } = await serve(app)
    expect(await (await fetch(`${url}/deep/__reqtrack`)).text()).toContain(
      '<title>reqtrack inspector</title>',
    )
    expect(await (await fetch(`${url}/deep/__reqtrack/api/requests`)).json()).toEqual([])
  })
})

describe('who may look', () => {
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  it('refuses to be mounted in production, unless it is told who may look', async () => {
    const tracking = trackingTo(await segmentServer())
    vi.stubEnv('NODE_ENV', 'production')
    expect(() => inspector(tracking)).toThrow(/expected an authorize function/)
    expect(() => inspector(tracking, { authorize: () => true })).not.toThrow()
  })

  it('asks authorize before anything is shown, and takes nothing but true for yes', async () => {
    const answers: [InspectorOptions['authorize'], number][] = [
      [({ headers }) => headers['x-key'] === 'right', 200],
      [async () => true, 200],
      [() => false, 403],
      [async () => false, 403],
      [() => JSON.parse('"yes"'), 403],
      [() => Promise.reject(new Error('no')), 403],
      [
        () => {
          throw new Error('no')
        },
        403,
      ],
    ]
    for (const [authorize, status] of answers) {
      const { mounted } = await openShop(authorize && { authorize })
      for (const path of ['', '/stream', '/api/requests', '/api/totals', '/api/requests/1']) {
        const abort = new AbortController()
        const response = await fetch(mounted + path, { headers: { 'x-key': 'right' }, signal: abort.signal })
        const allowed = path === '/api/requests/1' ? 404 : 200
        expect([path, response.status]).toEqual([path, status === 200 ? allowed : status])
        if (status === 403) expect(await response.text()).toContain('not open to you')
        abort.abort()
      }
    }
  })

  it('says what is wrong where it is mounted', async () => {
    const tracking = trackingTo(await segmentServer())
    expect(() => inspector(tracking, { capacity: 0 })).toThrow(/capacity is 0; expected a whole number/)
    expect(() => Reflect.apply(inspector, undefined, [{}])).toThrow(/inspector\(\) was given object/)
  })
})

describe('requests', () => {
  it('are told as they end, with who sent them and what they came to', async () => {
    const { mounted, ask } = await openShop()
    const stream = await openStream(`${mounted}/stream`)
    await stream.find(({ requests, capacity }) => requests.length === 0 && capacity === 500)
    await ask('/orders?secret=1', order({ ...visitorWith('a1'), 'x-user': 'ada' }))
    const { requests } = await stream.find((update) => update.requests.length > 0)
    expect(requests).toMatchObject([{ method: 'POST', path: '/orders', status: 201, route: '/orders' }])
    const { totals } = await stream.find((update) => update.totals.calls.delivered === 2)
    expect(totals.events).toMatchObject({ tracked: 1, dispatched: 1 })
    expect(totals.minutes).toHaveLength(30)
    expect(inAll(totals.minutes)).toMatchObject({ tracked: 1, delivered: 2, dropped: 0 })
    await stream.find((update) =>
      update.requests.some(
        ({ userId, anonymousId, events }) =>
          userId === 'ada' && anonymousId === 'a1' && events[0]?.state === 'delivered',
      ),
    )
  })

  it('show which reader gave each id and decided each choice, with or without events', async () => {
    const { ask, shown } = await openShop()
    const expected = {
      userId: { value: 'ada', reader: 'signedInUser' },
      anonymousId: { value: 'a1', reader: 'segmentCookie' },
      consent: [
        { key: 'analytics', value: true, reader: 'consentCookie' },
        { key: 'marketing', value: false, reader: 'globalPrivacyControl' },
      ],
    }
    const headers = {
      ...visitorWith('a1', { analytics: true, marketing: true }),
      'x-user': 'ada',
      'sec-gpc': '1',
    }
    await ask('/orders', order(headers))
    const withEvents = await shown('/orders')
    expect(withEvents.who).toMatchObject(expected)
    expect(withEvents.events[0]?.who).toEqual(withEvents.who)
    await ask('/style.css', { headers })
    const without = await shown('/style.css')
    expect(without).toMatchObject({
      who: expected,
      events: [],
      summary: { userId: 'ada', anonymousId: 'a1' },
    })
  })

  it('do not cost a reader anything where nobody inspects', async () => {
    const consent = vi.fn(() => ({ analytics: true }))
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { request: { consent } })
    const { url } = await serve((req, res) => {
      tracking.handle(req, res)
      res.end('ok')
    })
    await (await fetch(url)).text()
    await tracking.shutdown()
    expect(consent).not.toHaveBeenCalled()
  })

  it('are kept up to the capacity, the latest', async () => {
    const { ask, requests, mounted } = await openShop({ capacity: 3 })
    for (const number of [1, 2, 3, 4, 5]) await ask(`/products/P-${number}`)
    const stream = await openStream(`${mounted}/stream`)
    await stream.find((update) => update.requests.some(({ path }) => path === '/products/P-5'))
    expect((await requests()).map(({ path }) => path)).toEqual([
      '/products/P-3',
      '/products/P-4',
      '/products/P-5',
    ])
    const numbers = (await requests()).map(({ number }) => number)
    expect((await fetch(`${mounted}/api/requests/${(numbers[0] ?? 0) - 1}`)).status).toBe(404)
  })

  it('of the inspector itself are not shown', async () => {
    const { requests, mounted, ask } = await openShop()
    await (await fetch(mounted)).text()
    await (await fetch(`${mounted}/api/totals`)).text()
    await ask('/style.css')
    await vi.waitFor(async () => expect(await requests()).toHaveLength(1))
  })
})

describe("an event's way", () => {
  it('is shown up to Segment, with the rule, the identity, the calls and their batch', async () => {
    const { ask, shown, segment } = await openShop()
    await ask('/orders', order({ ...visitorWith('a1'), 'x-user': 'ada' }))
    const view = await shown('/orders')
    expect(wayOf(view)).toEqual([
      'passed',
      'passed: analytics',
      'passed: order complete',
      'passed: ada',
      'passed: all new',
      'passed: identify, track',
      'passed: delivered',
    ])
    const [event] = view.events
    expect(event?.state).toBe('delivered')
    expect(JSON.parse(event?.json ?? '')).toMatchObject({ name: 'order complete', data: { total: 42 } })
    expect(event?.calls.map(({ label, state }) => [label, state])).toEqual([
      ['identify', 'delivered'],
      ['track Order Completed', 'delivered'],
    ])
    for (const [index, call] of event?.calls.entries() ?? []) {
      // What Segment got, except for what the SDK adds.
      const { _metadata, ...received } = Object(segment.calls[index])
      expect(received).toMatchObject(JSON.parse(call.json))
      expect(call.batches).toMatchObject([
        { answer: '200 OK', ok: true, size: 2, others: [{ request: view.summary.number }] },
      ])
    }
  })

  it('says that Segment knows something already, and which method asked for a call', async () => {
    const { ask, shown } = await openShop({}, { mapping: { page: { view: { silent: true } } } })
    await ask('/track/page%20view')
    await ask('/newsletter', order(visitorWith('a1')))
    expect(wayOf(await shown('/newsletter'))).toEqual([
      'passed',
      'passed: analytics',
      'passed: tracker.identify()',
      'passed: a1',
      'passed: all new',
      'passed: identify',
      'passed: delivered',
    ])
    await ask('/track/page%20view,page%20view')
    await ask('/track/page%20view,page%20view,page%20view')
    const known = await shown('/track/page%20view,page%20view,page%20view')
    expect(known.events[2]).toMatchObject({
      state: 'known',
      reason: 'nothing is sent: Segment knows all that it says already.',
    })
    expect(wayOf(known, 2)?.slice(4)).toEqual(['passed: 1 spared', 'unreached', 'unreached'])
  })

  it('says that the same message is on its way', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const { ask, shown, tracking } = await openShop({}, { settings: { flushAt: 1 } }, segment)
    await ask('/payments', order(visitorWith('a1')))
    await vi.waitUntil(() => tracking.stats().calls.pending > 0)
    await ask('/payments', order(visitorWith('a1')))
    await vi.waitUntil(() => tracking.stats().events.dispatched === 2)
    await segment.start()
    const repeated = await shown('/payments')
    expect(repeated.events[0]).toMatchObject({
      state: 'known',
      reason: 'nothing is sent: the same message, of an event with its name and key, is on its way already.',
      calls: [],
    })
    // The identify is spared besides.
    expect(wayOf(repeated)?.slice(4)).toEqual(['passed: 2 spared', 'unreached', 'unreached'])
  })

  it('is that of the later one, where an earlier event has made the same messages', async () => {
    const { ask, shown, segment, tracking } = await openShop({ capacity: 2 }, { settings: { flushAt: 1 } })
    await ask('/payments', order(visitorWith('a1')))
    await shown('/payments')
    await segment.stop()
    await ask('/payments', order(visitorWith('a1')))
    await vi.waitUntil(() => tracking.stats().calls.pending > 0)
    // The first one is no longer kept.
    await ask('/orders', order(visitorWith('a1')))
    await vi.waitUntil(() => tracking.stats().events.dispatched === 3)
    await segment.start()
    expect(wayOf(await shown('/payments'))?.slice(5)).toEqual(['passed: track', 'passed: delivered'])
  })

  const drops: [
    what: string,
    path: string,
    headers: Record<string, string>,
    way: string[],
    reason: string,
  ][] = [
    [
      'consent',
      '/products/P-1',
      visitorWith('a1', { analytics: false, functional: true }),
      ['passed', 'stopped: denied'],
      'dropped: consent. `config.consent` needs analytics or marketing; this visitor has granted ' +
        'functional (consentCookie) and refused analytics (consentCookie).',
    ],
    [
      'the consent of a rule',
      '/track/offer%20show',
      visitorWith('a1'),
      ['passed', 'stopped: denied'],
      'dropped: consent. The rule `offer show` needs marketing; this visitor has granted ' +
        'analytics (consentCookie) and refused marketing (consentCookie).',
    ],
    [
      'unknown consent',
      '/products/P-1',
      { cookie: 'ajs_anonymous_id=a1' },
      ['passed', 'stopped: denied'],
      'dropped: consent. `config.consent` needs analytics or marketing; no reader knows any choice of this visitor, ' +
        'and unknown is not granted.',
    ],
    [
      'identity',
      '/products/P-1',
      { cookie: visitorWith('').cookie?.replace('ajs_anonymous_id=;', '') ?? '' },
      ['passed', 'passed: analytics', 'passed: product view', 'stopped: nobody'],
      'dropped: identity. Nobody to tell about',
    ],
    [
      'a rule that ignores it',
      '/track/debug%20x',
      visitorWith('a1'),
      ['passed', 'passed', 'stopped: debug *'],
      'dropped: ignored. The rule `debug *` ignores it',
    ],
    [
      'a sample',
      '/track/pixel%20load',
      visitorWith('a1'),
      ['passed', 'passed: analytics', 'stopped: pixel load'],
      'dropped: sampled. Its visitor is not in the sample that the rule `pixel load` asks for.',
    ],
    [
      'beforeSend',
      '/track/secret%20tell',
      visitorWith('a1'),
      ['passed', 'passed: analytics', 'passed: no rule', 'passed: a1', 'passed: all new', 'stopped: none'],
      'dropped: withheld. `config.beforeSend` withheld its calls',
    ],
    [
      'an invalid name',
      '/track/walker%20user',
      visitorWith('a1'),
      ['stopped: invalid'],
      'dropped: invalid. Its name is empty, longer than 255 characters or a walkerOS command',
    ],
    [
      'discard()',
      '/track/page%20view?discard=1',
      visitorWith('a1'),
      ['stopped: discarded'],
      'dropped: discarded. The handler called `tracker.discard()`.',
    ],
  ]
  it.each(drops)(
    'shows where it stopped, and why, in words: %s',
    async (_what, path, headers, way, reason) => {
      const { ask, shown, totals } = await openShop()
      await ask(path, { headers })
      const view = await shown(path.replace(/\?.*/, ''))
      expect(view.events).toHaveLength(1)
      expect(view.events[0]?.state).toBe('dropped')
      expect(wayOf(view)).toEqual([...way, ...Array(7 - way.length).fill('unreached')])
      expect(view.events[0]?.reason).toContain(reason)
      expect(inAll((await totals()).minutes)).toMatchObject({ tracked: 1, dropped: 1 })
    },
  )

  it('shows what the outcome of a request stopped', async () => {
    const { ask, shown } = await openShop({}, { dispatch: 'success' })
    await ask('/track/page%20view')
    await ask('/nowhere')
    const other = await openShop({}, { dispatch: ({ status }) => status === 500 })
    await other.ask('/track/page%20view')
    const view = await other.shown('/track/page%20view')
    expect(view.events[0]?.reason).toContain('does not want a request that ended with status 200')
    expect((await shown('/nowhere')).summary).toMatchObject({ status: 404, events: [] })
  })

  it('shows a run by its name, with who it was for and how it ended', async () => {
    const { tracking, shown } = await openShop({}, { dispatch: 'success' })
    const sender = {
      name: 'invoice worker',
      user: { id: 'u-1', session: 'a-1' },
      consent: async () => ({ analytics: true, marketing: false }),
    }
    tracking.run(sender, (tracker) => tracker.track('order complete', { total: 42 }))
    const view = await shown('invoice worker')
    expect(view.summary).toMatchObject({
      scope: 'run',
      method: 'run',
      path: 'invoice worker',
      end: 'done',
      userId: 'u-1',
      anonymousId: 'a-1',
      events: [{ name: 'order complete', state: 'delivered' }],
    })
    expect(view.summary.status ?? view.summary.route).toBeUndefined()
    expect(view.who).toEqual({
      userId: { value: 'u-1', reader: 'sender' },
      anonymousId: { value: 'a-1', reader: 'sender' },
      consent: [
        { key: 'analytics', value: true, reader: 'sender' },
        { key: 'marketing', value: false, reader: 'sender' },
      ],
    })
    expect(wayOf(view)?.at(-1)).toBe('passed: delivered')

    const failing = tracking.run({ ...sender, name: 'mail worker' }, async (tracker) => {
      tracker.track('mail send')
      throw new Error('no mail today')
    })
    await expect(failing).rejects.toThrow('no mail today')
    const failed = await shown('mail worker')
    expect(failed.summary).toMatchObject({ method: 'run', end: 'failed' })
    expect(failed.events[0]?.reason).toContain('does not want a run that ended with an exception')
  })

  it('shows what a sender without an end does, the latest of it', async () => {
    const { tracking, shown, requests } = await openShop()
    let isGranted = true
    const tracker = tracking.forSender({
      name: 'chat socket',
      user: { id: 'u-1' },
      consent: () => ({ analytics: isGranted }),
    })
    expect(await requests()).toEqual([])
    for (let event = 0; event < 149; event++) tracker.track('message send', { event })
    isGranted = false
    tracker.track('message edit')
    const view = await shown('chat socket')
    expect(view.summary).toMatchObject({ scope: 'sender', method: 'sender', end: 'done', more: 140 })
    expect(view.events).toHaveLength(100)
    expect(view.events.at(-1)).toMatchObject({ name: 'message edit', state: 'dropped' })
    expect(view.events.at(-2)).toMatchObject({ name: 'message send', state: 'delivered' })
    expect(view.who?.consent).toEqual([{ key: 'analytics', value: false, reader: 'sender' }])
  })

  it.skipIf(!hasRedis)('shows what waits in an outbox of all processes, where it can tell', async () => {
    const redis = await redisServer({})
    const { client } = await clientOf(redis.url)
    const { ask, mounted, tracking, totals } = await openShop(
      {},
      { delivery: { outbox: redisOutbox({ client }), send: false } },
    )
    const stream = await openStream(`${mounted}/stream`)
    await ask('/products/P-1')
    await tracking.flush()
    const { made } = tracking.stats().calls
    await stream.find((update) => made > 0 && update.totals.outbox?.calls === made)
    expect((await totals()).outbox).toEqual({ calls: made, oldestAt: expect.any(Number) })
    const without = await openShop()
    await without.ask('/products/P-1')
    expect(await without.totals()).not.toHaveProperty('outbox')
  })

  it('shows that a call is being tried again, and then that it failed, with every answer', async () => {
    const { ask, shown, segment, mounted, totals } = await openShop({}, { settings: { maxRetries: 1 } })
    segment.respondWith([{ status: 503 }])
    const stream = await openStream(`${mounted}/stream`)
    await ask('/products/P-1')
    await stream.find(({ requests }) => requests.some(({ events }) => events[0]?.state === 'retrying'))
    const recovered = await shown('/products/P-1')
    expect(recovered.events[0]?.calls[0]?.batches.map(({ answer, ok }) => [answer, ok])).toEqual([
      ['503 Service Unavailable', false],
      ['200 OK', true],
    ])
    expect((await totals()).requests).toMatchObject({ unsuccessful: 1 })
    segment.respondWith({ status: 400 })
    await ask('/products/P-2')
    const failed = await shown('/products/P-2')
    expect(failed.events[0]).toMatchObject({ state: 'failed' })
    expect(wayOf(failed)?.at(-1)).toBe('stopped: failed')
    expect(failed.events[0]?.calls[0]?.reason).toContain('refused the call itself')
  })

  it('goes on after the end of its request', async () => {
    const { ask, shown } = await openShop()
    await ask('/export')
    await vi.waitFor(async () => expect((await shown('/export')).events[0]?.state).toBe('delivered'))
  })
})

describe('what it never does', () => {
  it('never shows the write key', async () => {
    const { ask, mounted, shown, segment } = await openShop({}, { settings: { writeKey: 'the-secret-key' } })
    segment.respondWith([{ status: 503 }, { status: 400 }])
    await ask('/orders', order(visitorWith('a1')))
    const { summary } = await shown('/orders')
    const stream = await openStream(`${mounted}/stream`)
    const answers = await Promise.all(
      ['', '/api/requests', '/api/totals', `/api/requests/${summary.number}`].map(async (path) =>
        (await fetch(mounted + path)).text(),
      ),
    )
    expect(answers.join() + JSON.stringify(stream.updates)).not.toContain('the-secret-key')
    expect(answers.join()).toContain('Order Completed')
  })

  it('never holds up a shutdown: streams end when it begins', async () => {
    const { mounted, tracking } = await openShop()
    const stream = await openStream(`${mounted}/stream`)
    const report = await tracking.shutdown()
    await stream.ended
    expect(report).toMatchObject({ timedOut: false })
    expect((await fetch(`${mounted}/stream`)).status).toBe(503)
  })

  it('never holds up the server of a process that is told to end', async () => {
    const segment = await segmentServer()
    const fixture = fileURLToPath(new URL('./fixtures/served.ts', import.meta.url))
    const child = startChild(fixture, { segment: segment.url })
    const [ready] = await child.tell('ready')
    const stream = await openStream(`http://127.0.0.1:${ready?.ports[0]}/__reqtrack/stream`)
    const signalled = child.signal('SIGTERM')
    const { code, at } = await child.exited
    expect(code).toBe(0)
    // The hook's own deadline for servers is 8 s.
    expect(at - signalled).toBeLessThan(4_000)
    await stream.ended
  })
})
