import { once } from 'node:events'
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { bots, type DroppedEvent } from '../../src/index.js'
import type { ReceivedCall } from '../../src/testing/index.js'
import { browser, type Framework, frameworks, type Handle, serverSite, site } from './site.js'

const visitor = { ...browser, cookie: 'ajs_anonymous_id=a1', host: 'shop.example' }
const bot = { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' }

/** Answers each path with what it is named after. */
const answers: Handle = ({ tracker, path, send, redirect, setHeader }) => {
  if (path !== '/quiet') tracker.track('page read')
  switch (path) {
    case '/json':
      return send('application/json', '{"page":"<html>"}')
    case '/text':
      return send('text/plain', '<html>')
    case '/xhtml':
      return send('application/xhtml+xml', '<html/>')
    case '/missing':
      return send('text/html', '<h1>not found</h1>', 404)
    case '/broken':
      return send('text/html', '<h1>sorry</h1>', 500)
    case '/moved':
      return redirect('/quiet')
    case '/cached':
      setHeader('etag', '"1"')
      return send('text/html', '', 304)
    default:
      return send('text/html', '<h1>page</h1>')
  }
}

function kindsOf(calls: readonly ReceivedCall[]): string[] {
  return calls.map(({ type }) => type)
}

describe.each(frameworks)('in $name, pageViews', (framework) => {
  it("tracks the page before the request's own events", async () => {
    const { visit } = await site(framework, { request: { pageViews: true } }, answers)
    const { calls } = await visit('/shoes?utm_source=mail&token=s3cret', {
      ...visitor,
      referer: 'https://search.example/find?q=secret',
    })
    const page = {
      url: 'http://shop.example/shoes?utm_source=mail',
      path: '/shoes',
      search: '?utm_source=mail',
      referrer: 'https://search.example/find',
    }
    expect(calls).toMatchObject([
      {
        type: 'page',
        anonymousId: 'a1',
        properties: page,
        context: { page, ip: '127.0.0.1', userAgent: browser['user-agent'], campaign: { source: 'mail' } },
      },
      { type: 'track', event: 'page read', context: { page } },
    ])
    const [view, event] = calls
    expect(view).not.toHaveProperty('name')
    expect(Number(new Date(view?.timestamp ?? 0))).toBeLessThanOrEqual(
      Number(new Date(event?.timestamp ?? 0)),
    )
    expect(JSON.stringify(calls)).not.toMatch(/s3cret|q=secret/)
  })

  const visits: [what: string, path: string, headers: OutgoingHttpHeaders, method: string, views: number][] =
    [
      ['HTML', '/quiet', {}, 'GET', 1],
      ['XHTML', '/xhtml', {}, 'GET', 1],
      ['a page that the browser has already', '/cached', {}, 'GET', 1],
      ['something else that the browser has already', '/cached', { 'sec-fetch-dest': 'script' }, 'GET', 0],
      ['a frame', '/quiet', { 'sec-fetch-dest': 'iframe' }, 'GET', 1],
      ['what a script fetches', '/quiet', { 'sec-fetch-dest': 'empty' }, 'GET', 0],
      [
        'what htmx boosts',
        '/quiet',
        { 'sec-fetch-dest': 'empty', 'hx-request': 'true', 'hx-boosted': 'true' },
        'GET',
        0,
      ],
      ...[
        { 'hx-request': 'true' },
        { 'turbo-frame': 'cart' },
        { 'x-turbo-request-id': '1' },
        { 'x-requested-with': 'XMLHttpRequest' },
        { 'x-requested-with': 'xmlhttprequest', accept: 'text/html' },
        { 'x-pjax': 'true' },
        { 'x-up-version': '3.0.0' },
        { 'x-inertia': 'true' },
        { 'x-sec-purpose': 'prefetch', 'sec-fetch-dest': 'document' },
        { accept: '*/*', referer: 'http://shop.example/cart' },
        { accept: 'application/json' },
      ].map((marks): [string, string, OutgoingHttpHeaders, string, number] => [
        `a part that a script fetches: ${JSON.stringify(marks)}`,
        '/quiet',
        { 'sec-fetch-dest': undefined, ...marks },
        'GET',
        0,
      ]),
      [
        'what Android’s WebView loads',
        '/quiet',
        { 'sec-fetch-dest': undefined, 'x-requested-with': 'com.example.app' },
        'GET',
        1,
      ],
      ['what does not say what it loads', '/quiet', { 'sec-fetch-dest': undefined, accept: '*/*' }, 'GET', 1],
      ['JSON', '/json', {}, 'GET', 0],
      ['text', '/text', {}, 'GET', 0],
      ['a page that is not there', '/missing', {}, 'GET', 0],
      ['a page that failed', '/broken', {}, 'GET', 0],
      ['a redirect', '/moved', {}, 'GET', 0],
      ['the answer to a form', '/', {}, 'POST', 0],
      ['the head of a page', '/', {}, 'HEAD', 0],
      ['what a bot reads', '/', bot, 'GET', 0],
      ['what a browser fetches on suspicion', '/', { 'sec-purpose': 'prefetch' }, 'GET', 0],
    ]

  it.each(visits)('counts %s (%s) as it should', async (_, path, headers, method, views) => {
    const { visit } = await site(framework, { request: { pageViews: true } }, answers)
    const sent = Object.entries({ ...visitor, ...headers }).filter(([, value]) => value !== undefined)
    const { calls } = await visit(path, Object.fromEntries(sent), method)
    expect(kindsOf(calls).filter((type) => type === 'page')).toHaveLength(views)
    expect(kindsOf(calls).filter((type) => type === 'track')).toHaveLength(path === '/quiet' ? 0 : 1)
  })

  it('is off by default', async () => {
    const { visit } = await site(framework, {}, answers)
    expect(kindsOf((await visit('/', visitor)).calls)).toEqual(['track'])
  })

  it('goes by consent, by skip and by dispatch as other events do', async () => {
    const drops: DroppedEvent[] = []
    const { visit } = await site(
      framework,
      {
        consent: { analytics: true },
        request: {
          pageViews: true,
          consent: ({ headers }) => ({ analytics: headers['x-consent'] === 'yes' }),
          skip: [bots(), ({ headers }) => headers['x-skip'] === 'yes'],
        },
        dispatch: ({ status }) => status === 200,
        on: { dropped: (dropped) => drops.push(dropped) },
      },
      answers,
    )
    const yes = { ...visitor, 'x-consent': 'yes' }
    expect((await visit('/quiet', visitor)).calls).toEqual([])
    expect((await visit('/quiet', { ...yes, 'x-skip': 'yes' })).calls).toEqual([])
    expect((await visit('/cached', yes)).calls).toEqual([])
    expect((await visit('/quiet', yes)).calls).toHaveLength(1)
    expect(drops.map(({ reason }) => reason)).toEqual(['consent', 'skipped', 'outcome', 'outcome'])
  })

  it('says no more of the page than the context may', async () => {
    const pageOf = async (context: Parameters<typeof contextOf>[1]) => contextOf(framework, context)
    expect(await pageOf({ page: { query: ['q'] } })).toMatchObject({ search: '?q=red', path: '/shoes' })
    expect(await pageOf({ page: false })).toEqual({})
    expect(await pageOf(false)).toEqual({})
  })

  it('has nobody who was signed out before the page was answered', async () => {
    const { visit } = await site(framework, { request: { pageViews: true } }, (given) => {
      given.signIn({ id: 'u1' })
      given.signIn(null)
      given.send('text/html', 'bye')
    })
    const [view] = (await visit('/', visitor)).calls
    expect(view).toMatchObject({ type: 'page', anonymousId: 'a1' })
    expect(view).not.toHaveProperty('userId')
  })
})

/** The properties of the view of a page. */
async function contextOf(
  framework: Framework,
  context: false | { page: false | { query: string[] } },
): Promise<unknown> {
  const { visit } = await site(framework, { request: { pageViews: true, context } }, answers)
  const { calls } = await visit('/shoes?q=red&token=s3cret', visitor)
  const [view] = calls
  return view?.type === 'page' ? (view.properties ?? {}) : undefined
}

describe('pageViews on a bare server', () => {
  const heads: [how: string, write: (res: ServerResponse) => void][] = [
    ['an object', (res) => res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })],
    ['a message and an object', (res) => res.writeHead(200, 'fine', { 'content-type': 'text/html' })],
    ['a list', (res) => res.writeHead(200, ['x-a', 'b', 'Content-Type', 'text/html'])],
    [
      'an object over what was set',
      (res) => res.setHeader('content-type', 'text/plain').writeHead(200, { 'content-type': 'text/html' }),
    ],
    ['setHeader()', (res) => res.setHeader('content-type', 'text/html')],
  ]

  async function viewsOf(write: (res: ServerResponse) => void): Promise<number> {
    const { visit } = await serverSite({ request: { pageViews: true } }, (tracking) => (req, res) => {
      tracking.handle(req, res)
      write(res)
      res.end('<h1>page</h1>')
    })
    return (await visit('/', visitor)).calls.length
  }

  it.each(heads)('knows HTML where the type was given with %s', async (_, write) => {
    expect(await viewsOf(write)).toBe(1)
  })

  it('knows what is none', async () => {
    expect(await viewsOf((res) => res.writeHead(200, { 'content-type': 'text/css' }))).toBe(0)
    expect(
      await viewsOf((res) =>
        res.setHeader('content-type', 'text/html').writeHead(200, ['content-type', 'text/css']),
      ),
    ).toBe(0)
    expect(await viewsOf(() => {})).toBe(0)
  })

  it('goes by the head that was sent, where another could not be', async () => {
    const views = await viewsOf((res) => {
      expect(() => res.writeHead(9_999, { 'content-type': 'text/html' })).toThrow('Invalid status code')
      res.writeHead(500, { 'content-type': 'text/html' })
    })
    expect(views).toBe(0)
  })

  it('counts no page that never arrived whole', async () => {
    const closed: Promise<unknown>[] = []
    const config = { request: { pageViews: true } }
    const { visit, tracking, segment } = await serverSite(config, (opened) => (req, res) => {
      closed.push(once(res, 'close'))
      opened.handle(req, res).track('page read')
      res.writeHead(200, { 'content-type': 'text/html', 'content-length': '100' })
      res.write('<h1>', () => res.destroy())
    })
    await expect(visit('/', visitor)).rejects.toThrow('aborted')
    await closed[0]
    await tracking.flush()
    expect(kindsOf(segment.calls)).toEqual(['track'])
  })
})
