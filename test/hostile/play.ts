import { setTimeout } from 'node:timers/promises'
import express from 'express'
import { expect } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { createTracking, type Tracker } from '../../src/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { serve } from '../support/servers.js'
import { type Acts, configOf, picker, register } from './application.js'
import { expectBooksBalance } from './harm.js'

const SHUTDOWN_MS = 400
/** What timers of a busy machine take longer. */
const MARGIN_MS = 2_000
const TIMER_MS = 10

/** Two requests, a job and a socket of such an application, and its end. */
export async function play(acts: Acts, segment: SegmentServer) {
  const thrown: unknown[] = []
  const tracking = createTracking(configOf(acts, segment))
  if (acts.plugin || acts.pluginLoad) {
    await Promise.race([register(tracking.segment, acts), new Promise(setImmediate)])
  }
  const app = express()
  app.use(expressTracking(tracking))
  app.use((req, res) => {
    attempt(thrown, () => track(req.tracker))
    res.send('ok')
  })
  const { url } = await serve(app)
  const answers: string[] = []
  for (const path of ['/one', '/two']) {
    const answer = await fetch(url + path, { headers: { cookie: 'ajs_anonymous_id=a-1' } })
    answers.push(`${answer.status} ${await answer.text()}`)
  }
  const consent = acts.senderConsent
    ? picker(acts)<Record<string, boolean>>('senderConsent')
    : { analytics: true }
  attempt(thrown, () => tracking.run({ user: { id: 'u-2' }, consent }, track))
  attempt(thrown, () => track(tracking.forSender({ user: { id: 'u-3' }, consent })))
  attempt(thrown, () => void tracking.current())
  const before = performance.now()
  const control = inTimers(SHUTDOWN_MS + 50)
  await tracking.flush({ timeout: 50 })
  const report = await tracking.shutdown({ timeout: SHUTDOWN_MS })
  expect(report).toMatchObject({ timedOut: expect.any(Boolean) })
  const took = performance.now() - before
  expect(took).toBeLessThan(MARGIN_MS + (await control))
  expectBooksBalance(tracking)
  expect(tracking.stats().events.tracked).toBeGreaterThanOrEqual(16)
  return { answers, thrown }
}

/** How long so many milliseconds take in short timers, while others use the machine. */
async function inTimers(ms: number): Promise<number> {
  const before = performance.now()
  for (let left = ms; left > 0; left -= TIMER_MS) await setTimeout(TIMER_MS)
  return performance.now() - before
}

function track(tracker: Tracker): void {
  tracker.track('order complete', { total: 42, items: [{ id: 'P-1' }] })
  tracker.track('order fail')
  tracker.identify({ plan: 'team' })
  tracker.track('other thing')
  tracker.carry()
}

function attempt(thrown: unknown[], work: () => unknown): void {
  try {
    work()
  } catch (error) {
    thrown.push(error)
  }
}
