import express = require('express')

import type { Tracking } from 'reqtrack'
import { expressTracking } from 'reqtrack/express'

/** A CommonJS part of the same application. */
export function routes(tracking: Tracking): express.Router {
  const router = express.Router()
  router.use(expressTracking(tracking))
  router.get('/', (req, res) => {
    req.track('order complete', { total: 42 })
    req.tracker.user({ id: 'u-1' })
    // @ts-expect-error: no such event
    req.track('order completed', { total: 42 })
    // @ts-expect-error: a property is missing
    req.track('order complete', {})
    res.send('hello')
  })
  return router
}
