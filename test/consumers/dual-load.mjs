// One process that imports the package and requires it: the two copies share one ambient context and
// know each other's readers.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import express from 'express'
import { createTracking, oneTrust } from 'reqtrack'
import { expressTracking } from 'reqtrack/express'
import { createSegmentServer } from 'reqtrack/testing'

const require = createRequire(import.meta.url)
const required = require('reqtrack')
const requiredExpress = require('reqtrack/express')
assert.notEqual(
  required.createTracking,
  createTracking,
  'imported and required are one copy: nothing is shown',
)

// Each copy knows the other's readers from the functions that make them.
for (const consent of [required.oneTrust, oneTrust]) {
  assert.throws(
    () => createTracking({ settings: { writeKey: 'dual-load' }, request: { consent } }),
    /not the function that makes one: write oneTrust\(\)/,
  )
  assert.throws(() => required.strictest(consent), /write oneTrust\(\)/)
}

const segment = await createSegmentServer()
const config = { settings: { writeKey: 'dual-load', host: segment.url } }
const tracking = createTracking(config)
const helper = required.createTracking(config)

const seen = []
const app = express()
app.use('/imported', expressTracking(tracking))
app.use('/required', requiredExpress.expressTracking(tracking))
app.get('/:middleware', async (req, res) => {
  // Only the shared context can tell the helper which request runs: it has not been mounted.
  const own = helper.handle(req, res)
  await new Promise(setImmediate)
  seen.push(tracking.current() === req.tracker && helper.current() === own)
  tracking.current()?.track('page read', { middleware: req.params.middleware })
  res.sendStatus(204)
})

const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
for (const path of ['imported', 'required']) {
  await fetch(`http://127.0.0.1:${server.address().port}/${path}`, {
    headers: { cookie: 'ajs_anonymous_id=11111111-2222-4333-8444-555555555555' },
  })
}
assert.deepEqual(seen, [true, true], 'the required copy does not see the request that the imported one runs')

server.closeAllConnections()
server.close()
await tracking.shutdown()
await helper.shutdown()
assert.deepEqual(
  segment.calls.filter((call) => call.type === 'track').map((call) => call.properties.middleware),
  ['imported', 'required'],
)
await segment.close()
