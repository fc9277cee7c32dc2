import type { ReceivedCall, SegmentServer } from 'reqtrack/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventInPage } from '../../scripts/demo/page-script.js'
import { type Shop, shops } from '../../scripts/demo/shops.js'
import { segmentServer, serve } from '../support/servers.js'

const AGREED = { consent: encodeURIComponent('{"analytics":true,"marketing":true}') }

describe.each(Object.keys(shops))('the %s shop', (name) => {
  it('makes a page call of the catalogue, and a track call of a product', async () => {
    const { visitor, delivered } = await open(name)
    const ada = visitor({ ...AGREED, ajs_anonymous_id: 'laptop' })
    const page = await ada.get('/')
    expect(page.headers.get('content-type')).toContain('text/html')
    expect(await page.text()).toContain('Two-person tent')
    await ada.look('/products/mug')

    expect(await delivered()).toMatchObject([
      { type: 'page', category: 'Shop', name: 'Catalogue', anonymousId: 'laptop' },
      {
        type: 'track',
        event: 'Product Viewed',
        anonymousId: 'laptop',
        properties: { product_id: 'mug', name: 'Enamel mug', price: 18, currency: 'EUR' },
      },
    ])
  })

  it('sends nothing of what is looked at without consent, and the choice with all the rest', async () => {
    const { visitor, delivered } = await open(name)
    const guest = visitor()
    await guest.get('/')
    await guest.look('/products/mug')
    await guest.post('/orders', { product: 'mug' })
    await visitor(AGREED).post('/orders', { product: 'map' })

    expect(await delivered()).toMatchObject([
      {
        event: 'Order Completed',
        properties: { total: 18 },
        context: { consent: { categoryPreferences: { Analytics: false, Advertising: false } } },
      },
      {
        event: 'Order Completed',
        properties: { total: 12 },
        context: { consent: { categoryPreferences: { Analytics: true, Advertising: true } } },
      },
    ])
  })

  it('identifies who signs in, with the anonymousId that they had before', async () => {
    const { visitor, delivered } = await open(name)
    const ada = visitor(AGREED)
    await ada.get('/')
    expect((await ada.post('/login', { user: 'ada' })).status).toBe(200)

    const [page, identify, ...more] = await delivered()
    expect(more).toEqual([])
    expect(page).toMatchObject({ type: 'page', anonymousId: expect.stringMatching(/^[\da-f-]{36}$/) })
    expect(page?.userId ?? undefined).toBeUndefined()
    expect(identify).toMatchObject({
      type: 'identify',
      userId: 'ada',
      anonymousId: page?.anonymousId,
      traits: { name: 'Ada Lovelace', email: 'ada@example.com' },
    })
  })

  it('completes an order that was sent as JSON or as a form', async () => {
    const { visitor, delivered, url } = await open(name)
    const ada = visitor()
    await ada.post('/login', { user: 'ada' })
    const answer = await ada.post('/orders', { product: 'tent', quantity: 2 })
    expect(answer.status).toBe(201)
    expect(await answer.json()).toMatchObject({ id: 'A-1001', total: 698, currency: 'EUR' })
    const form = new URLSearchParams({ product: 'map', quantity: '3' })
    expect((await fetch(`${url}/orders`, { method: 'POST', body: form })).status).toBe(201)

    expect(await delivered()).toMatchObject([
      { type: 'identify' },
      {
        event: 'Order Completed',
        userId: 'ada',
        properties: {
          order_id: 'A-1001',
          total: 698,
          currency: 'EUR',
          products: [{ product_id: 'tent', price: 349, quantity: 2 }],
        },
      },
      { event: 'Order Completed', properties: { order_id: 'A-1002', total: 36 } },
    ])
  })

  it('tells of the newsletter and the company, and keeps the user on the event of the logout', async () => {
    const { visitor, delivered } = await open(name)
    const grace = visitor()
    await grace.post('/login', { user: 'grace' })
    await grace.post('/newsletter')
    await grace.post('/company', { company: 'compilers' })
    expect(await (await grace.get('/')).text()).toContain('Grace Hopper, Compilers &amp; Sons')
    expect((await grace.post('/logout')).status).toBe(200)
    await grace.post('/orders', { product: 'mug' })

    const calls = await delivered()
    expect(calls).toMatchObject([
      { type: 'identify', userId: 'grace' },
      { type: 'identify', userId: 'grace', traits: { newsletter: true } },
      { type: 'group', userId: 'grace', groupId: 'compilers', traits: { plan: 'enterprise' } },
      { type: 'track', userId: 'grace', event: 'Signed Out' },
      { type: 'track', event: 'Order Completed' },
    ])
    expect(calls[4]?.userId ?? undefined).toBeUndefined()
    expect(calls[4]?.anonymousId).not.toBe(calls[3]?.anonymousId)
  })

  it('delivers what was tracked before a request failed', async () => {
    const { visitor, delivered } = await open(name)
    const response = await visitor().get('/stock')
    expect(response.status).toBe(503)
    expect(await response.json()).toEqual({ error: 'The warehouse does not answer.' })
    expect(await delivered()).toMatchObject([{ type: 'track', event: 'stock request' }])
  })

  it.skipIf(name === 'nestjs')('shows a person a page of what failed', async () => {
    const { visitor } = await open(name)
    const response = await visitor().get('/stock', { accept: 'text/html,*/*;q=0.8' })
    expect(response.status).toBe(503)
    expect(await response.text()).toContain('<p>The warehouse does not answer.</p>')
  })

  it('tracks nothing of a request that it refuses', async () => {
    const { visitor, delivered } = await open(name)
    const guest = visitor(AGREED)
    const refused = [
      [404, await guest.get('/products/nothing')],
      [401, await guest.post('/login', { user: 'mallory' })],
      [401, await guest.post('/login')],
      [404, await guest.post('/orders', { product: '__proto__' })],
      [400, await guest.post('/orders', { product: 'mug', quantity: -1 })],
      [400, await guest.post('/orders', { product: 'mug', quantity: 'many' })],
      [401, await guest.post('/company', { company: 'engines' })],
      [401, await guest.post('/newsletter')],
      [401, await guest.post('/logout')],
    ] as const
    for (const [status, response] of refused) {
      expect(response.status, response.url).toBe(status)
      expect(await response.json()).toEqual({ error: expect.any(String) })
    }
    await guest.post('/login', { user: 'ada' })
    expect((await guest.post('/company', { company: 'nobody' })).status).toBe(404)
    expect(await delivered()).toMatchObject([{ type: 'identify' }])
  })

  it('never mixes up visitors who use it at the same time', async () => {
    const { visitor, delivered } = await open(name)
    const visits = Array.from({ length: 40 }, async (_, index) => {
      const user = index % 2 === 0 ? 'ada' : 'grace'
      const someone = visitor({ ...(index % 3 === 0 ? AGREED : {}), ajs_anonymous_id: `${user}-${index}` })
      await someone.post('/orders', { product: 'map' })
      await someone.post('/login', { user })
      await someone.post('/orders', { product: user === 'ada' ? 'tent' : 'mug' })
      await someone.post('/logout')
    })
    await Promise.all(visits)

    const calls = await delivered()
    expect(calls).toHaveLength(40 * 4)
    for (const call of calls) {
      const [user, index] = (call.anonymousId ?? '').split('-')
      const total = call.type === 'track' ? call.properties?.total : undefined
      // What they ordered before they signed in is nobody's but the anonymous visitor's.
      expect(call.userId ?? undefined).toBe(total === 12 ? undefined : user)
      expect([undefined, 12, user === 'ada' ? 349 : 18]).toContain(total)
      const agreed = Number(index) % 3 === 0
      expect(call.context?.consent).toEqual({
        categoryPreferences: { Analytics: agreed, Advertising: agreed },
      })
    }
  })
})

interface Visitor {
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  /** Gets a page, and runs its script. */
  look(path: string): Promise<void>
  post(path: string, body?: object): Promise<Response>
}

interface OpenShop {
  readonly url: string
  /** Someone with a browser of their own, which keeps cookies. */
  visitor(cookies?: Readonly<Record<string, string>>): Visitor
  /** Everything that the shop tracked until now, in the order in which it happened. */
  delivered(): Promise<readonly ReceivedCall[]>
}

async function open(name: string): Promise<OpenShop> {
  const segment = await segmentServer()
  const shop = await shopOf(name)
  const tracking = shop.createTracking({
    settings: { writeKey: 'test-key', host: segment.url, flushInterval: 20 },
  })
  onTestFinished(async () => {
    await tracking.shutdown({ timeout: 1_000 })
  })
  const { url } = await serve(await shop.createListener(tracking))
  return {
    url,
    visitor: (cookies) => browser(url, cookies),
    async delivered() {
      await tracking.shutdown()
      return inOrder(segment)
    },
  }
}

async function shopOf(name: string): Promise<Shop> {
  const load = shops[name]
  if (!load) throw new Error(`there is no shop ${name}`)
  return load()
}

function browser(url: string, given: Readonly<Record<string, string>> = {}): Visitor {
  const cookies = new Map(Object.entries(given))
  const request = async (path: string, init: RequestInit): Promise<Response> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url + path, { ...init, headers: { ...init.headers, cookie } })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    return response
  }
  return {
    get: (path, headers = {}) => request(path, { headers }),
    async look(path) {
      const event = eventInPage(await (await request(path, {})).text())
      if (event !== undefined)
        await request('/collect', { method: 'POST', headers: { origin: url }, body: event })
    },
    post: (path, body) =>
      request(path, {
        method: 'POST',
        headers: body ? { 'content-type': 'application/json' } : {},
        ...(body && { body: JSON.stringify(body) }),
      }),
  }
}

/** Batches can overtake each other: the calls by the time of their events, which for one visitor is unambiguous. */
function inOrder(segment: SegmentServer): readonly ReceivedCall[] {
  return segment.calls.toSorted((a, b) => Date.parse(a.timestamp ?? '') - Date.parse(b.timestamp ?? ''))
}
