import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { withTracking } from '../../src/frameworks/fetch.js'
import { honoTracking } from '../../src/frameworks/hono.js'
import { recordTracking } from '../../src/testing/index.js'
import { visitor } from '../support/servers.js'

const request = () => new Request('http://shop.example/a', { headers: visitor('somebody') })

describe('a host that is not as it should be', () => {
  it.each([
    [
      'throws',
      () => {
        throw new Error('broken')
      },
    ],
    ['rejects', () => Promise.reject(new Error('broken'))],
  ])('harms nothing where its waitUntil %s', async (_how, waitUntil) => {
    const recorded = recordTracking({ logger: { handler: () => {} } })
    const handler = withTracking(
      recorded,
      async (_request: Request) => {
        recorded.current()?.track('order complete')
        return new Response('hello')
      },
      { waitUntil: waitUntil as never },
    )
    expect(await (await handler(request())).text()).toBe('hello')
    await recorded.settled()
    expect(recorded.calls).toHaveLength(1)
  })

  it('harms nothing where the signal of its request throws', async () => {
    const recorded = recordTracking({ logger: { handler: () => {} } })
    const handler = withTracking(recorded, (_request: Request) => {
      recorded.current()?.track('order complete')
      return new Response('hello')
    })
    const given = request()
    Object.defineProperty(given, 'signal', {
      get: () => {
        throw new Error('none here')
      },
    })
    expect(await handler(given).text()).toBe('hello')
    await recorded.settled()
    expect(recorded.calls).toHaveLength(1)
  })

  it('may mount parts: each request has one tracker, in a sub-application that mounts it again and in a mounted handler', async () => {
    const recorded = recordTracking()
    const sub = new Hono().get('/orders/:id', (c) => {
      c.var.track('order view', { same: recorded.current() === c.var.tracker })
      return c.text('hello')
    })
    const app = new Hono()
    app.use(honoTracking(recorded))
    sub.use(honoTracking(recorded))
    app.route('/shop', sub)
    app.mount('/mounted', (inner) =>
      withTracking(recorded, (_r: Request) => {
        recorded.current()?.track('order mount')
        return new Response('hello')
      })(inner),
    )
    expect((await app.request('/shop/orders/7', { headers: visitor('somebody') })).status).toBe(200)
    expect((await app.request('/mounted/x', { headers: visitor('somebody') })).status).toBe(200)
    await recorded.settled()
    expect(recorded.calls).toMatchObject([
      { event: 'order view', properties: { same: true } },
      { event: 'order mount' },
    ])
  })
})
