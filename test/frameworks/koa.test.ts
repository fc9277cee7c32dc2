import type { RequestListener } from 'node:http'
import Router from '@koa/router'
import express from 'express'
import Koa from 'koa'
import mount from 'koa-mount'
import session from 'koa-session'
import Koa2 from 'koa2'
import { describe, expect, it } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import { type Outcome, sessionValue, type TrackedRequest } from '../../src/index.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'

describe.each([
  { name: 'Koa 2', Application: Koa2 },
  { name: 'Koa 3', Application: Koa },
])('koaTracking() in $name', ({ Application }) => {
  /** An application with a tracking, and what readers and the dispatch see of its requests. */
  async function setUp() {
    const segment = await segmentServer()
    const requests: TrackedRequest[] = []
    const outcomes: Outcome[] = []
    const tracking = trackingTo(segment, {
      request: {
        anonymousId(request) {
          requests.push(request)
          return 'somebody'
        },
      },
      dispatch: (outcome) => outcomes.push(outcome) > 0,
    })
    const app = new Application()
    app.silent = true
    return {
      app,
      segment,
      tracking,
      requests,
      async ask(
        path: string,
        headers: Record<string, string> = {},
        listener: RequestListener = app.callback(),
      ) {
        const { url } = await serve(listener)
        const response = await fetch(url + path, { headers })
        const body = await response.text()
        const [call] = await segment.waitFor(1)
        return { response, body, call, outcome: outcomes[0], request: requests.at(-1), url }
      },
    }
  }

  const track: Koa.Middleware = (ctx) => {
    ctx.track('page view')
    ctx.body = 'hello'
  }

  it('puts the tracker on the context', async () => {
    const { app, tracking, ask, segment } = await setUp()
    app.use(koaTracking(tracking))
    app.use((ctx) => {
      const { track } = ctx
      track('page view', { by: 'track' })
      ctx.tracker.group('G-1')
      expect(ctx.tracker.track).toBe(track)
      ctx.body = 'hello'
    })
    expect((await ask('/')).response.status).toBe(200)
    await tracking.flush()
    expect(segment.calls.map(({ type }) => type)).toEqual(['track', 'group'])
  })

  it('hands on what the next middleware returns, and what it throws', async () => {
    const { tracking } = await setUp()
    const middleware = koaTracking(tracking)
    const app = new Application()
    const answers: unknown[] = []
    app.use(async (ctx, next) => {
      answers.push(await middleware(ctx, next))
      await middleware(ctx, () => Promise.reject(new Error('broken'))).catch((error) =>
        answers.push(error.message),
      )
      ctx.status = 204
    })
    app.use(async () => 'the answer')
    const { url } = await serve(app.callback())
    await fetch(url)
    expect(answers).toEqual(['the answer', 'broken'])
  })

  it('reads the address and the host as `proxy` says', async () => {
    const forwarded = {
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-host': 'shop.example:8443',
      'x-forwarded-proto': 'https',
      'sec-fetch-dest': 'document',
    }
    const trusting = await setUp()
    trusting.app.proxy = true
    trusting.app.use(koaTracking(trusting.tracking)).use(track)
    expect((await trusting.ask('/basket', forwarded)).call?.context).toMatchObject({
      ip: '203.0.113.7',
      page: { url: 'https://shop.example:8443/basket' },
    })
    const careful = await setUp()
    careful.app.use(koaTracking(careful.tracking)).use(track)
    const { call, url } = await careful.ask('/basket', forwarded)
    expect(call?.context).toMatchObject({ ip: '127.0.0.1', page: { url: `${url}/basket` } })
  })

  it.each([
    { route: '/orders/:id', expected: '/shop/orders/:id' },
    { route: /^\/shop\/orders\/(\d+)$/, expected: expect.stringContaining('orders') },
  ])('names the route $route of @koa/router', async ({ route, expected }) => {
    const { app, tracking, ask } = await setUp()
    const router = new Router({ prefix: typeof route === 'string' ? '/shop' : '' })
    router.get(route, (ctx) => {
      ctx.track('page view')
      ctx.status = 202
    })
    app.use(koaTracking(tracking)).use(router.routes()).use(router.allowedMethods())
    const { outcome } = await ask('/shop/orders/8?q=1')
    expect(outcome).toMatchObject({ status: 202, route: expected })
  })

  it('reads the whole URL below a mount path', async () => {
    const { app, tracking, ask } = await setUp()
    app.use(mount('/shops', new Koa().use(koaTracking(tracking)).use(track)))
    expect((await ask('/shops/7?q=1')).request?.url).toMatchObject({ pathname: '/shops/7', search: '?q=1' })
  })

  it('shows readers what middleware has left', async () => {
    const { app, tracking, ask } = await setUp()
    app.use(koaTracking(tracking))
    app.use((ctx, next) => {
      ctx.state.user = { id: 7 }
      ctx.state.plan = 'pro'
      ctx.session = { cart: 'C-1' }
      return next()
    })
    app.use(track)
    const { call, request } = await ask('/')
    expect(call).toMatchObject({ userId: '7' })
    expect(request?.session).toEqual({ cart: 'C-1' })
    expect(request?.state).toMatchObject({ plan: 'pro' })
    expect(request?.native).toMatchObject({ body: 'hello' })
  })

  it('shows readers what middleware of Connect has left on the request', async () => {
    const { app, tracking, ask } = await setUp()
    app.use(koaTracking(tracking))
    app.use((ctx, next) => {
      Object.assign(ctx.req, { user: { id: 8 }, session: { cart: 'C-2' } })
      return next()
    })
    app.use(track)
    const { call, request } = await ask('/')
    expect(call).toMatchObject({ userId: '8' })
    expect(request?.session).toEqual({ cart: 'C-2' })
  })

  it('reads koa-session while it is there, and takes a session that throws for none', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, {
      request: { userId: sessionValue('userId'), anonymousId: () => 'somebody' },
    })
    const app = new Application()
    app.keys = ['not a secret']
    app.use(koaTracking(tracking))
    app.use(session({ signed: false, decode: decodeOrThrow }, app))
    app.use((ctx, next) => {
      if (ctx.path === '/login' && ctx.session) ctx.session.userId = 'u-1'
      return next()
    })
    app.use(track)
    const { url } = await serve(app.callback())
    const login = await fetch(`${url}/login`)
    const [cookie = ''] = login.headers.getSetCookie()
    expect((await fetch(url, { headers: { cookie } })).status).toBe(200)
    expect((await fetch(url, { headers: { cookie: 'koa.sess=broken' } })).status).toBe(200)
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ userId: 'u-1' }, { userId: 'u-1' }, { anonymousId: 'somebody' }])
  })

  function decodeOrThrow(cookie: string): object {
    if (cookie === 'broken') throw new Error('the session cannot be decoded')
    return JSON.parse(Buffer.from(cookie, 'base64').toString())
  }

  it('keeps one tracker where it is mounted on the application, on a router and on a sub-application', async () => {
    const { app, tracking, ask, segment } = await setUp()
    const trackers = new Set<unknown>()
    const note: Koa.Middleware = (ctx, next) => {
      trackers.add(ctx.tracker)
      ctx.track('page view')
      return next()
    }
    const router = new Router().use(koaTracking(tracking)).get('/sub', note, (_ctx, next) => next())
    const inner = new Koa().use(koaTracking(tracking)).use(note)
    inner.use((ctx) => {
      ctx.body = 'hello'
    })
    app.use(koaTracking(tracking)).use(note).use(router.routes()).use(mount('/sub', inner))
    expect((await ask('/sub')).response.status).toBe(200)
    await tracking.flush()
    expect(trackers.size).toBe(1)
    expect(segment.calls).toHaveLength(3)
  })

  it('shares the tracker with an Express application below', async () => {
    const { app, tracking, ask, segment } = await setUp()
    const inner = express()
    inner.use(expressTracking(tracking))
    inner.get('/inner', (req, res) => {
      req.track('page view', { by: 'Express' })
      res.send('hello')
    })
    app.use(koaTracking(tracking))
    app.use((ctx) => {
      ctx.track('page view', { by: 'Koa' })
      ctx.respond = false
      inner(ctx.req, ctx.res)
    })
    expect((await ask('/inner')).body).toBe('hello')
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ properties: { by: 'Koa' } }, { properties: { by: 'Express' } }])
    expect(tracking.stats().events).toMatchObject({ tracked: 2, dispatched: 2 })
  })

  it('says what it was given where that is no tracking', () => {
    expect(() => koaTracking({} as never)).toThrow('koaTracking() was given object: expected')
  })
})
