// Runs an application of the README's kind against the local Segment endpoint of the installed package:
// node drive.mjs <file> <route> [SIGTERM]. An order is posted, its call has to arrive, and SIGTERM has to end it with exit code 0,
// or by the signal where that is named.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createSegmentServer } from 'reqtrack/testing'

const [file, route, signal] = process.argv.slice(2)
const WRITE_KEY = 'package-check'
/** A busy machine takes long: nothing here is a measure of speed. */
const STARTS_WITHIN_MS = 60_000
const DELIVERS_WITHIN_MS = 60_000
const ENDS_WITHIN_MS = 150_000

const segment = await createSegmentServer({ writeKey: WRITE_KEY })
const port = await freePort()
const app = spawn(process.execPath, [file], {
  env: { ...process.env, SEGMENT_WRITE_KEY: WRITE_KEY, SEGMENT_HOST: segment.url, PORT: String(port) },
  stdio: 'inherit',
  timeout: ENDS_WITHIN_MS,
  killSignal: 'SIGKILL',
})
const ended = once(app, 'exit')

try {
  const response = await postWhenListening(`http://127.0.0.1:${port}${route}`)
  assert.ok(response.ok, `POST ${route} was answered ${response.status}`)
  app.kill('SIGTERM')
  const call = await segment.waitFor(
    (call) => call.type === 'track' && call.event === 'Order Completed',
    DELIVERS_WITHIN_MS,
  )
  assert.ok(call.messageId)
  assert.deepEqual(
    await ended,
    signal ? [null, signal] : [0, null],
    'the application did not end cleanly at SIGTERM',
  )
} finally {
  app.kill('SIGKILL')
  await segment.close()
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

/** A process that was just started has no event to say that it listens: the port is asked until it answers. */
async function postWhenListening(url) {
  const giveUp = Date.now() + STARTS_WITHIN_MS
  for (;;) {
    try {
      return await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          cookie: 'ajs_anonymous_id=11111111-2222-4333-8444-555555555555',
        },
        body: JSON.stringify({ id: 'A-1', total: 42 }),
      })
    } catch (error) {
      if (app.exitCode !== null) throw new Error(`${file} ended with exit code ${app.exitCode}`)
      if (Date.now() > giveUp) throw error
      await sleep(50)
    }
  }
}
