import express from 'express'
import { describe, expect, it } from 'vitest'
import { expressTracking } from '../src/frameworks/express.js'
import { segmentServer, serve, trackingTo } from './support/servers.js'

describe('req.track()', () => {
  it('reaches Segment after the response, with who did it', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { mapping: { order: { complete: { name: 'Order Completed' } } } })
    const app = express()
    app.use(expressTracking(tracking))
    app.use((req, _res, next) => {
      Object.assign(req, { user: { id: 7 } })
      next()
    })
    app.post('/orders', (req, res) => {
      req.track('order complete', { id: 'A-1', total: 42 })
      res.status(201).json({ ok: true })
    })
    const { url } = await serve(app)

    const response = await fetch(`${url}/orders`, {
      method: 'POST',
      headers: { cookie: 'ajs_anonymous_id=23adfd82-aa0f-45a7-a756-24f2a7a4c895' },
    })
    expect(response.status).toBe(201)
    const call = await segment.waitFor(() => true)
    expect(call).toMatchObject({
      type: 'track',
      event: 'Order Completed',
      userId: '7',
      anonymousId: '23adfd82-aa0f-45a7-a756-24f2a7a4c895',
      properties: { id: 'A-1', total: 42 },
    })
    await tracking.flush()
    expect(tracking.stats().calls).toMatchObject({ made: 1, delivered: 1, pending: 0 })
  })
})
