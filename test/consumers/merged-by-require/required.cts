import express from 'express'
import { createTracking, type Tracker } from 'reqtrack'
import destinationSegment, { type destinationSegment as named } from 'reqtrack/destination'
import { expressTracking } from 'reqtrack/express'

declare module 'reqtrack' {
  interface TrackEvents {
    'session start': { method: 'password' | 'passkey' }
  }
}

const app = express()
app.use(expressTracking(createTracking({ settings: { writeKey: 'KEY' } })))

app.post('/login', (req, res) => {
  const tracker: Tracker = req.tracker
  tracker.track('session start', { method: 'passkey' })
  // @ts-expect-error: no such method
  req.track('session start', { method: 'magic' })
  // @ts-expect-error: no such event
  req.track('session started', { method: 'password' })
  res.sendStatus(204)
})

export const same: typeof named = destinationSegment
