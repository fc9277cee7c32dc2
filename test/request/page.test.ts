import type { IncomingHttpHeaders } from 'node:http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TrackedRequest } from '../../src/model/tracked-request.js'
import { readCampaign, readClickIds } from '../../src/request/campaign.js'
import { readPage } from '../../src/request/page.js'
import { parseQuery } from '../../src/request/query.js'

function requestFor(url: string, headers: IncomingHttpHeaders = {}): TrackedRequest {
  return {
    headers,
    cookies: new Map(),
    method: 'GET',
    url: new URL(url),
    user: undefined,
    session: undefined,
    state: undefined,
    native: undefined,
  }
}

const html = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
const pageOf = (url: string, headers: IncomingHttpHeaders = {}, query: string[] = []) =>
  readPage(requestFor(url, headers), { query })

describe('the page of a loaded document', () => {
  it('is the requested address, with the campaign and nothing else of the query', () => {
    const url = 'https://shop.example/a/b?utm_source=mail&token=s3cret&q=shoes&utm_id=9&Utm_Term=x'
    expect(pageOf(url, { accept: html })).toEqual({
      url: 'https://shop.example/a/b?utm_source=mail&utm_id=9',
      path: '/a/b',
      search: '?utm_source=mail&utm_id=9',
    })
  })

  it('has the parameters that are allowed by name, in their order', () => {
    const page = pageOf('https://shop.example/?page=2&Page=3&utm_source=mail&q=red+shoes', {}, ['q', 'page'])
    expect(page?.search).toBe('?page=2&utm_source=mail&q=red+shoes')
  })

  it('has no search where nothing is left of the query', () => {
    expect(pageOf('https://shop.example/?token=1')).toEqual({ url: 'https://shop.example/', path: '/' })
  })

  it('has a referrer that is cut in the same way', () => {
    const referer = 'https://user:pw@search.example/find?q=private&utm_medium=cpc#part'
    expect(pageOf('https://shop.example/', { accept: html, referer })?.referrer).toBe(
      'https://search.example/find?utm_medium=cpc',
    )
    expect(
      pageOf('https://shop.example/', { accept: html, referer: 'https://search.example' })?.referrer,
    ).toBe('https://search.example/')
    expect(
      pageOf('https://shop.example/', { accept: html, referer: 'android-app://com.example.reader/' })
        ?.referrer,
    ).toBe('android-app://com.example.reader/')
  })

  it.each([
    'about:client',
    'javascript:alert(1)',
    '/relative',
    'https://',
    'https://a b/',
    'https://shop.example/ü',
    `https://shop.example/${'x'.repeat(2000)}`,
    `https://shop.example/?${'x'.repeat(5000)}`,
  ])('has no referrer from %s', (referer) => {
    expect(pageOf('https://shop.example/', { accept: html, referer })).not.toHaveProperty('referrer')
  })

  it('is none where its path is too long to be one', () => {
    expect(pageOf(`https://shop.example/${'x'.repeat(2000)}`)).toBeUndefined()
  })
})

describe('the page of a request that loads no document', () => {
  const api = 'https://shop.example/api/orders?token=1'
  const referer = 'https://shop.example/cart?token=1&utm_source=mail'
  const cart = {
    url: 'https://shop.example/cart?utm_source=mail',
    path: '/cart',
    search: '?utm_source=mail',
  }

  it.each<[string, IncomingHttpHeaders]>([
    ['fetch()', { 'sec-fetch-dest': 'empty', accept: '*/*' }],
    ['a picture', { 'sec-fetch-dest': 'image', accept: 'image/avif,image/webp,*/*;q=0.8' }],
    ['XMLHttpRequest', { 'x-requested-with': 'XMLHttpRequest', accept: html }],
    ['one that accepts JSON', { accept: 'application/json, text/plain, */*' }],
    ['one that accepts anything, to its own host', { accept: '*/*' }],
  ])('is where it was sent from: %s', (_, headers) => {
    expect(pageOf(api, { ...headers, referer })).toEqual(cart)
  })

  it('is known by Origin where another origin asks', () => {
    const headers = { accept: '*/*', origin: 'https://www.example', referer: 'https://www.example/' }
    expect(pageOf(api, headers)).toEqual({ url: 'https://www.example/', path: '/' })
  })

  it('is none where that is not told', () => {
    expect(pageOf(api, { 'sec-fetch-dest': 'empty' })).toBeUndefined()
    expect(pageOf(api, { 'sec-fetch-dest': 'empty', referer: 'android-app://com.example/' })).toBeUndefined()
  })

  it.each<[string, IncomingHttpHeaders]>([
    ['a navigation', { 'sec-fetch-dest': 'document' }],
    ['a frame', { 'sec-fetch-dest': 'iframe' }],
    ['an old browser', { accept: html }],
    ['a link from another site', { accept: '*/*' }],
    ['a client that says nothing', {}],
  ])('is the requested address otherwise: %s', (_, headers) => {
    const page = pageOf(api, { ...headers, referer: 'https://www.example/' })
    expect(page).toEqual({
      url: 'https://shop.example/api/orders',
      path: '/api/orders',
      referrer: 'https://www.example/',
    })
  })
})

describe('personal data in an address', () => {
  it.each([
    '/users/jane@example.com/orders',
    '/users/jane%40example.com/orders',
    '/users/jane%2540example.com/orders',
    '/users/mailto:jane@example.co.uk/orders',
  ])('masks the e-mail address in %s', (path) => {
    const page = pageOf(`https://shop.example${path}`, {
      accept: html,
      referer: `https://www.example${path}`,
    })
    expect(page?.path).toBe('/users/:email/orders')
    expect(page?.url).toBe('https://shop.example/users/:email/orders')
    expect(page?.referrer).toBe('https://www.example/users/:email/orders')
  })

  it.each(['/@handle/posts', '/npm/@scope/core@4.2.1', '/a@b/c'])('leaves %s as it is', (path) => {
    expect(pageOf(`https://shop.example${path}`)?.path).toBe(path)
  })

  it('takes session ids off the path', () => {
    expect(pageOf('https://shop.example/a;jsessionid=0F8D/b;v=1?x=1')?.path).toBe('/a/b')
  })

  it.each(['jane@example.com', 'jane%40example.com', 'mailto%3Ajane%2540example.com'])(
    'drops a parameter with %s, allowed or not',
    (value) => {
      const url = `https://shop.example/?utm_content=${value}&q=${value}&utm_source=mail`
      expect(pageOf(url, {}, ['q'])?.search).toBe('?utm_source=mail')
      expect(readCampaign(parseQuery(new URL(url).search))).toEqual({ source: 'mail' })
      expect(readClickIds(parseQuery(`?gclid=${value}`))).toBeUndefined()
    },
  )
})

describe('readCampaign', () => {
  const campaignOf = (search: string) => readCampaign(parseQuery(search))

  it('reads utm_* as analytics.js does', () => {
    expect(
      campaignOf(
        '?utm_campaign=summer+sale&utm_source=mail&utm_medium=cpc&utm_term=a%26b&utm_content=c&utm_id=9',
      ),
    ).toEqual({ name: 'summer sale', source: 'mail', medium: 'cpc', term: 'a&b', content: 'c', id: '9' })
  })

  it('counts the first of several that says something', () => {
    expect(campaignOf('?utm_source=&utm_source=a&utm_source=b')).toEqual({ source: 'a' })
    expect(campaignOf('?utm_name=a&utm_campaign=b')).toEqual({ name: 'b' })
  })

  it.each([
    '',
    '?',
    '?UTM_SOURCE=a',
    '?utm_=a',
    '?utm_source',
    '?xutm_source=a',
    '?utm_source=%E0%A4%A',
    '?utm_source=a%0Ab',
    `?utm_source=${'x'.repeat(600)}`,
    '?utm___proto__=a',
  ])('knows none in "%s"', (search) => {
    expect(campaignOf(search)).toBeUndefined()
  })

  it('keeps names that objects have by themselves as what they are', () => {
    const campaign = campaignOf('?utm_source=a&utm_constructor=b')
    expect(Object.keys(campaign ?? {})).toEqual(['source', 'constructor'])
  })
})

describe('parseQuery', () => {
  it('does not look beyond the first 2048 characters', () => {
    const filler = `x=1&`.repeat(512)
    expect(parseQuery(`?${filler}utm_source=a`).map(({ name }) => name)).not.toContain('utm_source')
    expect(parseQuery(`?${filler.slice(4)}utm_source=a`).at(-1)).toEqual({ name: 'utm_source', value: 'a' })
  })
})

describe('readClickIds', () => {
  const clicksOf = (search: string) => readClickIds(parseQuery(search))

  it('names the best known platform and keeps each id', () => {
    expect(clicksOf('?fbclid=F1&GCLID=G1&q=1')).toEqual({
      type: 'google',
      id: 'G1',
      gclid: 'G1',
      fbclid: 'F1',
    })
    expect(clicksOf('?msclkid=M1&msclkid=M2')).toEqual({ type: 'microsoft', id: 'M1', msclkid: 'M1' })
  })

  it.each(['', '?gclid=', '?gclsrc=aw.ds', '?clid=1', '?__proto__=1'])('knows none in "%s"', (search) => {
    expect(clicksOf(search)).toBeUndefined()
  })
})

describe('any address', () => {
  const word = fc.oneof(
    fc.string({ maxLength: 20 }).map(encodeLoosely),
    fc.constantFrom(
      'utm_source',
      'utm_x',
      'q',
      '__proto__',
      'gclid',
      'jane@example.com',
      'a%40b.de',
      ';s=1',
      '@',
    ),
  )
  const search = fc
    .array(fc.tuple(word, word), { maxLength: 12 })
    .map((pairs) => `?${pairs.map((pair) => pair.join('=')).join('&')}`)
  const path = fc.array(word, { maxLength: 6 }).map((parts) => `/${parts.join('/')}`)

  it('loses every parameter that is neither of a campaign nor allowed, and every e-mail address', () => {
    fc.assert(
      fc.property(path, search, fc.boolean(), (pathname, query, script) => {
        const address = `https://shop.example${pathname}${query}`
        const headers = script
          ? { 'sec-fetch-dest': 'empty', referer: address }
          : { accept: html, referer: address }
        const page = pageOf(address, headers, ['q'])
        for (const part of Object.values(page ?? {})) expect(part).not.toMatch(/[^@/=]@[^@/=&]*\.[a-z]{2}/)
        for (const text of [page?.url, page?.referrer]) {
          if (text === undefined) continue
          const kept = new URL(text)
          expect(kept.hash).toBe('')
          for (const name of kept.searchParams.keys()) expect(name).toMatch(/^(utm_.+|q)$/)
        }
      }),
    )
  })

  it('is read without a throw, and in bounds', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (referer, accept, destination) => {
        const headers = { referer, accept, 'sec-fetch-dest': destination }
        expect(JSON.stringify(pageOf('https://shop.example/', headers) ?? {}).length).toBeLessThan(10_000)
      }),
    )
  })

  it.each([
    ['a long host', `https://${'a.'.repeat(2000)}`],
    ['many at signs', `https://shop.example/${'a@'.repeat(500)}`],
    ['many dots after one', `https://shop.example/a@${'b.'.repeat(500)}`],
    ['many encoded at signs', `https://shop.example/${'%2525'.repeat(200)}`],
    ['many parameters', `https://shop.example/?${'utm_a=a@b&'.repeat(390)}`],
    ['a long user', `https://${'u'.repeat(4000)}`],
  ])('costs little with %s', (_, referer) => {
    const request = requestFor('https://shop.example/', { accept: html, referer })
    let fastest = Number.POSITIVE_INFINITY
    for (let run = 0; run < 20; run++) {
      const start = performance.now()
      readPage(request, { query: [] })
      fastest = Math.min(fastest, performance.now() - start)
    }
    expect(fastest).toBeLessThan(1)
  })
})

function encodeLoosely(text: string): string {
  return encodeURI(text).replace(/[?#&]/g, '')
}
