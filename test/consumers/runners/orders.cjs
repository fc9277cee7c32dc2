// What a user's test does, whatever runs it: drives an application, and looks at what was recorded and what arrived.
const assert = require('node:assert/strict')
const { once } = require('node:events')
const { request } = require('node:http')

/** A busy machine takes long. */
const WAIT_MS = 60_000

const config = {
  settings: { writeKey: 'runner', flushInterval: 20 },
  mapping: { order: { complete: { name: 'Order Completed' } } },
}

/** @param look - A matcher's view of what was recorded, where the runner has matchers. */
module.exports = async function orders(
  { createTracking, recordTracking, createSegmentServer, expressTracking, express },
  look = () => {},
) {
  const recorded = recordTracking(config)
  await drive(recorded, { expressTracking, express })
  await recorded.settled()
  look(recorded)
  assert.deepEqual(
    recorded.calls.map(({ event }) => event),
    ['Order Completed'],
  )
  await recorded.shutdown()

  const segment = await createSegmentServer()
  const tracking = createTracking({ ...config, settings: { ...config.settings, host: segment.url } })
  await drive(tracking, { expressTracking, express })
  await segment.waitFor(1, WAIT_MS)
  const { delivered } = await tracking.shutdown()
  assert.equal(delivered, 1)
  await segment.close()
}

async function drive(tracking, { expressTracking, express }) {
  const app = express()
  app.use(expressTracking(tracking))
  app.post('/orders', (req, res) => {
    req.track('order complete', { total: 42 })
    res.sendStatus(201)
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // Not by fetch(), which Jest 27 hides from its tests.
  const headers = { cookie: 'ajs_anonymous_id=11111111-2222-4333-8444-555555555555', connection: 'close' }
  const sent = request({ method: 'POST', port: server.address().port, path: '/orders', headers }).end()
  const [response] = await once(sent, 'response')
  assert.equal(response.statusCode, 201)
  await once(response.resume(), 'end')
  server.close()
  await once(server, 'close')
}
