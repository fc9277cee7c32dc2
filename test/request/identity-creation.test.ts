import {
  createServer,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import type { WalkerOS } from '@walkeros/core'
import express from 'express'
import Koa from 'koa'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { createTracking, type RequestOptions } from '../../src/index.js'
import type { TrackedRequest } from '../../src/model/tracked-request.js'
import { parseCookies } from '../../src/request/cookies.js'
import {
  type CookieCreationOptions,
  createsAnonymousId,
  segmentCookie,
} from '../../src/request/identity/index.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const granted: WalkerOS.Consent = { analytics: true }
const options: CookieCreationOptions = { domain: 'example.com', consent: 'analytics' }

/** Node's fetch calls itself `node`, which is a bot's name. */
const browser = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
}

function requestWith(headers: TrackedRequest['headers']): TrackedRequest {
  return {
    headers,
    cookies: parseCookies(headers.cookie),
    method: 'GET',
    url: new URL('https://www.example.com/'),
    user: undefined,
    session: undefined,
    state: undefined,
    native: undefined,
  }
}

/** A reader with its creation, as a pipeline uses them. */
function open(create: CookieCreationOptions = options) {
  const reader = segmentCookie({ create })
  const creation = reader[createsAnonymousId]
  if (!creation) throw new Error('the reader creates no ids')
  return { reader, creation }
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/`
}

/** What one response sets, after `handle` had it. */
async function cookiesSet(
  handle: (request: TrackedRequest, response: ServerResponse) => void,
  headers: Record<string, string> = {},
): Promise<string[]> {
  const url = await serve((req, res) => {
    handle(requestWith(req.headers), res)
    res.end()
  })
  return (await fetch(url, { headers: { ...browser, ...headers } })).headers.getSetCookie()
}

describe('a created anonymous id', () => {
  it('is set as analytics.js sets it, and read for the rest of the request', async () => {
    const { reader, creation } = open()
    const read: unknown[] = []
    const cookies = await cookiesSet((request, response) => {
      read.push(reader(request))
      read.push(creation.create(request, response, granted))
      read.push(reader(request))
      read.push(creation.create(request, response, granted))
    })
    const [before, id, ...after] = read
    expect(before).toBeUndefined()
    expect(id).toMatch(UUID)
    expect(after).toEqual([id, id])
    expect(cookies).toEqual([
      `ajs_anonymous_id=${id}; Max-Age=31536000; Domain=example.com; Path=/; SameSite=Lax`,
    ])
  })

  it('is what the reader reads when it comes back', async () => {
    const { reader, creation } = open()
    const [set = ''] = await cookiesSet((request, response) => {
      creation.create(request, response, granted)
    })
    const [pair = ''] = set.split(';')
    expect(segmentCookie()(requestWith({ cookie: pair }))).toMatch(UUID)
    expect(reader(requestWith({ cookie: pair }))).toBe(segmentCookie()(requestWith({ cookie: pair })))
  })

  it('belongs to its request alone', async () => {
    const { reader, creation } = open()
    const ids = new Set<unknown>()
    await cookiesSet((request, response) => {
      ids.add(creation.create(request, response, granted))
      expect(reader(requestWith({}))).toBeUndefined()
    })
    await cookiesSet((request, response) => {
      ids.add(creation.create(request, response, granted))
    })
    expect(ids.size).toBe(2)
  })

  it('is given as it is configured', async () => {
    const { creation } = open({ consent: ['analytics'], maxAge: 60, secure: true, sameSite: 'none' })
    const [cookie] = await cookiesSet((request, response) => {
      creation.create(request, response, granted)
    })
    expect(cookie).toMatch(/^ajs_anonymous_id=[0-9a-f-]{36}; Max-Age=60; Path=\/; Secure; SameSite=None$/)
  })

  it('joins the cookies of Express and its handlers', async () => {
    const { creation } = open()
    const app = express()
    app.use((req, res, next) => {
      res.cookie('before', '1')
      creation.create(requestWith(req.headers), res, granted)
      next()
    })
    app.use((_req, res) => {
      res.cookie('after', '2').send('ok')
    })
    const cookies = (await fetch(await serve(app), { headers: browser })).headers.getSetCookie()
    expect(cookies.map((cookie) => cookie.split('=')[0])).toEqual(['before', 'ajs_anonymous_id', 'after'])
  })

  it('joins the cookies of Koa and its handlers', async () => {
    const { creation } = open()
    const app = new Koa()
    app.use(async (ctx, next) => {
      ctx.cookies.set('before', '1')
      creation.create(requestWith(ctx.headers), ctx.res, granted)
      await next()
    })
    app.use((ctx) => {
      ctx.cookies.set('after', '2')
      ctx.body = 'ok'
    })
    const cookies = (await fetch(await serve(app.callback()), { headers: browser })).headers.getSetCookie()
    expect(cookies.map((cookie) => cookie.split('=')[0])).toEqual(['before', 'ajs_anonymous_id', 'after'])
  })

  it('joins one cookie that is set as text', async () => {
    const { creation } = open()
    const cookies = await cookiesSet((request, response) => {
      response.setHeader('Set-Cookie', 'a=1; Path=/')
      creation.create(request, response, granted)
    })
    expect(cookies).toEqual(['a=1; Path=/', expect.stringMatching(/^ajs_anonymous_id=/)])
  })

  it.each<[string, OutgoingHttpHeaders | OutgoingHttpHeader[]]>([
    ['an object', { 'Set-Cookie': 'a=1' }],
    ['an object with a list', { 'set-cookie': ['a=1'] }],
    ['a list of names and values', ['Set-Cookie', 'a=1']],
  ])('joins the cookies that go out with the head, in %s', async (_, headers) => {
    const { creation } = open()
    const given = structuredClone(headers)
    const cookies = await cookiesSet((request, response) => {
      creation.create(request, response, granted)
      response.writeHead(200, headers)
    })
    expect(cookies).toEqual(['a=1', expect.stringMatching(/^ajs_anonymous_id=/)])
    expect(headers).toEqual(given)
  })

  it('leaves the head to the application where that sets the cookie itself, or the id was withdrawn', async () => {
    const { creation } = open()
    const own = await cookiesSet((request, response) => {
      creation.create(request, response, granted)
      response.writeHead(200, 'OK', { 'Set-Cookie': 'ajs_anonymous_id=; Max-Age=0' })
    })
    expect(own).toEqual(['ajs_anonymous_id=; Max-Age=0'])
    const withdrawn = await cookiesSet((request, response) => {
      creation.create(request, response, granted)
      creation.withdraw(request, response, { analytics: false })
      response.writeHead(200, { 'Set-Cookie': 'a=1' })
    })
    expect(withdrawn).toEqual(['a=1'])
  })

  it('does not get into a list of cookies that the application uses for everybody', async () => {
    const { creation } = open()
    const everybodys = ['theme=dark']
    const cookies = await cookiesSet((request, response) => {
      response.setHeader('Set-Cookie', everybodys)
      creation.create(request, response, granted)
    })
    expect(cookies).toHaveLength(2)
    expect(everybodys).toEqual(['theme=dark'])
  })
})

describe('no anonymous id is created', () => {
  const create = (consent: WalkerOS.Consent, headers: Record<string, string> = {}, use = options) => {
    const { reader, creation } = open(use)
    return cookiesSet((request, response) => {
      expect(creation.create(request, response, consent)).toBeUndefined()
      expect(reader(request)).toBeUndefined()
    }, headers)
  }

  it.each<[string, WalkerOS.Consent]>([
    ['nothing is known', {}],
    ['it is refused', { analytics: false }],
    ['something else is granted', { marketing: true }],
    ['the grant is inherited', Object.create({ analytics: true })],
  ])('where %s', async (_, consent) => {
    expect(await create(consent)).toEqual([])
  })

  it('unless one of several keys is granted', async () => {
    const keys = { ...options, consent: ['functional', 'marketing'] }
    expect(await create({ analytics: true, marketing: false }, {}, keys)).toEqual([])
    const { creation } = open(keys)
    const cookies = await cookiesSet((request, response) => {
      creation.create(request, response, { functional: false, marketing: true })
    })
    expect(cookies).toHaveLength(1)
  })

  it.each([
    ['a bot', { 'user-agent': 'Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)' }],
    ['a prefetch', { 'sec-purpose': 'prefetch;prerender' }],
  ])('for %s', async (_, headers) => {
    expect(await create(granted, headers)).toEqual([])
  })

  it('once the headers are sent', async () => {
    const { reader, creation } = open()
    const cookies = await cookiesSet((request, response) => {
      response.flushHeaders()
      expect(creation.create(request, response, granted)).toBeUndefined()
      expect(reader(request)).toBeUndefined()
    })
    expect(cookies).toEqual([])
  })

  it('where the application sets or clears the cookie itself', async () => {
    const { creation } = open()
    const cookies = await cookiesSet((request, response) => {
      response.appendHeader('Set-Cookie', 'a=1')
      response.appendHeader('Set-Cookie', 'ajs_anonymous_id=; Max-Age=0')
      expect(creation.create(request, response, granted)).toBeUndefined()
    })
    expect(cookies).toEqual(['a=1', 'ajs_anonymous_id=; Max-Age=0'])
  })

  it('where it was not asked for', () => {
    expect(segmentCookie()[createsAnonymousId]).toBeUndefined()
    expect(segmentCookie({})[createsAnonymousId]).toBeUndefined()
  })
})

describe('the options of a creation', () => {
  it.each(['example.com', '.example.com', 'shop.example.co.uk', 'xn--mnchen-3ya.de', 'localhost'])(
    'take the domain %s',
    (domain) => {
      expect(() => open({ ...options, domain })).not.toThrow()
    },
  )

  it.each([
    '',
    'https://example.com',
    'example.com:3000',
    'example.com; Secure',
    'example.com\r\nSet-Cookie: a=b',
    'example..com',
    '-example.com',
    'münchen.de',
    '127.0.0.1',
    '::1',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(200)}com`,
  ])('refuse the domain %j', (domain) => {
    expect(() => open({ ...options, domain })).toThrow(TypeError)
    expect(() => open({ ...options, domain })).toThrow(/got the domain .* it takes a host name/)
  })

  it.each<[string, CookieCreationOptions, RegExp]>([
    ['no consent', { consent: '' }, /got no consent/],
    ['an empty list', { consent: [] }, /got no consent/],
    ['an endless age', { consent: 'a', maxAge: Number.POSITIVE_INFINITY }, /maxAge Infinity/],
    ['an age that is over', { consent: 'a', maxAge: 0 }, /maxAge 0/],
    ['an insecure cookie for all sites', { consent: 'a', sameSite: 'none' }, /without secure/],
  ])('refuse %s', (_, create, message) => {
    expect(() => open(create)).toThrow(message)
  })
})

describe('a cookie without a domain', () => {
  function linesOf(anonymousId: RequestOptions['anonymousId']): string[] {
    const lines: string[] = []
    const tracking = createTracking({
      settings: { writeKey: 'test-key' },
      disabled: true,
      request: { anonymousId },
      logger: { level: 'WARN', handler: (level, message) => lines.push(`${level} ${message}`) },
    })
    onTestFinished(() => tracking.shutdown().then(() => undefined))
    return lines
  }

  it('is warned of when the tracking starts, once', () => {
    const create = segmentCookie({ create: { consent: 'analytics' } })
    expect(linesOf(create)).toEqual([expect.stringMatching(/^1 .*reset\(\).*Set create\.domain to/)])
    expect(linesOf([create, segmentCookie({ create: { consent: 'marketing' } })])).toHaveLength(1)
  })

  it('is not warned of where it has one, or none is made', () => {
    expect(linesOf(segmentCookie({ create: { ...options, domain: 'example.com' } }))).toEqual([])
    expect(linesOf([segmentCookie(), segmentCookie({})])).toEqual([])
  })
})
