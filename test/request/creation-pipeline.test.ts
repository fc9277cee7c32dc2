import { describe, expect, it } from 'vitest'
import { consentHeader, type RequestOptions, segmentCookie } from '../../src/index.js'
import { browser, frameworks, type Handle, namesOf, serverSite, site } from './site.js'

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const agreeing = { ...browser, 'x-consent': '{"analytics":true}' }
const refusing = { ...browser, 'x-consent': '{"analytics":false,"marketing":true}' }
const bot = { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' }

const creating: RequestOptions = {
  anonymousId: segmentCookie({ create: { domain: 'shop.example', consent: 'analytics' } }),
  consent: consentHeader('x-consent'),
}

const track: Handle = ({ tracker, send }) => {
  tracker.track('page read')
  send('text/plain', 'ok')
}

/** The id in a cookie that was set. */
function idIn(setCookie: string | undefined): string | undefined {
  return /^ajs_anonymous_id=([^;]*)/.exec(setCookie ?? '')?.[1]
}

describe.each(frameworks)('in $name, an anonymous id that is created', (framework) => {
  it('is set as analytics.js sets it, carried by the events of its request, and read in the next', async () => {
    const { visit } = await site(framework, { request: creating }, (given) => {
      given.tracker.track('item seen')
      return track(given)
    })
    const first = await visit('/', agreeing)
    expect(first.setCookies).toHaveLength(1)
    const [setCookie] = first.setCookies
    const id = idIn(setCookie)
    expect(id).toMatch(ID)
    expect(setCookie).toBe(
      `ajs_anonymous_id=${id}; Max-Age=31536000; Domain=shop.example; Path=/; SameSite=Lax`,
    )
    expect(first.calls.map(({ anonymousId }) => anonymousId)).toEqual([id, id])

    const second = await visit('/', { ...agreeing, cookie: `theme=dark; ajs_anonymous_id=${id}` })
    expect(second.setCookies).toEqual([])
    expect(second.calls.map(({ anonymousId }) => anonymousId)).toEqual([id, id])
    expect(idIn((await visit('/', agreeing)).setCookies[0])).not.toBe(id)
  })

  it.each([
    ['nothing is known', browser],
    ['it is refused', refusing],
    ['a bot asks', { ...agreeing, ...bot }],
    ['a browser asks on suspicion', { ...agreeing, 'sec-purpose': 'prefetch;prerender' }],
  ])('is not there where %s', async (_, headers) => {
    const { visit, tracking } = await site(framework, { request: creating }, track)
    const { setCookies, calls } = await visit('/', headers)
    expect(setCookies).toEqual([])
    expect(calls).toEqual([])
    expect(tracking.stats().events.dropped.identity).toBe(1)
  })

  it('is there as soon as the handler says that the visitor agrees, for what was tracked before, too', async () => {
    const { visit } = await site(framework, { request: creating }, ({ tracker, send }) => {
      tracker.track('page read')
      tracker.consent({ analytics: true })
      send('text/plain', 'ok')
    })
    const { setCookies, calls } = await visit('/', refusing)
    expect(idIn(setCookies[0])).toMatch(ID)
    expect(calls.map(({ anonymousId }) => anonymousId)).toEqual([idIn(setCookies[0])])
  })

  it('is taken back where the handler says that the visitor refuses, also after it was set', async () => {
    const { visit } = await site(framework, { request: creating }, ({ tracker, path, setCookie, send }) => {
      setCookie('before', '1')
      tracker.track('page read')
      tracker.consent({ analytics: false })
      if (path === '/again') tracker.consent({ analytics: true })
      tracker.track('choice made')
      send('text/plain', 'ok')
    })
    const refused = await visit('/', agreeing)
    expect(namesOf(refused.setCookies)).toEqual(['before'])
    const again = await visit('/again', agreeing)
    expect(namesOf(again.setCookies)).toEqual(['before', 'ajs_anonymous_id'])
    expect(again.calls.at(-1)?.anonymousId).toBe(idIn(again.setCookies[1]))
  })

  it('joins the cookies that are set before it and after it', async () => {
    const { visit } = await site(framework, { request: creating }, ({ tracker, setCookie, send }) => {
      setCookie('before', '1')
      tracker.track('page read')
      setCookie('after', '2')
      send('text/plain', 'ok')
    })
    expect(namesOf((await visit('/', agreeing)).setCookies)).toEqual(['before', 'ajs_anonymous_id', 'after'])
  })

  it('survives a handler that sets its cookies in the place of all others', async () => {
    const { visit } = await site(framework, { request: creating }, ({ tracker, setHeader, send }) => {
      tracker.track('page read')
      setHeader('Set-Cookie', 'session=1; HttpOnly')
      send('text/plain', 'ok')
    })
    const { setCookies, calls } = await visit('/', agreeing)
    expect(setCookies[0]).toBe('session=1; HttpOnly')
    expect(calls.map(({ anonymousId }) => anonymousId)).toEqual([idIn(setCookies[1])])
  })

  it('leaves a cookie alone that the application sets or clears itself', async () => {
    const { visit } = await site(framework, { request: creating }, ({ tracker, path, setHeader, send }) => {
      if (path === '/before') setHeader('Set-Cookie', 'ajs_anonymous_id=own')
      tracker.track('page read')
      if (path === '/after') setHeader('Set-Cookie', 'ajs_anonymous_id=; Max-Age=0')
      send('text/plain', 'ok')
    })
    expect((await visit('/before', agreeing)).setCookies).toEqual(['ajs_anonymous_id=own'])
    expect((await visit('/after', agreeing)).setCookies).toEqual(['ajs_anonymous_id=; Max-Age=0'])
  })

  it('is not made over the one that the handler knows', async () => {
    const { visit } = await site(framework, { request: creating }, (given) => {
      given.tracker.user({ session: 'known' })
      return track(given)
    })
    const { setCookies, calls } = await visit('/', agreeing)
    expect(setCookies).toEqual([])
    expect(calls).toMatchObject([{ anonymousId: 'known' }])
  })

  it('is not made over the one that an earlier reader knows', async () => {
    const anonymousId = [() => 'known', segmentCookie({ create: { consent: 'analytics' } })]
    const { visit } = await site(framework, { request: { ...creating, anonymousId } }, track)
    const { setCookies, calls } = await visit('/', agreeing)
    expect(setCookies).toEqual([])
    expect(calls).toMatchObject([{ anonymousId: 'known' }])
  })

  it('comes with the view of a page that tracks nothing else, and with nothing but pages', async () => {
    const { visit } = await site(
      framework,
      { request: { ...creating, pageViews: true } },
      ({ path, send, setHeader }) => {
        setHeader('Set-Cookie', 'session=1')
        send(path === '/style.css' ? 'text/css' : 'text/html', 'ok', path === '/missing' ? 404 : 200)
      },
    )
    const page = await visit('/', agreeing)
    expect(namesOf(page.setCookies)).toEqual(['session', 'ajs_anonymous_id'])
    expect(page.calls).toMatchObject([{ type: 'page', anonymousId: idIn(page.setCookies[1]) }])
    for (const [path, headers] of [
      ['/style.css', agreeing],
      ['/missing', agreeing],
      ['/', refusing],
      ['/', { ...agreeing, ...bot }],
    ] as const) {
      expect(namesOf((await visit(path, headers)).setCookies)).toEqual(['session'])
    }
  })
})

describe('an anonymous id that is created', () => {
  it('needs headers that are unsent', async () => {
    const { visit, tracking } = await serverSite({ request: creating }, (opened) => (req, res) => {
      const tracker = opened.handle(req, res)
      res.write('o')
      tracker.track('page read')
      res.end('k')
    })
    const { setCookies, calls, body } = await visit('/', agreeing)
    expect({ setCookies, calls, body }).toEqual({ setCookies: [], calls: [], body: 'ok' })
    expect(tracking.stats().events.dropped.identity).toBe(1)
  })

  it('belongs to its request alone', async () => {
    const { visit } = await serverSite({ request: creating }, (opened) => (req, res) => {
      opened.handle(req, res).track('page read')
      res.end('ok')
    })
    const ids = new Set<unknown>()
    for (let times = 0; times < 5; times++) {
      const { setCookies, calls } = await visit('/', agreeing)
      expect(calls).toMatchObject([{ anonymousId: idIn(setCookies[0]) }])
      ids.add(idIn(setCookies[0]))
    }
    expect(ids.size).toBe(5)
  })
})
