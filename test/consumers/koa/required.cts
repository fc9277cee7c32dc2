import Koa = require('koa')

import { createTracking } from 'reqtrack'
import { koaTracking } from 'reqtrack/koa'

const app = new Koa()
app.use(koaTracking(createTracking({ settings: { writeKey: 'KEY' } })))
app.use((ctx) => {
  ctx.track('order complete', { total: 42 })
  ctx.tracker.identify('u-1')
  // @ts-expect-error: a name is a string
  ctx.track(42)
})
