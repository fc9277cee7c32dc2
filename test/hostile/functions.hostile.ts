import { setTimeout } from 'node:timers/promises'
import { Analytics, type Plugin } from '@segment/analytics-node'
import express from 'express'
import fc from 'fast-check'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import type { Tracker, TrackingConfig } from '../../src/index.js'
import { createTracking } from '../../src/index.js'
import { definePlan } from '../../src/plan/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { segmentServer, serve } from '../support/servers.js'
import { holds } from './generated.js'
import { expectBooksBalance, watchProcess } from './harm.js'
import { type Act, type Misbehaviour, misbehaviour } from './misbehaviour.js'

const SLOTS = [
  'userId',
  'anonymousId',
  'consent',
  'user',
  'skip',
  'fn',
  'condition',
  'loop',
  'policy',
  'data',
  'dispatch',
  'waitUntil',
  'senderConsent',
  'schema',
  'delivered',
  'dropped',
  'failed',
  'violation',
  'error',
  'shutdown',
  'logger',
  'ambientRun',
  'ambientGet',
  'plugin',
  'pluginLoad',
  'makeRequest',
  'analytics',
  'analyticsFlush',
  'analyticsOn',
  'beforeSend',
  'globals',
] as const

type Slot = (typeof SLOTS)[number]
type Acts = Partial<Record<Slot, Misbehaviour>>

/** An application in which some functions misbehave; the others do what they should. */
const application: fc.Arbitrary<Acts> = fc
  .subarray([...SLOTS], { minLength: 1, maxLength: 4 })
  .chain((slots) =>
    fc
      .tuple(...slots.map(() => misbehaviour))
      .map((acts) => Object.fromEntries(slots.map((slot, at) => [slot, acts[at]])) as Acts),
  )

const SHUTDOWN_MS = 400
/** What timers of a busy machine take longer. */
const MARGIN_MS = 2_000
const TIMER_MS = 10

describe('an application whose functions misbehave', () => {
  beforeEach(() => {
    // A line that its own logger did not take goes to the console.
    for (const method of ['error', 'log', 'warn', 'info', 'debug'] as const)
      vi.spyOn(console, method).mockImplementation(() => {})
  })

  it('answers as ever, loses no event silently, and shuts down in time', async () => {
    const { harm } = watchProcess()
    const segment = await segmentServer()
    await holds(
      fc.asyncProperty(fc.array(application, { minLength: 1, maxLength: 12 }), async (applications) => {
        const results = await Promise.all(applications.map((acts) => play(acts, segment)))
        // Rejections that nobody handles are told after the microtasks of a turn.
        await new Promise(setImmediate)
        expect(harm.splice(0)).toEqual([])
        for (const result of results) expect(result).toEqual({ answers: ['200 ok', '200 ok'], thrown: [] })
      }),
      16,
      true,
    )
  })
})

/** Two requests, a job and a socket of such an application, and its end. */
async function play(acts: Acts, segment: SegmentServer) {
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
    ? (misbehaving(acts.senderConsent, () => ({ analytics: true })) as () => Record<string, boolean>)
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

/** Does what it should where it does not misbehave. */
function misbehaving(bad: Misbehaviour | undefined, good: Act): Act {
  return bad ? bad.act : good
}

function configOf(acts: Acts, segment: SegmentServer): TrackingConfig {
  const pick = (slot: Slot, good: Act = () => undefined) => misbehaving(acts[slot], good) as () => never
  const standIn = acts.analytics || acts.analyticsFlush || acts.analyticsOn
  const method = pick('analytics', (_params, done) => {
    if (typeof done === 'function') Reflect.apply(done, undefined, [])
  })
  return {
    settings: {
      writeKey: 'test-key',
      host: segment.url,
      flushInterval: 5,
      ...(acts.makeRequest && { httpClient: { makeRequest: pick('makeRequest') } }),
    },
    ...(standIn && {
      env: {
        analytics: {
          track: method,
          identify: method,
          group: method,
          page: method,
          screen: method,
          flush: pick('analyticsFlush'),
          ...(acts.analyticsOn && { on: pick('analyticsOn') }),
        },
      },
    }),
    consent: { analytics: true },
    request: {
      userId: pick('userId', () => 'u-1'),
      anonymousId: pick('anonymousId', () => 'a-1'),
      consent: pick('consent', () => ({ analytics: true })),
      user: pick('user', () => ({ email: 'me@shop.example' })),
      skip: pick('skip', () => false),
    },
    policy: { 'data.total': { fn: pick('policy', () => 1) } },
    data: { fn: pick('data', () => ({ all: 1 })) },
    mapping: {
      order: {
        complete: {
          name: 'Order Completed',
          data: {
            map: {
              total: { fn: pick('fn', () => 7) },
              items: { loop: ['data.items', { fn: pick('loop', () => 1) }] },
            },
          },
        },
        fail: [{ condition: pick('condition', () => true), name: 'Order Failed' }],
      },
    },
    plan: definePlan({
      events: {
        'order complete': {
          schema: {
            '~standard': { version: 1, vendor: 'own', validate: pick('schema', (value) => ({ value })) },
          },
        },
      },
      unplanned: 'report',
      invalid: 'omit',
    }),
    ...(acts.beforeSend && { beforeSend: pick('beforeSend') }),
    ...(acts.globals && { globals: pick('globals') }),
    ...(acts.dispatch && { dispatch: pick('dispatch') }),
    ...(acts.waitUntil && { waitUntil: pick('waitUntil') }),
    ...((acts.ambientRun || acts.ambientGet) && {
      ambient: {
        run: misbehaving(acts.ambientRun, (_tracker, work) =>
          Reflect.apply(work as Act, undefined, []),
        ) as never,
        get: pick('ambientGet'),
      },
    }),
    logger: { handler: pick('logger'), ...(acts.logger && { level: 'DEBUG' }) },
    on: {
      delivered: pick('delivered'),
      dropped: pick('dropped'),
      failed: pick('failed'),
      violation: pick('violation'),
      error: pick('error'),
      shutdown: pick('shutdown'),
    },
  }
}

/** Registers a plugin that misbehaves with the shared client, as an application would. */
async function register(analytics: Analytics, acts: Acts): Promise<void> {
  if (!(analytics instanceof Analytics)) return
  const run = misbehaving(acts.plugin, (context) => context) as NonNullable<Plugin['track']>
  const load = misbehaving(acts.pluginLoad, async () => {}) as Plugin['load']
  const plugin: Plugin = {
    name: 'own',
    type: 'before',
    version: '1',
    isLoaded: () => true,
    load,
    track: run,
    identify: run,
  }
  // What the client says of the plugin is the application's to handle.
  await analytics.register(plugin).catch(() => {})
}
