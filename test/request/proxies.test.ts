import { request } from 'node:http'
import express from 'express'
import express4 from 'express4'
import { describe, expect, it } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import type { RequestOptions } from '../../src/index.js'
import { browser, frameworks, serverSite, site } from './site.js'

const full = (part: string, length: number) => part.repeat(Math.ceil(length / part.length)).slice(0, length)

describe.each(frameworks)('in $name', (framework) => {
  async function contextOf(headers: Record<string, string>, trustedHops?: number) {
    const { visit } = await site(
      framework,
      {},
      ({ tracker, send }) => {
        tracker.user({ session: 'a1' })
        tracker.track('page read')
        send('text/plain', 'ok')
      },
      trustedHops === undefined ? {} : { trustedHops },
    )
    const { calls } = await visit('/shoes', { ...browser, host: 'inner.example:3000', ...headers })
    const context = calls[0]?.context
    return { ip: context?.ip, url: Object(context?.page).url }
  }

  it.each([
    ['shop.example:8443', 'http://shop.example:8443'],
    ['shop.example', 'http://shop.example'],
    ['shop.example:8443, inner.example:3000', 'http://shop.example:8443'],
    [' shop.example:8443 ,inner.example', 'http://shop.example:8443'],
    ['inner.example:8443', 'http://inner.example:8443'],
    ['[2001:db8::1]:8443', 'http://[2001:db8::1]:8443'],
    ['evil.example/forged', 'http://localhost'],
    [full('a', 300), 'http://localhost'],
    [full('a', 14_000), 'http://localhost'],
    [`a${full(' ', 14_000)}b`, 'http://localhost'],
  ])('a trusted proxy’s X-Forwarded-Host %# is the origin with its port', async (host, origin) => {
    expect((await contextOf({ 'x-forwarded-host': host }, 1)).url).toBe(`${origin}/shoes`)
  })

  it.each([
    ['https', 'https://inner.example:3000'],
    ['https, http', 'https://inner.example:3000'],
    ['javascript', 'http://localhost'],
    [full('https,', 14_000), 'http://localhost'],
  ])('a trusted proxy’s X-Forwarded-Proto %# is the scheme', async (scheme, origin) => {
    expect((await contextOf({ 'x-forwarded-proto': scheme }, 1)).url).toBe(`${origin}/shoes`)
  })

  it('nobody else’s headers say anything, however long they are', async () => {
    for (const length of [30, 14_000]) {
      for (const name of ['x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-for']) {
        expect(await contextOf({ [name]: full('6.6.6.6, ', length) })).toEqual({
          ip: '127.0.0.1',
          url: 'http://inner.example:3000/shoes',
        })
      }
    }
  })

  it('a trusted proxy’s X-Forwarded-For is taken apart up to 512 characters', async () => {
    const last = '198.51.100.7'
    const upTo = (length: number) => `${full('6.6.6.6, ', length - last.length - 3)}6, ${last}`
    expect((await contextOf({ 'x-forwarded-for': upTo(500) }, 1)).ip).toBe(last)
    expect((await contextOf({ 'x-forwarded-for': upTo(14_000) }, 1)).ip).toBeUndefined()
  })
})

describe.each([
  ['Express 4', express4],
  ['Express 5', express],
])('in %s, where the peer is trusted by its address', (_, create) => {
  it.each<[string, RequestOptions['context']]>([
    ['whole', {}],
    ['without the address', { ip: false }],
  ])('a connection that has closed is, too: the context %s', async (_part, context) => {
    const { segment, tracking, url } = await serverSite({ request: { context } }, (made) => {
      const app = create()
      app.set('trust proxy', 'loopback')
      app.use(expressTracking(made))
      app.use((req, res) => {
        req.tracker.user({ session: 'a1' })
        req.tracker.track('page read')
        res.send('ok')
      })
      return (req, res) => void app(req, res)
    })
    await new Promise<void>((resolve, reject) => {
      const headers = {
        ...browser,
        host: 'inner.example',
        connection: 'close',
        'x-forwarded-host': 'shop.example:8443',
        'x-forwarded-proto': 'https',
      }
      request(`${url}/shoes`, { agent: false, headers }, (response) => response.resume().on('close', resolve))
        .on('error', reject)
        .end()
    })
    await tracking.flush()
    const calls = await segment.waitFor(1)
    expect(calls[0]?.context?.page).toMatchObject({ url: 'https://shop.example:8443/shoes' })
  })
})
