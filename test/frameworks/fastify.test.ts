import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { connect } from 'node:http2'
import { Transform } from 'node:stream'
import fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fastifyTracking } from '../../src/frameworks/fastify.js'
import {
  fromAsyncLocalStorage,
  type Outcome,
  segmentCookie,
  type TrackedRequest,
  type Tracking,
  type TrackingConfig,
} from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'
import { segmentServer, trackingTo, visitor } from '../support/servers.js'

/** An application's address; it is closed when the test ends. */
async function listen(app: FastifyInstance): Promise<string> {
  onTestFinished(() => app.close())
  return app.listen({ port: 0, host: '127.0.0.1' })
}

describe('fastifyTracking()', () => {
  /** An application with a tracking, and what readers and the dispatch see of its requests. */
  async function setUp(config: Omit<TrackingConfig, 'settings'> = {}, options: object = {}) {
    const segment = await segmentServer()
    const requests: TrackedRequest[] = []
    const outcomes: Outcome[] = []
    const tracking = trackingTo(segment, {
      ...config,
      request: {
        anonymousId(request) {
          requests.push(request)
          return 'somebody'
        },
        ...config.request,
      },
      dispatch: (outcome) => outcomes.push(outcome) > 0,
    })
    const app = fastify(options)
    app.register(fastifyTracking, { tracking })
    return {
      app,
      segment,
      tracking,
      async ask(path: string, headers: Record<string, string> = {}) {
        const url = await listen(app)
        const response = await fetch(url + path, { headers })
        const body = await response.text()
        const [call] = await segment.waitFor(1)
        return { response, body, call, outcome: outcomes[0], request: requests.at(-1), url }
      },
    }
  }

  it('puts the tracker on the request', async () => {
    const { app, tracking, ask, segment } = await setUp()
    app.get('/', async (request) => {
      const { track } = request
      track('page view', { by: 'track' })
      request.tracker.group('G-1')
      expect(request.tracker.track).toBe(track)
      return 'hello'
    })
    expect((await ask('/')).body).toBe('hello')
    await tracking.flush()
    expect(segment.calls.map(({ type }) => type)).toEqual(['track', 'group'])
  })

  it('reads the address and the host as `trustProxy` says', async () => {
    const forwarded = {
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-host': 'shop.example:8443',
      'x-forwarded-proto': 'https',
      'sec-fetch-dest': 'document',
    }
    const trusting = await setUp({}, { trustProxy: true })
    trusting.app.get('/basket', async (request) => request.track('page view'))
    expect((await trusting.ask('/basket', forwarded)).call?.context).toMatchObject({
      ip: '203.0.113.7',
      page: { url: 'https://shop.example:8443/basket' },
    })
    const careful = await setUp()
    careful.app.get('/basket', async (request) => request.track('page view'))
    const { call, url } = await careful.ask('/basket', forwarded)
    expect(call?.context).toMatchObject({ ip: '127.0.0.1', page: { url: `${url}/basket` } })
  })

  it.each([
    { options: {}, ip: '127.0.0.1' },
    { options: { trustProxy: true }, ip: undefined },
  ])('takes no oversized header of proxies apart with $options', async ({ options, ip }) => {
    const { app, ask } = await setUp({}, options)
    app.register(async (part) => {
      part.decorateRequest('own', '')
      part.get('/', async (request) => request.track('page view'))
    })
    const { call } = await ask('/', { 'x-forwarded-for': '203.0.113.7, '.repeat(60) })
    expect(call?.context?.ip).toBe(ip)
  })

  it('names the route of an encapsulated part with its prefix, and none where there is no route', async () => {
    const { app, ask, segment, tracking } = await setUp()
    app.register(
      async (part) => {
        part.get('/orders/:id', async (request, reply) => {
          request.track('order view')
          return reply.code(202).send('hello')
        })
      },
      { prefix: '/shop' },
    )
    app.setNotFoundHandler(async (request, reply) => {
      request.track('page miss')
      return reply.code(404).send('nothing')
    })
    const { outcome, url, request } = await ask('/shop/orders/8?q=1')
    expect(outcome).toMatchObject({ status: 202, route: '/shop/orders/:id' })
    expect(request?.url).toMatchObject({ pathname: '/shop/orders/8', search: '?q=1' })
    await fetch(`${url}/elsewhere`)
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ event: 'order view' }, { event: 'page miss' }])
  })

  it('shows readers what plugins have left on the request, or below it', async () => {
    const { app, ask, tracking, segment } = await setUp({ request: { userId: undefined } })
    app.decorateRequest('user')
    app.decorateRequest('session')
    app.addHook('preHandler', async (request) => {
      if (request.url === '/raw') Object.assign(request.raw, { user: { id: 8 } })
      else Object.assign(request, { user: { id: 7 }, session: { cart: 'C-1' } })
    })
    app.get('/', async (request) => request.track('page view'))
    app.get('/raw', async (request) => request.track('page view'))
    const { call, request, url } = await ask('/')
    expect(call).toMatchObject({ userId: '7' })
    expect(request?.session).toEqual({ cart: 'C-1' })
    await fetch(`${url}/raw`)
    await tracking.flush()
    expect(segment.calls[1]).toMatchObject({ userId: '8' })
  })

  it('sets the cookie of a created id', async () => {
    const { app, ask } = await setUp({
      request: {
        anonymousId: segmentCookie({ create: { consent: 'analytics', domain: 'shop.example' } }),
        consent: () => ({ analytics: true }),
      },
    })
    app.get('/', async (request, reply) => {
      request.track('page view')
      return reply.header('set-cookie', 'cart=C-1').send('hello')
    })
    // Node's fetch calls itself `node`, which is a bot's name.
    const { response, call } = await ask('/', { 'user-agent': 'Mozilla/5.0 Firefox/128.0' })
    expect(response.headers.getSetCookie()).toEqual([
      expect.stringContaining('cart=C-1'),
      expect.stringContaining(`ajs_anonymous_id=${call?.anonymousId}`),
    ])
  })

  it('finds the running request in every hook and in the handler', async () => {
    const { app, tracking } = await setUp()
    const found = new Map<string, boolean>()
    const look = (where: string, request: { tracker: unknown }) =>
      found.set(where, tracking.current() === request.tracker)
    app.addHook('onRequest', async (request) => void look('onRequest', request))
    app.addHook('preParsing', async (request, _reply, payload) => {
      look('preParsing', request)
      if (request.method === 'GET') return payload
      // A stream of its own, whose events come from another place.
      return payload.pipe(new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) }))
    })
    app.addHook('preValidation', async (request) => void look('preValidation', request))
    app.addHook('preHandler', async (request) => void look('preHandler', request))
    app.addHook('preSerialization', async (request, _reply, payload) => {
      look('preSerialization', request)
      return payload
    })
    app.addHook('onSend', async (request, _reply, payload) => {
      look('onSend', request)
      return payload
    })
    app.addHook('onResponse', async (request) => void look('onResponse', request))
    app.addHook('onError', async (request) => void look('onError', request))
    app.setErrorHandler(async (_error, request, reply) => {
      look('the error handler', request)
      return reply.code(418).send({ failed: true })
    })
    app.post('/', async (request) => {
      await new Promise(setImmediate)
      look('the handler', request)
      throw new Error('broken')
    })
    app.addHook('onRequestAbort', async (request) => void look('onRequestAbort', request))
    app.get('/never', (request) => {
      request.raw.socket.destroy()
      return new Promise(() => {})
    })
    app.addHook('onTimeout', async (request) => void look('onTimeout', request))
    app.get('/slow', (request) => {
      request.raw.socket.setTimeout(1)
      return new Promise(() => {})
    })
    const url = await listen(app)
    const post = (path: string) =>
      fetch(url + path, { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } })
    expect((await post('/')).status).toBe(418)
    await expect(fetch(`${url}/never`)).rejects.toThrow()
    await expect(fetch(`${url}/slow`)).rejects.toThrow()
    await app.close()
    expect(Object.fromEntries(found)).toEqual({
      onRequest: true,
      preParsing: true,
      preValidation: true,
      preHandler: true,
      preSerialization: true,
      onSend: true,
      onResponse: true,
      onError: true,
      onTimeout: true,
      onRequestAbort: true,
      'the error handler': true,
      'the handler': true,
    })
  })

  it('tells apart requests that run at once', async () => {
    const { app, tracking, segment } = await setUp({
      request: { userId: ({ headers }) => headers['x-user']?.toString() },
    })
    app.get('/', async () => {
      await new Promise(setImmediate)
      tracking.current()?.track('page view')
      return 'hello'
    })
    const url = await listen(app)
    const users = Array.from({ length: 20 }, (_, index) => `u-${index}`)
    await Promise.all(users.map((user) => fetch(url, { headers: { 'x-user': user } })))
    const calls = await segment.waitFor(20)
    expect(calls.map(({ userId }) => userId).sort()).toEqual(users.sort())
  })

  it('works with an AsyncLocalStorage of the application', async () => {
    const storage = new AsyncLocalStorage<object>()
    const recorded = recordTracking({ ambient: fromAsyncLocalStorage(storage) })
    const app = fastify()
    app.addHook('onRequest', (_request, _reply, next) => storage.run({}, next))
    app.register(fastifyTracking, { tracking: recorded })
    const found: unknown[] = []
    app.post('/', async (request) => {
      found.push(recorded.current() === request.tracker)
      return 'hello'
    })
    await app.inject({ method: 'POST', url: '/', payload: { a: 1 } })
    await app.close()
    expect(found).toEqual([true])
  })

  it('ends the requests of inject() once', async () => {
    const { app, tracking, segment } = await setUp()
    app.get('/', async (request) => {
      request.track('page view')
      return 'hello'
    })
    expect((await app.inject('/')).body).toBe('hello')
    await segment.waitFor(1)
    await app.close()
    expect(tracking.stats().events).toMatchObject({ tracked: 1, dispatched: 1, open: 0 })
    expect(segment.received).toBe(1)
  })

  it('works over HTTP/2', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment)
    const app = fastify({ http2: true })
    app.register(fastifyTracking, { tracking })
    app.get('/basket', async (request) => {
      request.track('page view')
      return 'hello'
    })
    onTestFinished(() => app.close())
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const client = connect(url)
    const stream = client.request({
      ':path': '/basket',
      'sec-fetch-dest': 'document',
      ...visitor('somebody'),
    })
    stream.resume()
    await once(stream, 'end')
    client.close()
    const [call] = await segment.waitFor(1)
    expect(call?.context).toMatchObject({ ip: '127.0.0.1', page: { url: `${url}/basket` } })
  })

  it('belongs to the encapsulated part that registers it', async () => {
    const recorded = recordTracking()
    const app = fastify()
    app.register(async (part) => {
      part.register(fastifyTracking, { tracking: recorded })
      part.get('/inside', async (request) => {
        request.track('page view')
        return 'hello'
      })
    })
    app.get('/outside', async (request) => ({
      has: 'tracker' in request,
      current: recorded.current() === undefined,
    }))
    const cookie = visitor('somebody')
    expect((await app.inject({ url: '/inside', headers: cookie })).statusCode).toBe(200)
    expect((await app.inject({ url: '/outside', headers: cookie })).json()).toEqual({
      has: false,
      current: true,
    })
    await app.close()
    expect(recorded.calls).toHaveLength(1)
  })

  it('keeps one tracker where it is registered on the application and on a part of it', async () => {
    const recorded = recordTracking()
    const app = fastify()
    const trackers = new Set<unknown>()
    app.register(fastifyTracking, { tracking: recorded })
    app.addHook('onRequest', async (request) => void trackers.add(request.tracker))
    app.register(async (part) => {
      part.register(fastifyTracking, { tracking: recorded })
      part.get('/', async (request) => {
        trackers.add(request.tracker)
        request.track('page view')
        return 'hello'
      })
    })
    await app.inject({ url: '/', headers: visitor('somebody') })
    await app.close()
    expect(trackers.size).toBe(1)
    expect(recorded.calls).toHaveLength(1)
  })

  it('serves requests that a hook before it has answered', async () => {
    const recorded = recordTracking()
    const app = fastify()
    app.addHook('onRequest', async (_request, reply) => reply.code(429).send('later'))
    app.register(fastifyTracking, { tracking: recorded })
    app.get('/', async () => 'hello')
    expect((await app.inject('/')).statusCode).toBe(429)
    await app.close()
  })

  it('gives each tenant its own tracking, asked once for a request, and shuts down those that were used', async () => {
    const tenants = new Map([
      ['/red', recordTracking()],
      ['/blue', recordTracking()],
      ['/idle', recordTracking()],
    ])
    let asked = 0
    const app = fastify()
    app.register(fastifyTracking, {
      tracking: (request) => {
        asked++
        return tenants.get(request.url)
      },
    })
    app.get('/*', async (request) => {
      request.track('page view', { path: request.url })
      return tenants.get(request.url)?.current() === request.tracker
    })
    const answers = []
    for (const url of ['/red', '/blue', '/grey']) {
      const { statusCode, body } = await app.inject({ url, headers: visitor('somebody') })
      answers.push([statusCode, body])
    }
    await app.close()
    expect(answers).toEqual([
      [200, 'true'],
      [200, 'true'],
      [200, 'false'],
    ])
    expect(asked).toBe(3)
    expect(
      [...tenants].map(([path, { calls }]) => [
        path,
        calls.map((call) => call.type === 'track' && call.properties?.path),
      ]),
    ).toEqual([
      ['/red', ['/red']],
      ['/blue', ['/blue']],
      ['/idle', []],
    ])
    expect([...tenants.values()].map(isShutDown)).toEqual([true, true, false])
  })

  function isShutDown(tracking: Tracking): boolean {
    const before = tracking.stats().events.dropped.closed
    tracking.run({}, (tracker) => tracker.track('page view'))
    return tracking.stats().events.dropped.closed > before
  }

  it('delivers what open requests have tracked before the application has closed', async () => {
    const { app, segment, tracking } = await setUp()
    app.get('/', async (request, reply) => {
      request.track('page view', { at: 'the start' })
      void app.close()
      await new Promise((resolve) => setTimeout(resolve, 50))
      request.track('page view', { at: 'the end' })
      return reply.send('hello')
    })
    const url = await listen(app)
    expect(await (await fetch(url, { headers: { connection: 'close' } })).text()).toBe('hello')
    await app.close()
    expect(segment.calls).toMatchObject([
      { properties: { at: 'the start' } },
      { properties: { at: 'the end' } },
    ])
    expect(isShutDown(tracking)).toBe(true)
  })

  it('leaves the tracking open where it is told to', async () => {
    const recorded = recordTracking()
    const app = fastify()
    app.register(fastifyTracking, { tracking: recorded, shutdown: false })
    await app.ready()
    await app.close()
    expect(isShutDown(recorded)).toBe(false)
  })

  it.each([{ options: {} }, { options: { tracking: { settings: {} } } }, { options: { tracking: null } }])(
    'refuses to start with $options',
    async ({ options }) => {
      const app = fastify()
      app.register(fastifyTracking, options as never)
      await expect(app.ready()).rejects.toThrow(
        /fastifyTracking\(\) was given .* as in app.register\(fastifyTracking, \{ tracking \}\)/,
      )
    },
  )
})
