import type { IncomingHttpHeaders } from 'node:http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TrackedRequest } from '../../src/model/tracked-request.js'
import {
  type RequestContextOptions,
  readRequestContext,
  toSegmentContext,
} from '../../src/request/segment-context.js'

function requestFor(url: string, headers: IncomingHttpHeaders = {}, ip?: string): TrackedRequest {
  return {
    headers,
    cookies: new Map(),
    method: 'GET',
    url: new URL(url),
    ...(ip !== undefined && { ip }),
    user: undefined,
    session: undefined,
    state: undefined,
    native: undefined,
  }
}

function readSegmentContext(
  request: TrackedRequest,
  options: RequestContextOptions,
  consent: Record<string, boolean>,
) {
  return toSegmentContext(readRequestContext(request, options), consent)
}

const browser =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36'
const visit = requestFor(
  'https://shop.example/shoes?utm_campaign=summer&gclid=G1&token=s3cret&q=red',
  {
    accept: 'text/html',
    'user-agent': browser,
    'accept-language': 'de-AT,de;q=0.9',
    referer: 'https://search.example/?q=private',
  },
  '::ffff:203.0.113.77',
)

describe('the context of an event', () => {
  it('reads everything by default, but no click ids without consent', () => {
    expect(readSegmentContext(visit, {}, {})).toEqual({
      ip: '203.0.113.77',
      userAgent: browser,
      locale: 'de-AT',
      page: {
        url: 'https://shop.example/shoes?utm_campaign=summer',
        path: '/shoes',
        search: '?utm_campaign=summer',
        referrer: 'https://search.example/',
      },
      campaign: { name: 'summer' },
    })
  })

  it('reads click ids with consent to marketing', () => {
    const referrer = { type: 'google', id: 'G1', gclid: 'G1' }
    expect(readSegmentContext(visit, {}, { marketing: true }).referrer).toEqual(referrer)
    for (const consent of [{ marketing: false }, { analytics: true }, Object.create({ marketing: true })]) {
      expect(JSON.stringify(readSegmentContext(visit, {}, consent))).not.toContain('G1')
    }
  })

  it.each(['ip', 'userAgent', 'locale', 'page', 'campaign'] as const)(
    'leaves %s out where it is off',
    (part) => {
      const all = readSegmentContext(visit, {}, { marketing: true })
      const rest = readSegmentContext(visit, { [part]: false }, { marketing: true })
      const { [part]: _, ...expected } = all
      if (part === 'campaign') delete expected.referrer
      expect(rest).toEqual(expected)
    },
  )

  it('cuts the address to its network where it is asked to', () => {
    expect(readSegmentContext(visit, { ip: 'anonymize' }, {}).ip).toBe('203.0.113.0')
  })

  it('keeps the parameters that are named', () => {
    expect(readSegmentContext(visit, { page: { query: ['q'] } }, {}).page).toMatchObject({
      url: 'https://shop.example/shoes?utm_campaign=summer&q=red',
    })
  })

  it('leaves out what the request does not tell', () => {
    expect(readSegmentContext(requestFor('http://localhost/'), {}, { marketing: true })).toEqual({
      page: { url: 'http://localhost/', path: '/' },
    })
    const script = requestFor('http://localhost/?utm_source=a', {
      'sec-fetch-dest': 'empty',
      'accept-language': '*',
    })
    expect(readSegmentContext(script, {}, {})).toEqual({})
  })

  it('does not ask for the address where neither page nor campaign is read', () => {
    const request = Object.defineProperty(requestFor('http://localhost/'), 'url', {
      get() {
        throw new Error('asked for the address')
      },
    })
    expect(readSegmentContext(request, { page: false, campaign: false }, {})).toEqual({})
  })

  it("takes the campaign from the page, also from a script's", () => {
    const script = requestFor('https://shop.example/api', {
      'sec-fetch-dest': 'empty',
      referer: 'https://shop.example/shoes?utm_source=mail&fbclid=F1',
    })
    expect(readSegmentContext(script, {}, { marketing: true })).toEqual({
      page: {
        url: 'https://shop.example/shoes?utm_source=mail',
        path: '/shoes',
        search: '?utm_source=mail',
      },
      campaign: { source: 'mail' },
      referrer: { type: 'meta', id: 'F1', fbclid: 'F1' },
    })
  })

  it('gives objects of its own each time', () => {
    const read = readRequestContext(visit, {})
    const [one, other] = [
      toSegmentContext(read, { marketing: true }),
      toSegmentContext(read, { marketing: true }),
    ]
    expect(one).toEqual(other)
    expect(one).not.toBe(other)
    expect(one.page).not.toBe(other.page)
    expect(one.campaign).not.toBe(other.campaign)
    expect(one.referrer).not.toBe(other.referrer)
  })

  it('reads any headers without a throw, and in bounds', () => {
    const name = fc.constantFrom(
      'user-agent',
      'accept-language',
      'referer',
      'accept',
      'sec-fetch-dest',
      'origin',
    )
    const text = fc.oneof(
      fc.string(),
      fc.webUrl({ withQueryParameters: true }),
      fc.string({ minLength: 2000 }),
    )
    fc.assert(
      fc.property(fc.dictionary(name, text), fc.string(), (headers, ip) => {
        const context = readSegmentContext(
          requestFor('http://localhost/', headers, ip),
          {},
          { marketing: true },
        )
        expect(JSON.stringify(context).length).toBeLessThan(16_000)
        expect(Object.values(context)).not.toContain(undefined)
      }),
    )
  })
})
