import type { IncomingMessage } from 'node:http'
import express from 'express'
import express4 from 'express4'
import { describe, expect, it } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import type { Outcome, TrackedRequest, TrackingConfig } from '../../src/index.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'

describe.each([
  { name: 'Express 4', create: express4 },
  { name: 'Express 5', create: express },
])('expressTracking() in $name', ({ create }) => {
  /** An application with a tracking, and what readers and the dispatch see of its requests. */
  async function setUp(config: Omit<TrackingConfig, 'settings'> = {}) {
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
      },
      dispatch: (outcome) => outcomes.push(outcome) > 0,
    })
    const app = create()
    return {
      app,
      segment,
      tracking,
      requests,
      async ask(path: string, headers: Record<string, string> = {}) {
        const { url } = await serve(app)
        const response = await fetch(url + path, { headers })
        await response.text()
        const [call] = await segment.waitFor(1)
        return { response, call, outcome: outcomes[0], request: requests.at(-1), url }
      },
    }
  }

  const track: express.RequestHandler = (req, res) => {
    req.track('page view')
    res.send('hello')
  }

  it('puts the tracker on the request', async () => {
    const { app, tracking, ask, segment } = await setUp()
    app.use(expressTracking(tracking))
    app.get('/', (req, res) => {
      const { track } = req
      track('page view', { by: 'track' })
      req.tracker.group('G-1')
      expect(req.tracker.track).toBe(track)
      res.send('hello')
    })
    await ask('/')
    await tracking.flush()
    expect(segment.calls.map(({ type }) => type)).toEqual(['track', 'group'])
  })

  it('reads the address and the host as `trust proxy` says', async () => {
    const forwarded = {
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-host': 'shop.example',
      'x-forwarded-proto': 'https',
      'sec-fetch-dest': 'document',
    }
    const trusting = await setUp()
    trusting.app.set('trust proxy', true)
    trusting.app.use(expressTracking(trusting.tracking), track)
    expect((await trusting.ask('/basket', forwarded)).call?.context).toMatchObject({
      ip: '203.0.113.7',
      page: { url: 'https://shop.example/basket' },
    })
    const careful = await setUp()
    careful.app.use(expressTracking(careful.tracking), track)
    const { call, url } = await careful.ask('/basket', forwarded)
    expect(call?.context).toMatchObject({ ip: '127.0.0.1', page: { url: `${url}/basket` } })
  })

  it('reads the whole URL below a mount path', async () => {
    const { app, tracking, ask } = await setUp()
    const router = express.Router()
    router.use(expressTracking(tracking))
    router.get('/items/:id', track)
    app.use('/shops/:shop', router)
    const { request, outcome } = await ask('/shops/7/items/8?q=1')
    expect(request?.url.pathname).toBe('/shops/7/items/8')
    expect(request?.url.search).toBe('?q=1')
    expect(outcome?.route).toBe('/shops/7/items/:id')
  })

  it.each([
    { route: '/orders/:id', expected: '/orders/:id' },
    { route: /^\/orders\/(\d+)$/, expected: '/^\\/orders\\/(\\d+)$/' },
    { route: ['/baskets/:id', '/orders/:id'], expected: undefined },
  ])('names the route $route', async ({ route, expected }) => {
    const { app, tracking, ask } = await setUp()
    app.use(expressTracking(tracking))
    app.get(route, track)
    expect((await ask('/orders/8')).outcome).toMatchObject({ status: 200, route: expected })
  })

  it('shows readers what middleware has left', async () => {
    const { app, tracking, ask } = await setUp()
    app.use(expressTracking(tracking))
    app.use((req, res, next) => {
      Object.assign(req, { user: { id: 7 }, session: { cart: 'C-1' } })
      res.locals.plan = 'pro'
      next()
    })
    app.use(track)
    const { call, request } = await ask('/')
    expect(call).toMatchObject({ userId: '7' })
    expect(request?.session).toEqual({ cart: 'C-1' })
    expect(request?.state).toMatchObject({ plan: 'pro' })
    expect(request?.method).toBe('GET')
  })

  it('delivers also where a property of the request throws', async () => {
    const { app, tracking, ask } = await setUp()
    app.set('trust proxy', () => {
      throw new Error('broken')
    })
    app.use((req, _res, next) => {
      Object.defineProperty(req, 'session', {
        get() {
          throw new Error('broken')
        },
      })
      next()
    })
    app.use(expressTracking(tracking), track)
    const { response, call, request } = await ask('/', { 'x-forwarded-for': '203.0.113.7' })
    expect(response.status).toBe(200)
    expect(call).toMatchObject({ type: 'track', anonymousId: 'somebody' })
    expect(call?.context).not.toHaveProperty('ip')
    expect(request?.session).toBeUndefined()
  })

  it('goes on where the request has a `track` of its own that cannot be replaced', async () => {
    const lines: string[] = []
    const { app, tracking, ask } = await setUp({
      logger: { handler: (_level, message) => void lines.push(message) },
    })
    const own = () => {}
    app.use((req, _res, next) => {
      Object.defineProperty(req, 'track', { value: own })
      next()
    })
    app.use(expressTracking(tracking), (req, res) => {
      expect(req.track).toBe(own)
      tracking.current()?.track('page view')
      res.send('hello')
    })
    expect((await ask('/')).response.status).toBe(200)
    expect(lines).toEqual([expect.stringContaining('has a `track` of its own')])
  })

  it('keeps one tracker where it is mounted on the application, on a router and on a sub-application', async () => {
    const { app, tracking, ask, segment } = await setUp()
    const trackers = new Set<unknown>()
    const note: express.RequestHandler = (req, _res, next) => {
      trackers.add(req.tracker)
      req.track('page view')
      next()
    }
    const router = express.Router().use(expressTracking(tracking), note)
    const inner = create().use(expressTracking(tracking), note)
    app.use(expressTracking(tracking), note)
    app.use('/sub', router, inner, (_req, res) => void res.send('hello'))
    await ask('/sub')
    await tracking.flush()
    expect(trackers.size).toBe(1)
    expect(segment.calls).toHaveLength(3)
    expect(tracking.stats().events).toMatchObject({ tracked: 3, dispatched: 3 })
  })

  it('listens to two events of a response while it is open, however often it is mounted', async () => {
    const { app, tracking, ask } = await setUp()
    const listeners = (req: express.Request, res: express.Response) => ({
      finish: res.listenerCount('finish'),
      close: res.listenerCount('close'),
      'close of the request': req.listenerCount('close'),
      'close of the socket': req.socket.listenerCount('close'),
    })
    let before = {}
    app.use((req, res, next) => {
      before = listeners(req, res)
      next()
    })
    app.use(expressTracking(tracking), expressTracking(tracking))
    app.use((req, res, next) => {
      const { finish, close, ...rest } = listeners(req, res)
      expect({ finish: finish - 1, close: close - 1, ...rest }).toEqual(before)
      track(req, res, next)
    })
    expect((await ask('/')).response.status).toBe(200)
  })

  it('lets two trackings of one application each have its own tracker', async () => {
    const lines: string[] = []
    const logger: TrackingConfig['logger'] = { handler: (_level, message) => void lines.push(message) }
    const first = await setUp({ logger })
    const second = await setUp({ logger })
    const { app } = first
    const seen: unknown[] = []
    app.use(expressTracking(first.tracking), expressTracking(second.tracking))
    app.use(async (req, res) => {
      await new Promise(setImmediate)
      seen.push(second.tracking.current() === req.tracker, first.tracking.current() === req.tracker)
      first.tracking.current()?.track('page view', { to: 'first' })
      second.tracking.current()?.track('page view', { to: 'second' })
      res.send('hello')
    })
    await first.ask('/')
    await second.tracking.flush()
    expect(seen).toEqual([true, false])
    expect(first.segment.calls).toMatchObject([{ properties: { to: 'first' } }])
    expect(second.segment.calls).toMatchObject([{ properties: { to: 'second' } }])
    expect(lines).toEqual([expect.stringMatching(/^two trackings are mounted on one request/)])
  })

  it('says what it was given where that is no tracking', async () => {
    const { app } = await setUp()
    expect(() => expressTracking(undefined as never)).toThrow(
      'expressTracking() was given undefined: expected what createTracking() returns, as in app.use(expressTracking(tracking))',
    )
    app.use(expressTracking as unknown as express.RequestHandler)
    app.use((error: Error, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
      res.status(500).send(error.message)
    })
    const { url } = await serve(app)
    expect(await (await fetch(url)).text()).toMatch(/^expressTracking\(\) was given a request: expected/)
  })
})

describe('expressTracking() in Connect', () => {
  it('has of the request what Node knows', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { request: { anonymousId: () => 'somebody' } })
    const middleware = expressTracking(tracking)
    const { url } = await serve((req: IncomingMessage & Partial<Pick<express.Request, 'track'>>, res) =>
      middleware(req, res, () => {
        req.track?.('page view')
        res.end('hello')
      }),
    )
    await fetch(`${url}/a/b`, { headers: { 'sec-fetch-dest': 'document' } })
    const [call] = await segment.waitFor(1)
    expect(call?.context).toMatchObject({ ip: '127.0.0.1', page: { url: `${url}/a/b` } })
  })
})
