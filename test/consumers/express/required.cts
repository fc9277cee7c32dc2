import express = require('express')

import { createTracking } from 'reqtrack'
import { expressTracking } from 'reqtrack/express'

const tracking = createTracking({
  settings: { writeKey: process.env.SEGMENT_WRITE_KEY ?? '', host: process.env.SEGMENT_HOST ?? '' },
  mapping: { order: { complete: { name: 'Order Completed' } } },
})

const app = express()
app.use(expressTracking(tracking))
app.post('/orders', (req, res) => {
  req.track('order complete', { id: 'A-1', total: 42 })
  req.tracker.identify('u-1')
  res.sendStatus(201)
})

/** Only compiled: a mistake. */
export function compiled(): void {
  app.use((req) => {
    // @ts-expect-error: a name is a string
    req.track(42)
  })
}

const server = app.listen(Number(process.env.PORT))
tracking.shutdownOnSignals({ server })
