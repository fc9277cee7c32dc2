import { Agent, get } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { segmentServer } from '../support/servers.js'
import { startChild } from './child.js'
import type { ComposedOptions } from './fixtures/composed.js'

/**
 * Ten requests are open when the process is told to end; each tracks two events. When the last two end, and with them
 * the server, Segment has not answered to the first 15 events yet.
 */
async function drain(options: Omit<ComposedOptions, 'segment'>) {
  const segment = await segmentServer()
  segment.respondWith({ delay: 600 })
  const app = startChild('composed.ts', { ...options, segment: segment.url } satisfies ComposedOptions)
  const [ready] = await app.tell('ready')
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  const ask = (ms: number) =>
    new Promise<number | undefined>((resolve, reject) => {
      const url = `http://127.0.0.1:${ready?.ports[0]}/slow/${ms}`
      get(url, { agent }, (res) => res.resume().on('end', () => resolve(res.statusCode))).on('error', reject)
    })
  const answers = Array.from({ length: 10 }, (_, index) => ask(index < 8 ? 300 : 500))
  await app.tell('request', 10)
  const asked = app.signal('SIGTERM')
  const statuses = await Promise.all(answers)
  // A kept connection would hold `server.close()`: that is the server's affair, and not what is looked at here.
  agent.destroy()
  const { code, at } = await app.exited
  expect(statuses).toEqual(Array.from(answers, () => 200))
  expect(code).toBe(0)
  return { arrived: segment.calls.length, ms: at - asked }
}

describe.each(['close-with-grace', 'terminus'] as const)('with %s', (by) => {
  it("tracking.shutdown() delivers 20 of 20 events; the SDK's closeAndFlush() in its place leaves 5 behind", async () => {
    const [ours, theirs] = await Promise.all([
      drain({ by, sender: 'reqtrack' }),
      drain({ by, sender: 'sdk' }),
    ])
    expect(ours.arrived).toBe(20)
    expect(ours.ms).toBeLessThan(2_500)
    expect(theirs.arrived).toBe(15)
  })
})
