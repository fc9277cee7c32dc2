import type { InjectOptions } from 'fastify'
import { type RecordedTracking, recordTracking, trackingMatchers } from 'reqtrack/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { shopConfig } from '../../shop/tracking.js'
import { createApp } from '../app.js'

expect.extend(trackingMatchers)

describe('the shop', () => {
  let recorded: RecordedTracking
  let app: ReturnType<typeof createApp>
  let cookies: Record<string, string>

  beforeEach(() => {
    // The config of production: only the way to Segment is another.
    recorded = recordTracking(shopConfig({ settings: { writeKey: 'test' } }))
    app = createApp(recorded)
    cookies = {}
  })
  // The plugin shuts the tracking down, too.
  afterEach(() => app.close())

  /** Asks as one visitor, whose browser keeps cookies. No server is needed. */
  async function post(url: string, payload: object, headers: InjectOptions['headers'] = {}) {
    const response = await app.inject({ method: 'POST', url, payload, cookies, headers })
    for (const { name, value } of response.cookies) cookies[name] = value
    return response.statusCode
  }

  it('tells which product a visitor looks at, if they want it', async () => {
    const view = { name: 'product view', data: { id: 'tent', name: 'Tent', price: 349, currency: 'EUR' } }
    const sameOrigin = { 'sec-fetch-site': 'same-origin' }
    cookies.consent = '{"analytics":true,"marketing":false}'
    expect(await post('/collect', view, sameOrigin)).toBe(200)
    await recorded.settled()
    expect(recorded).toHaveTracked('Product Viewed', { product_id: 'tent' })

    cookies.consent = '{"analytics":false}'
    expect(await post('/collect', view, sameOrigin)).toBe(200)
    await recorded.settled()
    expect(recorded.drops).toMatchObject([{ reason: 'consent', event: { name: 'product view' } }])
  })

  it('tells who ordered what, and who signed out', async () => {
    expect(await post('/login', { user: 'ada' })).toBe(200)
    expect(await post('/orders', { product: 'tent', quantity: 2 })).toBe(201)
    expect(await post('/logout', {})).toBe(200)
    await recorded.settled()
    expect(recorded).toHaveIdentified('ada', { name: 'Ada Lovelace' })
    expect(recorded).toHaveTracked('Order Completed', {
      total: 698,
      products: [{ product_id: 'tent', quantity: 2 }],
    })
    expect(recorded).toHaveTracked('Signed Out')
    expect(recorded.calls.map(({ userId }) => userId)).toEqual(['ada', 'ada', 'ada'])
  })

  it('tells nothing of an order that was not taken', async () => {
    expect(await post('/orders', { product: 'a boat' })).toBe(404)
    await recorded.settled()
    expect(recorded.calls).toEqual([])
  })
})
