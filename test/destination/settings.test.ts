import { generateKeyPairSync } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { FetchHTTPClient } from '@segment/analytics-node'
import { describe, expect, it } from 'vitest'
import { createTracking } from '../../src/index.js'
import { createSegmentServer } from '../../src/testing/index.js'
import { type InRequest, requestsOf, segmentServer, serve, trackingTo, visitor } from '../support/servers.js'

type Settings = NonNullable<Parameters<typeof trackingTo>[1]>['settings']

async function started(settings: Settings = {}, request = {}) {
  const segment = await segmentServer()
  const tracking = trackingTo(segment, { settings, request })
  const inRequest = await requestsOf(tracking)
  return { segment, tracking, inRequest }
}

/** The header and the claims of a token that has been signed. */
function decodeJwt(token: string | null): unknown[] {
  const [header = '', claims = ''] = token?.split('.') ?? []
  return [header, claims].map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()))
}

const order = (inRequest: InRequest, user: object = { id: 'alice', session: 's1' }) =>
  inRequest((tracker) => tracker.track('order complete', { total: 42 }, { user }))

describe('settings', () => {
  it.each([undefined, '', '  '])('refuse the write key %j, naming it', (writeKey) => {
    // @ts-expect-error: a write key is required.
    expect(() => createTracking({ settings: { writeKey } })).toThrow(/settings\.writeKey/)
  })

  it('authenticate with writeKey', async () => {
    const segment = await createSegmentServer({ writeKey: 'the-right-one' })
    const tracking = trackingTo(segment, { settings: { writeKey: 'the-right-one' } })
    await order(await requestsOf(tracking))
    await tracking.flush()
    expect(tracking.stats().calls.delivered).toBe(1)
    await segment.close()
  })

  it('pick userId and anonymousId by any mapping value', async () => {
    const { segment, tracking, inRequest } = await started({
      userId: 'user.email',
      anonymousId: { fn: (event) => `device-${(event as { user: { device: string } }).user.device}` },
    })
    await order(inRequest, { email: 'a@example.com', device: 7 })
    await tracking.flush()
    expect(segment.calls[0]).toMatchObject({ userId: 'a@example.com', anonymousId: 'device-7' })
  })

  it('send numeric ids as strings, and never an object', async () => {
    const { segment, tracking, inRequest } = await started()
    await order(inRequest, { id: 7, session: 8 })
    await order(inRequest, { id: 7, session: { evil: true } })
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ userId: '7', anonymousId: '8' }, { userId: '7' }])
    expect(segment.calls[1]).not.toHaveProperty('anonymousId')
  })

  it('send to host and path', async () => {
    const segment = await createSegmentServer({ path: '/other/batch' })
    const tracking = trackingTo(segment, { settings: { path: '/other/batch' } })
    await order(await requestsOf(tracking))
    await tracking.flush()
    expect(segment.received).toBe(1)
    await segment.close()
  })

  it('fill a batch up to flushAt', async () => {
    const { segment, inRequest } = await started({ flushAt: 3, flushInterval: 60_000 })
    await inRequest((tracker) => {
      for (let index = 0; index < 6; index++) tracker.track('page view', {}, { user: { id: 'alice' } })
    })
    await segment.waitFor(6)
    expect(segment.batches.map(({ messageIds }) => messageIds.length)).toEqual([3, 3])
  })

  it('default to 15 calls a batch', async () => {
    const { segment, inRequest } = await started({ flushInterval: 60_000 })
    await inRequest((tracker) => {
      for (let index = 0; index < 15; index++) tracker.track('page view', {}, { user: { id: 'alice' } })
    })
    await segment.waitFor(15)
    expect(segment.batches).toHaveLength(1)
  })

  it('send a batch that is not full after flushInterval', async () => {
    const { segment, inRequest } = await started({ flushInterval: 20 })
    await order(inRequest)
    await segment.waitFor(1)
  })

  it('give a hanging request up after httpRequestTimeout', async () => {
    const { segment, tracking, inRequest } = await started({ httpRequestTimeout: 30, maxRetries: 1 })
    segment.respondWith([{ hang: true }])
    await order(inRequest)
    await tracking.flush()
    expect(tracking.stats().calls.delivered).toBe(1)
    expect(segment.batches).toHaveLength(2)
  })

  it.each([{ disable: true }, undefined])(
    'make no call and count nothing as delivered with disable',
    async (settings) => {
      const segment = await segmentServer()
      const tracking = trackingTo(segment, settings ? { settings } : { disabled: true })
      await order(await requestsOf(tracking))
      await tracking.flush()
      expect(segment.batches).toEqual([])
      expect(tracking.stats()).toMatchObject({
        events: { tracked: 1, dispatched: 0, dropped: { disabled: 1 } },
        calls: { made: 0, delivered: 0 },
      })
    },
  )

  it('send integrations with every call', async () => {
    const integrations = { All: true, Mixpanel: false, Amplitude: { sessionId: 1 } }
    const { segment, tracking, inRequest } = await started({
      integrations,
      identify: { map: { traits: { map: { email: 'user.email' } } } },
    })
    await inRequest((tracker) => {
      tracker.track('order complete', {}, { user: { id: 'alice', email: 'a@example.com' } })
      tracker.user({ id: 'alice' })
      tracker.group('acme')
      tracker.page()
      tracker.screen()
      tracker.alias('before')
    })
    await tracking.flush()
    expect(segment.calls.map(({ type }) => type)).toEqual([
      'identify',
      'track',
      'group',
      'page',
      'screen',
      'alias',
    ])
    for (const call of segment.calls) expect(call.integrations).toEqual(integrations)
  })

  it('send through an httpClient of the application', async () => {
    let requests = 0
    const httpClient = new FetchHTTPClient((url, init) => {
      requests++
      return fetch(url, init)
    })
    const { segment, tracking, inRequest } = await started({ httpClient })
    await order(inRequest)
    await tracking.flush()
    expect([requests, segment.received]).toEqual([1, 1])
  })

  it('authenticate by oauthSettings, with a token that is fetched once', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const requests: { url?: string; authorization?: string; body: string }[] = []
    const { url } = await serve(async (req, res) => {
      requests.push({ url: req.url, authorization: req.headers.authorization, body: await text(req) })
      const token = {
        access_token: 'the-token',
        expires_in: 3_600,
        scope: 'tracking_api:write',
        token_type: 'Bearer',
      }
      res.end(JSON.stringify(req.url === '/token' ? token : { success: true }))
    })
    const tracking = createTracking({
      settings: {
        writeKey: 'test-key',
        host: url,
        flushAt: 1,
        oauthSettings: {
          clientId: 'the-client',
          clientKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
          keyId: 'the-key',
          authServer: url,
        },
      },
    })
    const inRequest = await requestsOf(tracking)
    await order(inRequest)
    await tracking.flush()
    await order(inRequest)
    const { delivered } = await tracking.shutdown()
    expect(delivered).toBe(2)
    expect(requests.map(({ url, authorization }) => [url, authorization])).toEqual([
      ['/token', undefined],
      ['/v1/batch', 'Bearer the-token'],
      ['/v1/batch', 'Bearer the-token'],
    ])
    const asked = new URLSearchParams(requests[0]?.body)
    expect(asked.get('scope')).toBe('tracking_api:write')
    expect(decodeJwt(asked.get('client_assertion'))).toMatchObject([
      { alg: 'RS256', kid: 'the-key' },
      { iss: 'the-client', sub: 'the-client', aud: url },
    ])
  })

  it('make the calls on env.analytics instead of a client of their own', async () => {
    const made: [string, unknown][] = []
    const record = (type: string) => (params: unknown) => void made.push([type, params])
    const analytics = {
      track: record('track'),
      identify: record('identify'),
      group: record('group'),
      page: record('page'),
      screen: record('screen'),
    }
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { env: { analytics }, request: { context: false } })
    await order(await requestsOf(tracking))
    await tracking.flush()
    expect(made).toEqual([
      [
        'track',
        {
          userId: 'alice',
          anonymousId: 's1',
          event: 'order complete',
          properties: { total: 42 },
          timestamp: expect.any(Date),
          messageId: expect.stringMatching(/^[0-9a-f]{32}-track$/),
        },
      ],
    ])
    expect(tracking.stats().calls).toMatchObject({ made: 1, delivered: 1 })
    expect(segment.batches).toEqual([])
  })

  it('give every call of an event a context of its own, which the client may write into', async () => {
    const contexts: (Record<string, unknown> | undefined)[] = []
    const record = ({ context }: { context?: Record<string, unknown> }) => {
      contexts.push(structuredClone(context))
      Object.assign(context?.page ?? {}, { path: 'written' })
      Object.assign(context ?? {}, { ip: 'written' })
    }
    const analytics = { track: record, identify: record, group: record, page: record, screen: record }
    const segment = await segmentServer()
    const identify = { map: { traits: { map: { plan: { value: 'free' } } } } }
    const tracking = trackingTo(segment, { env: { analytics }, settings: { identify } })
    await order(await requestsOf(tracking))
    await tracking.flush()
    expect(contexts).toHaveLength(2)
    expect(contexts[0]).toMatchObject({ ip: '127.0.0.1', page: { path: '/0' } })
    expect(contexts[1]).toEqual(contexts[0])
  })

  it('name the tracking in its log by `id`', async () => {
    const scopes: unknown[] = []
    const segment = await segmentServer()
    const tracking = trackingTo(segment, {
      id: 'shop',
      logger: { level: 'INFO', handler: (_level, _message, _context, scope) => scopes.push(scope) },
    })
    await tracking.shutdown()
    expect(scopes).toEqual([['shop']])
  })

  it('drop what has neither a userId nor an anonymousId', async () => {
    const { segment, tracking, inRequest } = await started()
    await order(inRequest, {})
    await tracking.flush()
    expect(segment.batches).toEqual([])
    expect(tracking.stats().events.dropped.identity).toBe(1)
  })

  it('carry more of the context that settings.context maps', async () => {
    const { segment, tracking, inRequest } = await started(
      { context: { map: { app: { map: { name: { value: 'shop' } } } } } },
      { context: { ip: false } },
    )
    await order(inRequest)
    await tracking.flush()
    expect(segment.calls[0]?.context).toMatchObject({ app: { name: 'shop' }, page: expect.anything() })
    expect(segment.calls[0]?.context).not.toHaveProperty('ip')
  })
})

describe('settings.consent', () => {
  const consent = { marketing: 'Advertising', analytics: 'Analytics' }

  it.each([
    [
      { marketing: true, analytics: false },
      { Advertising: true, Analytics: false },
    ],
    [
      { marketing: false, analytics: false },
      { Advertising: false, Analytics: false },
    ],
    [{}, { Advertising: false, Analytics: false }],
    [
      { marketing: true, functional: true },
      { Advertising: true, Analytics: false },
    ],
  ])('sends %j as %j', async (state, categoryPreferences) => {
    const { segment, tracking, inRequest } = await started({ consent }, { consent: () => state })
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.flush()
    expect(segment.calls[0]?.context).toMatchObject({ consent: { categoryPreferences } })
  })

  it('grants a category behind two keys only if both are granted', async () => {
    const { segment, tracking, inRequest } = await started(
      { consent: { marketing: 'Advertising', social: 'Advertising' } },
      { consent: () => ({ marketing: true, social: false }) },
    )
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.flush()
    expect(segment.calls[0]?.context).toMatchObject({
      consent: { categoryPreferences: { Advertising: false } },
    })
  })
})
