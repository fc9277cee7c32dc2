import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { describe, expect, it } from 'vitest'
import { internalsOf } from '../../src/frameworks/adapter.js'
import {
  bots,
  consentCookie,
  consentHeader,
  cookie,
  cookiebot,
  type DroppedEvent,
  globalPrivacyControl,
  header,
  oneTrust,
  prefetches,
  type Reader,
  type RequestOptions,
  segmentCookie,
  sessionValue,
  signedInUser,
  usPrivacy,
} from '../../src/index.js'
import { isRecord } from '../../src/model/values.js'
import { type Answer, browser, type Framework, frameworks, type Handle, site } from './site.js'

const ANONYMOUS = '23adfd82-aa0f-45a7-a756-24f2a7a4c895'

/** Every event needs consent to analytics, and calls say what was chosen. */
const gated = {
  consent: { analytics: true },
  settings: { consent: { analytics: 'Analytics', marketing: 'Advertising' } },
} as const

const track: Handle = ({ tracker, send }) => {
  tracker.track('page read')
  send('text/plain', 'ok')
}

/** The ids of what one visit tracked. */
function idsOf({ calls }: Answer) {
  return calls.map(({ userId, anonymousId }) => ({ userId, anonymousId }))
}

/** What the calls of a visit say was chosen; `dropped` where there are none. */
function chosenIn({ calls }: Answer): unknown {
  if (calls.length === 0) return 'dropped'
  return calls.map(({ context }) => isRecord(context?.consent) && context.consent.categoryPreferences)
}

/** A site whose events go by consent. */
function gatedSite(framework: Framework, consent: RequestOptions['consent'], handle: Handle = track) {
  return site(framework, { ...gated, request: { consent } }, handle)
}

/** Reads consent that a test sends in a header of its own. */
const stated = consentHeader('x-consent')

function stating(consent: object, headers: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
  return {
    ...browser,
    'x-consent': JSON.stringify(consent),
    cookie: `ajs_anonymous_id=${ANONYMOUS}`,
    ...headers,
  }
}

describe.each(frameworks)('in $name, identity', (framework) => {
  it('is the signed-in user and the cookie of analytics.js by default', async () => {
    const { visit } = await site(framework, {}, (given) => {
      given.signIn({ id: 7, email: 'ada@example.com', username: 'ada' })
      return track(given)
    })
    const answer = await visit('/', {
      ...browser,
      cookie: `ajs_user_id=999; ajs_anonymous_id=%22${ANONYMOUS}%22; elbDeviceId=other`,
    })
    expect(idsOf(answer)).toEqual([{ userId: '7', anonymousId: ANONYMOUS }])
    expect(JSON.stringify(answer.calls)).not.toMatch(/ada@|"(?:ada|999|other)"/)
  })

  it('is nobody where a cookie alone says who it is', async () => {
    const { visit, tracking } = await site(framework, {}, track)
    expect((await visit('/', { ...browser, cookie: 'ajs_user_id=999' })).calls).toEqual([])
    expect(tracking.stats().events.dropped).toMatchObject({ identity: 1 })
  })

  it('is read again at the end where there was none, and never taken away', async () => {
    const { visit } = await site(framework, {}, ({ tracker, path, signIn, send }) => {
      if (path === '/logout') signIn({ id: 'u1' })
      tracker.track('page read')
      signIn(path === '/login' ? { id: 'u1' } : null)
      send('text/plain', 'ok')
    })
    expect(idsOf(await visit('/login'))).toEqual([{ userId: 'u1', anonymousId: undefined }])
    expect(idsOf(await visit('/logout'))).toEqual([{ userId: 'u1', anonymousId: undefined }])
  })

  it('is found by the first reader that answers, in order', async () => {
    const asked: string[] = []
    const late: Reader<string> = async (request) => {
      asked.push('late')
      return request.headers['x-late']?.toString()
    }
    const { visit } = await site(
      framework,
      {
        request: {
          userId: [sessionValue('user.id'), late, header('x-user-id'), signedInUser()],
          anonymousId: [cookie('visitor'), segmentCookie()],
        },
      },
      (given) => {
        given.signIn({ id: 'signed-in' })
        if (given.path === '/session') given.keepSession({ user: { id: 42 } })
        return track(given)
      },
    )
    const cookies = { cookie: `ajs_anonymous_id=${ANONYMOUS}; visitor=v1` }
    expect(idsOf(await visit('/session', { ...cookies, 'x-late': 'late', 'x-user-id': 'header' }))).toEqual([
      { userId: '42', anonymousId: 'v1' },
    ])
    expect(asked).toEqual([])
    expect(idsOf(await visit('/', { ...cookies, 'x-late': 'late', 'x-user-id': 'header' }))).toMatchObject([
      { userId: 'late' },
    ])
    expect(idsOf(await visit('/', { 'x-user-id': 'header', cookie: 'a=1' }))).toMatchObject([
      { userId: 'header' },
    ])
    expect(idsOf(await visit('/', { cookie: `ajs_anonymous_id=${ANONYMOUS}` }))).toEqual([
      { userId: 'signed-in', anonymousId: ANONYMOUS },
    ])
  })
})

describe.each(frameworks)('in $name, consent', (framework) => {
  it('refuses marketing with Global Privacy Control by default, and knows nothing else', async () => {
    const { visit } = await site(
      framework,
      { settings: gated.settings, mapping: { page: { read: { consent: { marketing: true } } } } },
      (given) => {
        given.tracker.consent(JSON.parse(given.headers['x-said']?.toString() ?? '{}'))
        given.tracker.track('item seen')
        return track(given)
      },
    )
    const cookies = {
      cookie: `ajs_anonymous_id=${ANONYMOUS}; CookieConsent={method:'explicit',marketing:true}`,
    }
    const refused = await visit('/', { ...cookies, 'sec-gpc': '1' })
    expect(chosenIn(refused)).toEqual([{ Analytics: false, Advertising: false }])
    expect(refused.calls).toMatchObject([{ event: 'item seen' }])
    const granted = await visit('/', { ...cookies, 'x-said': '{"marketing":true}' })
    expect(granted.calls).toMatchObject([{ event: 'item seen' }, { event: 'page read' }])
  })

  it('sends nothing that is unknown, and the whole state with what it sends', async () => {
    const { visit } = await gatedSite(framework, cookiebot())
    const choice = (method: string) =>
      `ajs_anonymous_id=${ANONYMOUS}; CookieConsent={necessary:true%2Cstatistics:true%2Cmarketing:false%2Cmethod:%27${method}%27}`
    expect(chosenIn(await visit('/', { cookie: choice('explicit') }))).toEqual([
      { Analytics: true, Advertising: false },
    ])
    expect(chosenIn(await visit('/', { cookie: choice('implied') }))).toBe('dropped')
    expect(chosenIn(await visit('/', { cookie: `ajs_anonymous_id=${ANONYMOUS}` }))).toBe('dropped')
  })

  it('merges readers in order, a later one over an earlier', async () => {
    const { visit } = await gatedSite(framework, [
      () => ({ analytics: true, marketing: true }),
      async () => ({ analytics: false }),
      () => undefined,
      stated,
    ])
    expect(chosenIn(await visit('/', stating({})))).toBe('dropped')
    expect(chosenIn(await visit('/', stating({ analytics: true })))).toEqual([
      { Analytics: true, Advertising: true },
    ])
  })

  it.each([
    ['first', [globalPrivacyControl(), usPrivacy(), stated]],
    ['last', [stated, usPrivacy(), globalPrivacyControl()]],
  ] as const)('lets opt-outs have the last word where they stand %s', async (_, readers) => {
    const { visit } = await gatedSite(framework, [...readers])
    const everything = { analytics: true, marketing: true }
    expect(chosenIn(await visit('/', stating(everything)))).toEqual([{ Analytics: true, Advertising: true }])
    expect(chosenIn(await visit('/', stating(everything, { 'sec-gpc': '1' })))).toEqual([
      { Analytics: true, Advertising: false },
    ])
    const optedOut = { cookie: `ajs_anonymous_id=${ANONYMOUS}; usprivacy=1YYN` }
    expect(chosenIn(await visit('/', stating(everything, optedOut)))).toEqual([
      { Analytics: true, Advertising: false },
    ])
  })

  it('follows tracker.consent(), for what was tracked before it, too', async () => {
    const { visit, tracking } = await gatedSite(framework, stated, ({ tracker, path, send }) => {
      tracker.track('page read')
      tracker.consent({ analytics: path === '/grant' })
      tracker.track('page left')
      send('text/plain', 'ok')
    })
    expect(chosenIn(await visit('/grant', stating({ analytics: false, marketing: true })))).toEqual([
      { Analytics: true, Advertising: true },
      { Analytics: true, Advertising: true },
    ])
    expect(chosenIn(await visit('/refuse', stating({ analytics: true, marketing: true })))).toBe('dropped')
    expect(tracking.stats().events.dropped.consent).toBe(2)
  })
})

describe.each(frameworks.slice(1, 2))('a chain', (framework) => {
  it('says which reader gave each id and each consent key', async () => {
    const sources: unknown[] = []
    const { visit, tracking } = await site(
      framework,
      {
        request: {
          userId: [header('x-user-id'), signedInUser()],
          consent: [globalPrivacyControl(), stated, consentCookie('choice')],
        },
      },
      (given) => {
        given.signIn({ id: 'u1' })
        given.tracker.consent({ functional: true })
        return track(given)
      },
    )
    internalsOf(tracking, 'test').watch((step) => {
      if (step.type === 'dispatching') sources.push(step.sources)
    })
    await visit('/', {
      'x-consent': '{"analytics":true,"marketing":true}',
      cookie: `ajs_anonymous_id=${ANONYMOUS}; choice={"preferences":false}`,
      'sec-gpc': '1',
    })
    expect(sources).toEqual([
      {
        userId: 'signedInUser',
        anonymousId: 'segmentCookie',
        consent: {
          analytics: 'consentHeader',
          marketing: 'globalPrivacyControl',
          preferences: 'consentCookie',
          functional: 'tracker.consent()',
        },
      },
    ])
  })
})

describe.each(frameworks)('in $name, the context', (framework) => {
  const visited = {
    ...browser,
    cookie: `ajs_anonymous_id=${ANONYMOUS}`,
    host: 'shop.example',
    'accept-language': 'fr-CH, fr;q=0.9, en;q=0.8',
    referer: 'https://search.example/find?q=secret&utm_source=r',
  }
  const path =
    '/shoes?token=s3cret&utm_source=mail&utm_campaign=summer&q=red&gclid=G1&email=ada%40example.com'

  async function contextOf(
    context: RequestOptions['context'],
    { headers = visited, url = path, consent = {}, trustedHops }: ContextCase = {},
  ): Promise<Record<string, unknown>> {
    const options = { request: { consent: () => consent, ...(context !== undefined && { context }) } }
    const { visit } = await site(framework, options, track, trustedHops === undefined ? {} : { trustedHops })
    const { calls } = await visit(url, headers)
    const { library: _, ...rest } = { ...calls[0]?.context }
    return rest
  }

  it('is whole by default, and cut where it could tell too much', async () => {
    expect(await contextOf(undefined)).toEqual({
      ip: '127.0.0.1',
      userAgent: browser['user-agent'],
      locale: 'fr-CH',
      page: {
        url: 'http://shop.example/shoes?utm_source=mail&utm_campaign=summer',
        path: '/shoes',
        search: '?utm_source=mail&utm_campaign=summer',
        referrer: 'https://search.example/find?utm_source=r',
      },
      campaign: { source: 'mail', name: 'summer' },
    })
  })

  it.each([
    ['ip', { ip: false }],
    ['userAgent', { userAgent: false }],
    ['locale', { locale: false }],
    ['page', { page: false }],
    ['campaign', { campaign: false }],
  ] as const)('comes without its %s where that is off', async (part, context) => {
    const whole = await contextOf({})
    const { [part]: left, ...rest } = whole
    expect(left).toBeDefined()
    expect(await contextOf(context)).toEqual(rest)
  })

  it('is empty where it is off', async () => {
    expect(await contextOf(false)).toEqual({})
  })

  it('keeps what of the query is allowed by name, and click ids with consent to marketing alone', async () => {
    const allowed = await contextOf({ page: { query: ['q', 'email'] } }, { consent: { marketing: false } })
    expect(allowed.page).toMatchObject({ search: '?utm_source=mail&utm_campaign=summer&q=red' })
    expect(allowed).not.toHaveProperty('referrer')
    expect((await contextOf({}, { consent: { marketing: true } })).referrer).toEqual({
      type: 'google',
      id: 'G1',
      gclid: 'G1',
    })
  })

  it('has the page of a script in its Referer', async () => {
    const fromScript = {
      ...visited,
      accept: '*/*',
      'sec-fetch-dest': 'empty',
      referer: 'https://shop.example/cart?step=2&utm_medium=cpc',
    }
    const { page, campaign } = await contextOf({}, { headers: fromScript, url: '/api/orders?token=s3cret' })
    expect(page).toEqual({
      url: 'https://shop.example/cart?utm_medium=cpc',
      path: '/cart',
      search: '?utm_medium=cpc',
    })
    expect(campaign).toEqual({ medium: 'cpc' })
  })

  it.each([
    [undefined, true, '127.0.0.1'],
    [undefined, 'anonymize', '127.0.0.0'],
    [1, true, '198.51.100.77'],
    [1, 'anonymize', '198.51.100.0'],
    [1, false, undefined],
  ] as const)('with %s trusted proxies and ip %s has the address %s', async (trustedHops, ip, address) => {
    const headers = { ...visited, 'x-forwarded-for': '6.6.6.6, 198.51.100.77' }
    const context = await contextOf({ ip }, { headers, ...(trustedHops !== undefined && { trustedHops }) })
    expect(context.ip).toBe(address)
    expect(JSON.stringify(context)).not.toContain('6.6.6.6')
  })

  it('has the whole IPv6 network alone where addresses are anonymized', async () => {
    const headers = { ...visited, 'x-forwarded-for': '2001:db8:85a3:8d3:1319:8a2e:370:7348' }
    expect((await contextOf({ ip: 'anonymize' }, { headers, trustedHops: 1 })).ip).toBe('2001:db8:85a3::')
  })

  it('has the host that a trusted proxy names, and no other', async () => {
    const headers = { ...visited, 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }
    expect((await contextOf({}, { headers })).page).toMatchObject({
      url: expect.stringMatching(/^http:\/\/shop\.example\//),
    })
    expect((await contextOf({}, { headers, trustedHops: 1 })).page).toMatchObject({
      url: expect.stringMatching(/^https:\/\/evil\.example\//),
    })
  })

  it("has the trace of the request's traceparent in the event's source", async () => {
    const { visit } = await site(framework, { include: ['source'] }, track)
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const traces = async (traceparent: string) => {
      const { calls } = await visit('/', { ...visited, traceparent })
      return calls.map((call) => call.type === 'track' && call.properties?.source_trace)
    }
    expect(await traces(`00-${trace}-b7ad6b7169203331-01`)).toEqual([trace])
    const [made] = await traces(`00-${trace.toUpperCase()}-b7ad6b7169203331-01`)
    expect(made).toMatch(/^[0-9a-f]{32}$/)
    expect(made).not.toBe(trace)
  })
})

interface ContextCase {
  readonly headers?: OutgoingHttpHeaders
  readonly url?: string
  readonly consent?: Record<string, boolean>
  readonly trustedHops?: number
}

describe.each(frameworks)('in $name, skip', (framework) => {
  it('drops what bots and browsers on suspicion send, whole', async () => {
    const drops: DroppedEvent[] = []
    const { visit } = await site(
      framework,
      { request: { skip: [bots(), prefetches()] }, on: { dropped: (dropped) => drops.push(dropped) } },
      (given) => {
        given.tracker.identify({ plan: 'free' })
        return track(given)
      },
    )
    const cookies = { cookie: `ajs_anonymous_id=${ANONYMOUS}` }
    const bot = { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)' }
    expect((await visit('/', { ...browser, ...cookies })).calls).toHaveLength(2)
    expect((await visit('/', { ...browser, ...cookies, ...bot })).calls).toEqual([])
    expect((await visit('/', { ...browser, ...cookies, 'sec-purpose': 'prefetch' })).calls).toEqual([])
    expect(drops.map(({ reason }) => reason)).toEqual(['skipped', 'skipped', 'skipped', 'skipped'])
  })
})

describe.each(frameworks)('in $name, a request that tracks nothing', (framework) => {
  /** Counts the headers that are looked at. */
  function counting(asked: Set<string>): Handle {
    return ({ headers }) => {
      for (const [name, value] of Object.entries(headers)) {
        Object.defineProperty(headers, name, {
          configurable: true,
          enumerable: true,
          get: () => {
            asked.add(name)
            return value
          },
        })
      }
    }
  }

  const readBy = (read: string[], reader: string): undefined => void read.push(reader)

  it('has nothing read, parsed or set', async () => {
    const read: string[] = []
    const asked = new Set<string>()
    const config = {
      request: {
        userId: () => readBy(read, 'userId'),
        anonymousId: [() => readBy(read, 'anonymousId'), segmentCookie({ create: { consent: 'analytics' } })],
        consent: [() => readBy(read, 'consent'), oneTrust(), stated],
        user: () => readBy(read, 'user'),
        skip: () => readBy(read, 'skip'),
      },
    }
    const handle: Handle = ({ tracker, path, send }) => {
      if (path === '/tracks') tracker.track('page read')
      send('text/plain', 'ok')
    }
    const { visit } = await site(framework, config, handle, { before: counting(asked) })
    const headers = stating({ analytics: true }, { 'sec-gpc': '1', referer: 'https://shop.example/' })
    const { setCookies } = await visit('/', headers)
    expect(read).toEqual([])
    expect(setCookies).toEqual([])
    const ours: (keyof IncomingHttpHeaders)[] = ['cookie', 'sec-gpc', 'x-consent', 'referer', 'user-agent']
    expect(ours.filter((name) => asked.has(String(name)))).toEqual([])
    await visit('/tracks', headers)
    expect(new Set(read)).toEqual(new Set(['userId', 'anonymousId', 'consent', 'user', 'skip']))
    expect([...asked]).toEqual(expect.arrayContaining(['cookie', 'x-consent', 'referer', 'user-agent']))
  })

  it('has its cookies parsed once however much is tracked', async () => {
    let parsed = 0
    const handle: Handle = (given) => {
      given.tracker.track('page read')
      given.tracker.track('page read')
      return track(given)
    }
    const { visit } = await site(
      framework,
      {
        request: { anonymousId: segmentCookie(), consent: [oneTrust(), cookiebot(), globalPrivacyControl()] },
      },
      handle,
      {
        before: ({ headers }) => {
          const { cookie: value } = headers
          const get = () => {
            parsed++
            return value
          }
          Object.defineProperty(headers, 'cookie', { get })
        },
      },
    )
    expect((await visit('/', stating({}))).calls).toHaveLength(3)
    expect(parsed).toBe(1)
  })
})
