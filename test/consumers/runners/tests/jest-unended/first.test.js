// Tracks, and does not wait for the delivery: much of a test suite does not know that anything is tracked.
const { once } = require('node:events')
const { get } = require('node:http')
const { createTracking } = require('reqtrack')
const { expressTracking } = require('reqtrack/express')
const express = require('express')

test('a page is shown', async () => {
  const tracking = createTracking({
    settings: { writeKey: 'runner', host: 'http://127.0.0.1:9', flushInterval: 200 },
    request: { anonymousId: () => 'visitor' },
  })
  const app = express()
  app.use(expressTracking(tracking))
  app.get('/', (req, res) => {
    req.track('page view')
    res.send('page')
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const [response] = await once(get({ port: server.address().port, agent: false }), 'response')
  await once(response.resume(), 'end')
  server.close()
  await once(server, 'close')
})
