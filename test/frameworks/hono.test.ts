import type { RequestListener } from 'node:http'
import { getRequestListener, type HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { type HonoTrackingOptions, honoTracking } from '../../src/frameworks/hono.js'
import {
  type Outcome,
  segmentCookie,
  sessionValue,
  type TrackedRequest,
  type TrackingConfig,
} from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'
import { serve, visitor } from '../support/servers.js'

/** Node's fetch calls itself `node`, which is a bot's name. */
const BROWSER = { 'user-agent': 'Mozilla/5.0 Firefox/128.0' }

/** Asks an application for a page: over a socket of Node's, or as Bun and Deno do it. */
interface Host {
  readonly name: string
  ask(app: Hono, path: string, headers: Record<string, string>): Promise<Response>
}

const hosts: readonly Host[] = [
  {
    name: 'Node',
    async ask(app, path, headers) {
      const { url } = await serve(listenerOf(app))
      return fetch(url + path, { headers })
    },
  },
  {
    name: 'another host',
    ask: async (app, path, headers) =>
      app.fetch(new Request(`http://shop.example${path}`, { headers }), {
        remoteAddr: { hostname: '127.0.0.1' },
      }),
  },
]

function listenerOf(app: Hono): RequestListener {
  return getRequestListener((request, env) => app.fetch(request, env))
}

function setUp(config: Omit<TrackingConfig, 'settings'> = {}, options: HonoTrackingOptions = {}) {
  const outcomes: Outcome[] = []
  const requests: TrackedRequest[] = []
  const recorded = recordTracking({
    ...config,
    request: {
      userId: [(request) => void requests.push(request), ...[config.request?.userId ?? []].flat()],
      ...config.request,
    },
    dispatch: (outcome) => outcomes.push(outcome) > 0,
  })
  const app = new Hono()
  app.use(honoTracking(recorded, options))
  return { app, recorded, outcomes, requests }
}

describe.each(hosts)('honoTracking() on $name', ({ ask }) => {
  it('puts the tracker on the context, and makes it the current one', async () => {
    const { app, recorded, outcomes } = setUp()
    app.get('/orders/:id', async (c) => {
      await new Promise(setImmediate)
      const { track } = c.var
      track('order view', { current: recorded.current() === c.get('tracker') })
      c.var.tracker.group('G-1')
      return c.text('hello', 202)
    })
    const answer = await ask(app, '/orders/7', visitor('somebody'))
    expect([answer.status, await answer.text()]).toEqual([202, 'hello'])
    await recorded.settled()
    expect(recorded.calls).toMatchObject([
      { type: 'track', anonymousId: 'somebody', properties: { current: true }, context: { ip: '127.0.0.1' } },
      { type: 'group' },
    ])
    expect(outcomes[0]).toMatchObject({ status: 202, aborted: false, route: '/orders/:id' })
  })

  it('names no route where there was none', async () => {
    const { app, recorded, outcomes } = setUp()
    app.use(async (c, next) => {
      c.var.track('page miss')
      await next()
    })
    await (await ask(app, '/nowhere', visitor('somebody'))).text()
    await recorded.settled()
    expect(outcomes).toMatchObject([{ status: 404, route: undefined }])
  })

  it('has the status that the error handler gives', async () => {
    const { app, recorded, outcomes } = setUp()
    app.onError((_error, c) => c.text('broken', 418))
    app.get('/', (c) => {
      c.var.track('page view')
      throw new Error('broken')
    })
    expect((await ask(app, '/', visitor('somebody'))).status).toBe(418)
    await recorded.settled()
    expect(outcomes).toMatchObject([{ status: 418 }])
  })

  it('shows readers what middleware has left in the variables', async () => {
    const { app, recorded, requests } = setUp({ request: { anonymousId: sessionValue('visitor') } })
    const typed: Hono<{ Variables: { user: object; session: object } }> = app as never
    typed.use(async (c, next) => {
      c.set('user', { id: 7 })
      c.set('session', { visitor: 'a1' })
      await next()
    })
    app.get('/', (c) => {
      c.var.track('page view')
      return c.text('hello')
    })
    await (await ask(app, '/', {})).text()
    await recorded.settled()
    expect(recorded.calls).toMatchObject([{ anonymousId: 'a1' }])
    expect(requests[0]).toMatchObject({ user: { id: 7 }, session: { visitor: 'a1' } })
  })

  it.each([
    { what: 'an answer', answer: (c: Context) => c.html('<p>') },
    { what: 'a redirect', answer: () => Response.redirect('http://shop.example/login', 302) },
    {
      what: 'an answer with a cookie',
      answer(c: Context) {
        c.header('set-cookie', 'cart=C-1')
        return c.text('hello')
      },
    },
  ])('sets the cookie of a created id on $what', async ({ answer }) => {
    const { app, recorded } = setUp({
      request: {
        anonymousId: segmentCookie({ create: { consent: 'analytics', domain: 'shop.example' } }),
        consent: () => ({ analytics: true }),
      },
    })
    app.get('/', (c) => {
      c.var.track('page view')
      return answer(c)
    })
    const { headers } = await noRedirect(() => ask(app, '/', BROWSER))
    await recorded.settled()
    expect(headers.getSetCookie().at(-1)).toContain(`ajs_anonymous_id=${recorded.calls[0]?.anonymousId}`)
  })

  it('gives each tenant its own tracking', async () => {
    const recorded = recordTracking()
    const app = new Hono()
    app.use(honoTracking((c) => (c.req.path === '/red' ? recorded : undefined)))
    app.get('/*', (c) => {
      c.var.track('page view', { path: c.req.path })
      return c.text('hello')
    })
    for (const path of ['/red', '/grey']) expect((await ask(app, path, visitor('somebody'))).status).toBe(200)
    await recorded.settled()
    expect(recorded.calls).toMatchObject([{ properties: { path: '/red' } }])
  })

  it('is waited for by the shutdown', async () => {
    const { app, recorded } = setUp()
    let settle = () => {}
    let handling = () => {}
    const isHandling = new Promise<void>((resolve) => {
      handling = resolve
    })
    app.get('/', async (c) => {
      handling()
      await new Promise<void>((resolve) => {
        settle = resolve
      })
      c.var.track('page view')
      return c.text('hello')
    })
    const answer = ask(app, '/', visitor('somebody'))
    await isHandling
    const report = recorded.shutdown()
    settle()
    await (await answer).text()
    expect(await report).toMatchObject({ delivered: 1, timedOut: false })
  })
})

/** A redirect is looked at, not followed. */
async function noRedirect(ask: () => Promise<Response>): Promise<Response> {
  const { fetch } = globalThis
  globalThis.fetch = (input, init) => fetch(input, { ...init, redirect: 'manual' })
  try {
    return await ask()
  } finally {
    globalThis.fetch = fetch
  }
}

describe('honoTracking()', () => {
  it('believes the proxies of trustProxy on Node', async () => {
    const { app, recorded } = setUp({}, { trustProxy: 1 })
    app.get('/basket', (c) => {
      c.var.track('page view')
      return c.text('hello')
    })
    const { url } = await serve(listenerOf(app))
    await fetch(`${url}/basket`, {
      headers: {
        ...visitor('somebody'),
        'x-forwarded-for': '203.0.113.7',
        'x-forwarded-host': 'shop.example',
        'x-forwarded-proto': 'https',
        'sec-fetch-dest': 'document',
      },
    })
    await recorded.settled()
    expect(recorded.calls[0]?.context).toMatchObject({
      ip: '203.0.113.7',
      page: { url: 'https://shop.example/basket' },
    })
  })

  it("tells the host's execution context what to wait for", async () => {
    const { app, recorded } = setUp()
    app.get('/', (c) => {
      c.var.track('page view')
      return c.text('hello')
    })
    const told: Promise<unknown>[] = []
    const context = {
      waitUntil: (work: Promise<unknown>) => void told.push(work),
      passThroughOnException() {},
      props: {},
    }
    await app.fetch(new Request('http://shop.example/', { headers: visitor('somebody') }), {}, context)
    expect(told).toHaveLength(1)
    await Promise.all(told)
    expect(recorded.calls).toHaveLength(1)
  })

  it('finds the tracker of the request by handle(), too', async () => {
    const { app, recorded } = setUp()
    const found: boolean[] = []
    const typed: Hono<{ Bindings: HttpBindings }> = app as never
    typed.get('/', (c) => {
      found.push(recorded.handle(c.env.incoming, c.env.outgoing) === c.get('tracker'))
      return c.text('hello')
    })
    const { url } = await serve(listenerOf(app))
    await fetch(url)
    await recorded.settled()
    expect(found).toEqual([true])
  })

  it('refuses what is no tracking, and a trustProxy that cannot work', () => {
    expect(() => honoTracking({} as never)).toThrow('honoTracking() was given object: expected')
    expect(() => honoTracking(recordTracking(), { trustProxy: 'everybody' })).toThrow(
      'trustProxy was given "everybody"',
    )
  })
})
