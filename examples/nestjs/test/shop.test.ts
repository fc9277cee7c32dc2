import { type RecordedTracking, recordTracking, trackingMatchers } from 'reqtrack/testing'
import request from 'supertest'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { shopConfig } from '../../shop/tracking.js'
import { createApp } from '../app.js'

expect.extend(trackingMatchers)

describe('the shop', () => {
  let recorded: RecordedTracking
  let app: Awaited<ReturnType<typeof createApp>>
  let visitor: ReturnType<typeof request.agent>

  beforeEach(async () => {
    // The config of production: only the way to Segment is another.
    recorded = recordTracking(shopConfig({ settings: { writeKey: 'test' } }))
    app = await createApp(recorded)
    await app.init()
    visitor = request.agent(app.getHttpServer())
  })
  // The module shuts the tracking down, too.
  afterEach(() => app.close())

  it('tells of the catalogue only who agreed to it', async () => {
    const agreed = 'consent={"analytics":true,"marketing":false}'
    await visitor.get('/').set('cookie', agreed).expect(200)
    await visitor.get('/').set('cookie', 'consent={"analytics":false}').expect(200)
    await recorded.settled()
    expect(recorded.calls).toMatchObject([{ type: 'page', name: 'Catalogue', category: 'Shop' }])
    expect(recorded.drops).toMatchObject([{ reason: 'consent', event: { name: 'page view' } }])
  })

  it('tells who ordered what, and who signed out', async () => {
    await visitor.post('/login').send({ user: 'ada' }).expect(200)
    await visitor.post('/orders').send({ product: 'tent', quantity: 2 }).expect(201)
    await visitor.post('/logout').expect(200)
    await recorded.settled()
    expect(recorded).toHaveIdentified('ada', { name: 'Ada Lovelace' })
    expect(recorded).toHaveTracked('Order Completed', {
      total: 698,
      products: [{ product_id: 'tent', quantity: 2 }],
    })
    expect(recorded).toHaveTracked('Signed Out')
    expect(recorded.calls.map(({ userId }) => userId)).toEqual(['ada', 'ada', 'ada'])
  })

  it('tells nothing of what a guard or a controller refuses', async () => {
    await visitor.post('/newsletter').expect(401)
    await visitor.post('/orders').send({ product: 'a boat' }).expect(404)
    await recorded.settled()
    expect(recorded.calls).toEqual([])
  })

  it('answers a browser with a page where a request fails, and a program with JSON', async () => {
    const page = await visitor.get('/stock').set('accept', 'text/html,*/*;q=0.8').expect(503)
    expect(page.text).toContain('The warehouse does not answer.')
    expect(page.text).toContain('<!doctype html>')
    await visitor.get('/stock').expect(503, { error: 'The warehouse does not answer.' })
  })
})
