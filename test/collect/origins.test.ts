import express from 'express'
import { describe, expect, it } from 'vitest'
import { expressCollect } from '../../src/frameworks/express.js'
import { endpoint, frameworks, type Sent } from './endpoint.js'

const body = { name: 'product view' }
/** A request of which the browser says nothing; a client that is none can say anything. */
const silent = { origin: undefined, 'sec-fetch-site': undefined }

describe.each(frameworks)('a page in $name', (framework) => {
  it.each<{ page: string; headers: Sent['headers']; status: number }>([
    { page: 'of the own origin', headers: {}, status: 200 },
    {
      page: 'of the own origin, in a browser without Sec-Fetch-Site',
      headers: { 'sec-fetch-site': undefined },
      status: 200,
    },
    { page: 'of the own origin that sends no origin', headers: { origin: 'null' }, status: 200 },
    { page: 'that a referrer alone names', headers: { ...silent, referer: 'OWN/cart' }, status: 200 },
    {
      page: 'of a named origin',
      headers: { origin: 'https://shop.example', 'sec-fetch-site': 'cross-site' },
      status: 200,
    },
    {
      page: 'of a named origin that a referrer alone names',
      headers: { ...silent, referer: 'https://shop.example/' },
      status: 200,
    },
    {
      page: 'of another origin',
      headers: { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      status: 403,
    },
    {
      page: 'of another origin that says that it is of the same',
      headers: { origin: 'https://evil.example' },
      status: 403,
    },
    {
      page: 'of another origin that a referrer alone names',
      headers: { ...silent, referer: 'https://evil.example/' },
      status: 403,
    },
    {
      page: 'of a subdomain',
      headers: { origin: 'https://a.shop.example', 'sec-fetch-site': 'same-site' },
      status: 403,
    },
    {
      page: 'of an origin that begins as a named one',
      headers: { origin: 'https://shop.example.evil.example', 'sec-fetch-site': 'cross-site' },
      status: 403,
    },
    {
      page: 'of a named host by another scheme',
      headers: { origin: 'http://shop.example', 'sec-fetch-site': 'cross-site' },
      status: 403,
    },
    { page: 'of no origin', headers: { origin: 'null', 'sec-fetch-site': 'cross-site' }, status: 403 },
    { page: 'that says nothing', headers: silent, status: 403 },
    {
      page: 'that says nonsense',
      headers: { origin: 'nonsense', 'sec-fetch-site': 'nonsense' },
      status: 403,
    },
  ])('$page gets $status', async ({ headers, status }) => {
    const { url, send, calls } = await endpoint({ framework, options: { origin: 'https://shop.example' } })
    const all = Object.fromEntries(
      Object.entries(headers ?? {}).map(([name, value]) => [name, value?.replace('OWN', url)]),
    )
    const answered = await send('', { headers: all, body })
    expect(answered.status).toBe(status)
    expect(await calls()).toHaveLength(status === 200 ? 1 : 0)
    expect(answered.headers.vary).toContain('Origin')
    const { origin } = { origin: url, ...all }
    const isShared = status === 200 && origin !== undefined && origin !== 'null'
    expect(answered.headers['access-control-allow-origin']).toBe(isShared ? origin : undefined)
  })

  it('can read why its events are not taken: a client that cannot tries again for ever', async () => {
    const { send } = await endpoint({ framework, options: { origin: 'https://shop.example' } })
    const headers = { origin: 'https://shop.example', 'sec-fetch-site': 'cross-site' }
    for (const [path, sent, status] of [
      ['', 'no JSON', 400],
      ['/t', { event: 'x'.repeat(70_000) }, 413],
      ['/nowhere', {}, 404],
    ] as const) {
      const answered = await send(path, { headers, body: sent })
      expect(answered.status).toBe(status)
      expect(answered.headers['access-control-allow-origin']).toBe('https://shop.example')
    }
  })

  it('asks first, and is told what it may send', async () => {
    const { send } = await endpoint({ framework, options: { origin: ['https://shop.example'] } })
    const asking = {
      'sec-fetch-site': 'cross-site',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    }
    const allowed = await send('/t', {
      method: 'OPTIONS',
      headers: { ...asking, origin: 'https://shop.example' },
    })
    expect(allowed.status).toBe(204)
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': expect.stringContaining('POST'),
      'access-control-allow-headers': expect.stringContaining('content-type'),
    })
    const refused = await send('/t', {
      method: 'OPTIONS',
      headers: { ...asking, origin: 'https://evil.example' },
    })
    expect(refused.status).toBe(403)
    expect(refused.headers).not.toHaveProperty('access-control-allow-origin')
  })
})

describe('behind a proxy that speaks TLS', () => {
  it('compares the page with the host that the client asked for', async () => {
    const { send } = await endpoint({
      app: ({ tracking, options }) => {
        const app = express()
        app.set('trust proxy', 'loopback')
        app.use('/collect', expressCollect(tracking, options))
        return app
      },
    })
    const forwarded = { 'x-forwarded-host': 'shop.example', 'x-forwarded-proto': 'https' }
    const own = await send('', {
      headers: { ...forwarded, origin: 'https://shop.example', 'sec-fetch-site': undefined },
      body,
    })
    expect(own.status).toBe(200)
    const other = await send('', { headers: { ...forwarded, 'sec-fetch-site': undefined }, body })
    expect(other.status).toBe(403)
  })
})
