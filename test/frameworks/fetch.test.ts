import { once } from 'node:events'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type FetchOptions, type RequestSource, withTracking } from '../../src/frameworks/fetch.js'
import {
  type Outcome,
  segmentCookie,
  signedInUser,
  type TrackedRequest,
  type TrackingConfig,
} from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'

const URL = 'http://shop.example/basket?q=1'
/** Node's fetch calls itself `node`, which is a bot's name. */
const BROWSER = { 'user-agent': 'Mozilla/5.0 Firefox/128.0' }

function requested(init: RequestInit = {}): Request {
  return new Request(URL, {
    ...init,
    headers: { ...BROWSER, cookie: 'ajs_anonymous_id=somebody', ...init.headers },
  })
}

/** A tracking, and how its requests have ended. */
function setUp(config: Omit<TrackingConfig, 'settings'> = {}) {
  const ends: Outcome[] = []
  const recorded = recordTracking({ ...config, dispatch: (outcome) => ends.push(outcome) > 0 })
  const track = () => recorded.current()?.track('page view')
  const statuses = () => ends.map(({ status, aborted }) => (aborted ? 'aborted' : status))
  return { recorded, track, ends, statuses }
}

describe('withTracking()', () => {
  it('hands on what the handler gives, itself, at once or as a promise', async () => {
    const { recorded, track, statuses } = setUp()
    const answer = new Response('hello', { status: 201, headers: { 'content-length': '5' } })
    const atOnce = withTracking(recorded, (_request: Request) => {
      track()
      return answer
    })
    const later = withTracking(recorded, async (_request: Request, { id }: { id: string }) => {
      await new Promise(setImmediate)
      track()
      expect(id).toBe('A-1')
      return answer
    })
    expect(atOnce(requested())).toBe(answer)
    expect(await later(requested(), { id: 'A-1' })).toBe(answer)
    expect(await answer.text()).toBe('hello')
    await recorded.settled()
    expect(statuses()).toEqual([201, 201])
    expect(recorded.calls).toMatchObject([{ anonymousId: 'somebody' }, { anonymousId: 'somebody' }])
  })

  it.each([
    { what: 'an error', thrown: new Error('broken'), status: 500 },
    { what: 'a Response', thrown: Response.redirect('http://shop.example/login', 303), status: 303 },
    { what: 'an answer of SvelteKit', thrown: { status: 307, location: '/login' }, status: 307 },
    {
      what: 'a redirect of Next.js',
      thrown: Object.assign(new Error('NEXT_REDIRECT'), { digest: 'NEXT_REDIRECT;push;/login;307;' }),
      status: 307,
    },
    {
      what: 'notFound() of Next.js',
      thrown: Object.assign(new Error('404'), { digest: 'NEXT_HTTP_ERROR_FALLBACK;404' }),
      status: 404,
    },
    { what: 'nothing', thrown: undefined, status: 500 },
  ])('ends with status $status where the handler throws $what', async ({ thrown, status }) => {
    const { recorded, track, statuses } = setUp()
    const handlers = [
      withTracking(recorded, (_request: Request): Response => {
        track()
        throw thrown
      }),
      withTracking(recorded, async (_request: Request): Promise<Response> => {
        await new Promise(setImmediate)
        track()
        throw thrown
      }),
    ]
    const caught: unknown[] = []
    for (const handler of handlers) {
      try {
        await handler(requested())
      } catch (error) {
        caught.push(error)
      }
    }
    await recorded.settled()
    expect(caught).toEqual([thrown, thrown])
    expect(caught[0]).toBe(thrown)
    expect(statuses()).toEqual([status, status])
  })

  it('takes what is no Response for an answer, as loaders give it', async () => {
    const { recorded, track, statuses } = setUp()
    const data = { products: [] }
    const loader = withTracking(recorded, async ({ request }: { request: Request; params: object }) => {
      expect(request.url).toBe(URL)
      track()
      return data
    })
    expect(await loader({ request: requested(), params: {} })).toBe(data)
    await recorded.settled()
    expect(statuses()).toEqual([200])
  })

  it('reads a Request as it reads a message of Node', async () => {
    const requests: TrackedRequest[] = []
    const { recorded, track, ends } = setUp({
      request: {
        userId: [(request) => void requests.push(request), signedInUser()],
        consent: ({ cookies }) => ({ marketing: cookies.get('choice') === 'yes' }),
      },
    })
    const handler = withTracking(
      recorded,
      async (_request: Request, _host: object) => {
        track()
        return new Response('hello')
      },
      {
        ip: () => '203.0.113.7',
        route: '/[page]',
        user: () => ({ id: 7 }),
        session: (request) => ({ url: request.url }),
      },
    )
    const request = requested({
      headers: { cookie: 'choice=yes; ajs_anonymous_id=a1', __proto__: 'x', 'sec-fetch-dest': 'document' },
    })
    await handler(request, {})
    await recorded.settled()
    expect(recorded.calls).toMatchObject([
      {
        userId: '7',
        anonymousId: 'a1',
        context: {
          ip: '203.0.113.7',
          userAgent: BROWSER['user-agent'],
          page: { url: 'http://shop.example/basket' },
        },
      },
    ])
    const [read] = requests
    expect(read).toMatchObject({ method: 'GET', native: request, route: '/[page]', session: { url: URL } })
    expect(read?.url.href).toBe(URL)
    expect(read?.headers['sec-fetch-dest']).toBe('document')
    expect(read?.cookies.get('choice')).toBe('yes')
    expect(ends[0]?.route).toBe('/[page]')
  })

  it.each([
    { host: { remoteAddr: { transport: 'tcp', hostname: '203.0.113.8', port: 1 } }, ip: '203.0.113.8' },
    { host: { requestIP: () => ({ address: '203.0.113.9', family: 'IPv4', port: 1 }) }, ip: '203.0.113.9' },
    { host: { requestIP: () => null }, ip: undefined },
    { host: undefined, ip: undefined },
  ])('has the address that Deno and Bun tell: $ip', async ({ host, ip }) => {
    const { recorded, track } = setUp()
    await withTracking(recorded, async (_request: Request, _host: unknown) => {
      track()
      return new Response('hello')
    })(requested(), host)
    await recorded.settled()
    expect(recorded.calls[0]?.context?.ip).toBe(ip)
  })

  it('drops what consent does not allow', async () => {
    const { recorded, track } = setUp({
      consent: { analytics: true },
      request: { consent: () => ({ analytics: false }) },
    })
    await withTracking(recorded, async (_request: Request) => {
      track()
      return new Response('hello')
    })(requested())
    await recorded.settled()
    expect(recorded.calls).toEqual([])
    expect(recorded.drops).toMatchObject([{ reason: 'consent' }])
  })

  it('tells apart requests that run at once', async () => {
    const { recorded } = setUp({ request: { userId: ({ headers }) => headers['x-user']?.toString() } })
    const handler = withTracking(recorded, async (request: Request) => {
      await new Promise(setImmediate)
      recorded.current()?.track('page view', { user: request.headers.get('x-user') })
      return new Response('hello')
    })
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => handler(requested({ headers: { 'x-user': `u-${index}` } }))),
    )
    await recorded.settled()
    expect(recorded.calls).toHaveLength(20)
    for (const call of recorded.calls)
      expect(call.type === 'track' && call.properties).toEqual({ user: call.userId })
    expect(recorded.current()).toBeUndefined()
  })

  it('ends once where a handler is wrapped twice', async () => {
    const { recorded, track, statuses } = setUp()
    const inner = withTracking(recorded, async (_request: Request) => {
      track()
      return new Response('hello')
    })
    const outer = withTracking(recorded, async (request: Request) => {
      await inner(request)
      track()
      return new Response('other', { status: 202 })
    })
    await outer(requested())
    await recorded.settled()
    expect(statuses()).toEqual([202, 202])
  })

  describe('sets the cookie of a created id', () => {
    const create = segmentCookie({ create: { consent: 'analytics', domain: 'shop.example' } })
    const config = { request: { anonymousId: create, consent: () => ({ analytics: true }) } }
    const answers: readonly [string, () => Response][] = [
      ['on the answer itself', () => new Response('hello', { headers: { 'set-cookie': 'cart=C-1' } })],
      ['on a copy of what cannot be changed', () => Response.redirect('http://shop.example/login', 302)],
    ]

    it.each(answers)('%s', async (_what, make) => {
      const { recorded, track } = setUp(config)
      const made = make()
      const own = made.headers.getSetCookie()
      const answer = await withTracking(recorded, async (_request: Request) => {
        track()
        return made
      })(new Request(URL, { headers: BROWSER }))
      await recorded.settled()
      const [call] = recorded.calls
      expect(call?.anonymousId).toMatch(/^[\da-f-]{36}$/)
      expect(answer.headers.getSetCookie()).toEqual([
        ...own,
        expect.stringContaining(`ajs_anonymous_id=${call?.anonymousId}`),
      ])
      expect(answer.status).toBe(made.status)
      expect(answer.headers.get('location')).toBe(made.headers.get('location'))
    })

    it('unless the choice is withdrawn, or the application sets it', async () => {
      const { recorded, track } = setUp(config)
      const handler = withTracking(recorded, async (_request: Request, act: () => Response) => {
        track()
        return act()
      })
      const withdrawn = await handler(new Request(URL, { headers: BROWSER }), () => {
        recorded.current()?.consent({ analytics: false })
        return new Response('hello')
      })
      const own = await handler(
        new Request(URL, { headers: BROWSER }),
        () => new Response('hello', { headers: { 'set-cookie': 'ajs_anonymous_id=own' } }),
      )
      expect(withdrawn.headers.getSetCookie()).toEqual([])
      expect(own.headers.getSetCookie()).toEqual(['ajs_anonymous_id=own'])
    })
  })

  it('tracks a page view of HTML', async () => {
    const { recorded } = setUp({ request: { pageViews: true } })
    const handler = withTracking(
      recorded,
      (_request: Request, type: string) => new Response('<p>', { headers: { 'content-type': type } }),
    )
    handler(requested({ headers: { 'sec-fetch-dest': 'document' } }), 'text/html')
    handler(requested({ headers: { 'sec-fetch-dest': 'document' } }), 'application/json')
    await recorded.settled()
    expect(recorded.calls.map(({ type }) => type)).toEqual(['page'])
  })

  it('ends as aborted where the client leaves before the handler has settled, and takes later events', async () => {
    const { recorded, track, statuses } = setUp()
    const client = new AbortController()
    let settle = () => {}
    const handler = withTracking(recorded, async (_request: Request) => {
      track()
      await new Promise<void>((resolve) => {
        settle = resolve
      })
      track()
      return new Response('too late')
    })
    const answer = handler(requested({ signal: client.signal }))
    client.abort()
    await recorded.settled()
    expect(statuses()).toEqual(['aborted'])
    settle()
    expect(await (await answer).text()).toBe('too late')
    await recorded.settled()
    expect(statuses()).toEqual(['aborted', 'aborted'])
    expect(recorded.calls).toHaveLength(2)
  })

  describe("with end: 'body'", () => {
    function streaming(act: (controller: ReadableStreamDefaultController<Uint8Array>) => void) {
      const { recorded, track, statuses } = setUp()
      const handler = withTracking(
        recorded,
        async (_request: Request) => {
          track()
          const body = new ReadableStream<Uint8Array>({ pull: act })
          return new Response(body, { status: 206, headers: { 'x-own': 'kept' } })
        },
        { end: 'body' },
      )
      return { recorded, statuses, handler }
    }

    it('ends when the body was read', async () => {
      let parts = 3
      const { recorded, statuses, handler } = streaming((controller) => {
        if (parts-- > 0) controller.enqueue(Buffer.from('part '))
        else controller.close()
      })
      const answer = await handler(requested())
      await new Promise(setImmediate)
      expect(recorded.stats().events.open).toBe(1)
      expect(answer.headers.get('x-own')).toBe('kept')
      expect(await answer.text()).toBe('part part part ')
      await recorded.settled()
      expect(statuses()).toEqual([206])
    })

    it('ends as aborted when the client cancels, and when the body fails', async () => {
      const cancelled = streaming((controller) => controller.enqueue(Buffer.from('part ')))
      await (await cancelled.handler(requested())).body?.cancel()
      await cancelled.recorded.settled()
      expect(cancelled.statuses()).toEqual(['aborted'])

      const failed = streaming((controller) => controller.error(new Error('broken')))
      await expect((await failed.handler(requested())).text()).rejects.toThrow('broken')
      await failed.recorded.settled()
      expect(failed.statuses()).toEqual(['aborted'])
    })

    it('ends at once where there is no body', async () => {
      const { recorded, track, statuses } = setUp()
      const answer = new Response(null, { status: 204 })
      const handler = withTracking(
        recorded,
        (_request: Request) => {
          track()
          return answer
        },
        { end: 'body' },
      )
      expect(handler(requested())).toBe(answer)
      await recorded.settled()
      expect(statuses()).toEqual([204])
    })
  })

  it("tells the request's host what to wait for, in place of the config's", async () => {
    const waited: unknown[] = []
    const told: Promise<unknown>[] = []
    const { recorded } = setUp({ waitUntil: () => waited.push('the config') })
    const handler = withTracking(
      recorded,
      async (_request: Request, _context: string) => {
        recorded.current()?.track('page view')
        recorded.current()?.track('page read')
        return new Response('hello')
      },
      {
        waitUntil: (work, _request, context) => {
          waited.push(context)
          told.push(work)
        },
      },
    )
    await handler(requested(), 'the context')
    expect(waited).toEqual(['the context'])
    await Promise.all(told)
    expect(recorded.calls).toHaveLength(2)
  })

  it('gives each tenant its own tracking', async () => {
    const { recorded } = setUp()
    const tenant = (request: Request) => (request.headers.get('x-tenant') === 'red' ? recorded : undefined)
    const handler = withTracking(tenant, async (_request: Request) => {
      recorded.current()?.track('page view')
      return new Response('hello')
    })
    for (const name of ['red', 'grey'])
      await (await handler(requested({ headers: { 'x-tenant': name } }))).text()
    await recorded.settled()
    expect(recorded.calls).toHaveLength(1)
  })

  it('is waited for by the shutdown', async () => {
    const { recorded } = setUp()
    let settle = () => {}
    const handler = withTracking(recorded, async (_request: Request) => {
      await new Promise<void>((resolve) => {
        settle = resolve
      })
      recorded.current()?.track('page view')
      return new Response('hello')
    })
    const answer = handler(requested())
    const report = recorded.shutdown()
    settle()
    await answer
    expect(await report).toMatchObject({ delivered: 1, timedOut: false })
  })

  it('serves what is called without a Request, untracked, and says so', async () => {
    const errors: string[] = []
    const recorded = recordTracking({ logger: { handler: (_level, message) => errors.push(message) } })
    const handler = withTracking(recorded, (_request: RequestSource) => 'hello')
    expect(handler('no request' as never)).toBe('hello')
    expect(errors).toEqual([expect.stringContaining('without a web-standard Request')])
  })

  it('refuses what is no tracking and no handler, and an edge runtime', () => {
    const { recorded } = setUp()
    expect(() => withTracking({} as never, () => new Response())).toThrow('withTracking() was given object')
    expect(() => withTracking(recorded, undefined as never)).toThrow('was given undefined as the handler')
    Object.assign(globalThis, { EdgeRuntime: 'edge-runtime' })
    onTestFinished(() => void Reflect.deleteProperty(globalThis, 'EdgeRuntime'))
    expect(() => withTracking(recorded, () => new Response())).toThrow("runtime = 'nodejs'")
  })

  it.each<FetchOptions<Request, unknown[]>>([{}, { end: 'body' }])(
    'ends on a real server with %o',
    async (options) => {
      const { recorded, track, statuses } = setUp()
      const never = new Promise<never>(() => {})
      let handling = () => {}
      const isHandling = new Promise<void>((resolve) => {
        handling = resolve
      })
      const handler = withTracking(
        recorded,
        async (request: Request): Promise<Response> => {
          track()
          handling()
          return request.url.endsWith('/never') ? never : new Response('hello')
        },
        options,
      )
      const server = createServer(getRequestListener((request: Request) => handler(request)))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      onTestFinished(() => void server.close())
      const address = server.address()
      const url = `http://127.0.0.1:${typeof address === 'object' && address?.port}`
      const headers = { cookie: 'ajs_anonymous_id=somebody', connection: 'close' }
      expect(await (await fetch(url, { headers })).text()).toBe('hello')
      const client = new AbortController()
      const left = fetch(`${url}/never`, { headers, signal: client.signal })
      await isHandling
      await recorded.flush()
      setTimeout(() => client.abort(), 50)
      await expect(left).rejects.toThrow()
      await recorded.settled()
      expect(statuses()).toEqual([200, 'aborted'])
    },
  )
})
