import express from 'express'
import { createTracking, type Tracker } from 'reqtrack'
import { expressTracking } from 'reqtrack/express'
import { trackRefund } from './required.cjs'

declare module 'reqtrack' {
  interface TrackEvents {
    'order complete': { total: number }
    'order refund': { reason: string }
  }
}

const app = express()
app.use(expressTracking(createTracking({ settings: { writeKey: 'KEY' } })))

app.post('/orders', (req, res) => {
  req.track('order complete', { total: 42 })
  // @ts-expect-error: total is a number
  req.track('order complete', { total: '42' })
  // @ts-expect-error: no such event
  req.track('order completed', { total: 42 })

  const tracker: Tracker = req.tracker
  trackRefund(tracker)
  res.sendStatus(201)
})
