import { type RecordedTracking, recordTracking, trackingMatchers } from 'reqtrack/testing'
import request from 'supertest'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { shopConfig } from '../../shop/tracking.js'
import { createApp } from '../app.js'

expect.extend(trackingMatchers)

const agreed = 'consent={"analytics":true,"marketing":false}'
const refused = 'consent={"analytics":false}'

describe('the shop', () => {
  let recorded: RecordedTracking
  let visitor: ReturnType<typeof request.agent>

  beforeEach(() => {
    // The config of production: only the way to Segment is another.
    recorded = recordTracking(shopConfig({ settings: { writeKey: 'test' } }))
    visitor = request.agent(createApp(recorded).callback())
  })
  afterEach(() => recorded.shutdown())

  /** What the product's page sends from the visitor's browser. */
  function look(consent: string) {
    const view = { name: 'product view', data: { id: 'tent', name: 'Tent', price: 349, currency: 'EUR' } }
    return visitor.post('/collect').set({ cookie: consent, 'sec-fetch-site': 'same-origin' }).send(view)
  }

  it('tells which product a visitor looks at', async () => {
    await look(agreed).expect(200)
    await recorded.settled()
    expect(recorded).toHaveTracked('Product Viewed', { product_id: 'tent', price: expect.any(Number) })
    expect(recorded.calls[0]).toMatchObject({
      anonymousId: expect.any(String),
      context: { consent: { categoryPreferences: { Analytics: true, Advertising: false } } },
    })
  })

  it('does not tell it of a visitor who does not want it', async () => {
    await look(refused).expect(200)
    await recorded.settled()
    expect(recorded).not.toHaveTracked('Product Viewed')
    expect(recorded.drops).toMatchObject([{ reason: 'consent', event: { name: 'product view' } }])
  })

  it('tells who ordered what', async () => {
    await visitor.post('/login').send({ user: 'ada' }).expect(200)
    await visitor.post('/orders').send({ product: 'tent', quantity: 2 }).expect(201)
    await recorded.settled()
    expect(recorded).toHaveIdentified('ada', { name: 'Ada Lovelace' })
    expect(recorded).toHaveTracked('Order Completed', {
      total: 698,
      products: [{ product_id: 'tent', quantity: 2 }],
    })
    expect(recorded.calls.at(-1)).toMatchObject({ userId: 'ada' })
  })

  it('still knows who signed out', async () => {
    await visitor.post('/login').send({ user: 'grace' }).expect(200)
    await visitor.post('/logout').expect(200)
    await recorded.settled()
    expect(recorded).toHaveTracked('Signed Out')
    expect(recorded.calls.at(-1)).toMatchObject({ userId: 'grace' })
  })

  it('tells nothing of an order that was not taken', async () => {
    await visitor.post('/orders').send({ product: 'a boat' }).expect(404)
    await recorded.settled()
    expect(recorded.calls).toEqual([])
  })
})
