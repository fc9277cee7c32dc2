import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const entry = new URL('../../src/testing/index.ts', import.meta.url).href
const root = fileURLToPath(new URL('../..', import.meta.url))

/** Leaves one request of each lasting fault open, one that waits, and closes: nothing but that may end the process. */
const script = `
import { connect } from 'node:net'
import { createSegmentServer } from ${JSON.stringify(entry)}
const server = await createSegmentServer()
server.respondWith([
  { hang: true, record: true },
  { delay: 3_600_000, record: true },
  { drip: 3_600_000, record: true },
])
const authorization = 'Basic ' + Buffer.from('test:').toString('base64')
const outcomes = []
for (const messageId of ['m1', 'm2', 'm3']) {
  const body = JSON.stringify({ batch: [{ type: 'identify', userId: 'u1', messageId }] })
  const request = fetch(server.url + '/v1/batch', { method: 'POST', headers: { authorization }, body })
  outcomes.push(request.then(() => 'answered', () => 'ended'))
  await server.waitFor((call) => call.messageId === messageId)
}
const idle = connect(server.port, '127.0.0.1')
await new Promise((resolve) => idle.once('connect', resolve))
outcomes.push(server.waitFor(99, 3_600_000).catch(() => 'ended'))
await server.stop()
await server.start()
await server.close()
console.log(JSON.stringify([await Promise.all(outcomes), server.batches.map((batch) => batch.status)]))
`

test('after close nothing of the endpoint keeps the process alive', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const [code] = await once(child, 'close')
  expect(errors).toBe('')
  expect(code).toBe(0)
  expect(JSON.parse(output)).toEqual([
    ['ended', 'ended', 'ended', 'ended'],
    ['hang', 'aborted', 'aborted'],
  ])
})
