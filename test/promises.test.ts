import { once } from 'node:events'
import { Analytics } from '@segment/analytics-node'
import express from 'express'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { expressTracking } from '../src/frameworks/express.js'
import { definePlan } from '../src/plan/index.js'
import { expectBalance } from './support/books.js'
import { requestsOf, segmentServer, serve, trackingTo, visitor } from './support/servers.js'

const broken = (): never => {
  throw new Error('broken')
}

describe('promise 1: never in the way', () => {
  async function answerOf(mount: (app: express.Express) => void) {
    const app = express()
    app.disable('x-powered-by')
    mount(app)
    app.get('/', (req, res) => {
      req.track?.('page view', { total: 1n })
      req.track?.('not-an-event')
      res.status(203).set('date', 'now').set('x-test', 'yes').send('the body')
    })
    const { url } = await serve(app)
    const response = await fetch(url, { headers: visitor('s1') })
    return { status: response.status, headers: [...response.headers], body: await response.text() }
  }

  const rejecting = () => Promise.reject(new Error('broken'))

  it.each([
    ['throws', broken],
    ['rejects', rejecting as never],
  ])('answers the same where everything that tracking is given %s', async (_how, broken: () => never) => {
    const segment = await segmentServer()
    segment.respondWith({ hang: true })
    const expected = await answerOf(() => {})
    // Where lines go whose handler failed.
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => printed.mockRestore())
    const tracking = trackingTo(segment, {
      request: {
        userId: broken,
        anonymousId: rejecting,
        consent: broken,
        skip: broken,
      },
      settings: { userId: { fn: broken }, identify: { fn: broken } },
      policy: { 'data.x': { condition: broken } },
      data: { fn: broken },
      dispatch: broken,
      globals: broken,
      beforeSend: broken,
      logger: { handler: broken },
      plan: definePlan({
        events: { 'page view': { '~standard': { version: 1, vendor: 'broken', validate: broken } } },
        unplanned: 'report',
      }),
      on: {
        dropped: broken,
        delivered: broken,
        failed: broken,
        violation: broken,
        error: broken,
        shutdown: broken,
      },
    })
    expect(await answerOf((app) => app.use(expressTracking(tracking)))).toEqual(expected)
    await tracking.flush({ timeout: 100 })
    expectBalance(tracking.stats())
    expect(tracking.stats().events.tracked).toBe(2)
    expect(tracking.stats().events.open).toBe(0)
    expect(printed.mock.calls.join()).toContain('the callback on.dropped failed')
  })

  it('has the response out before it does anything for Segment', async () => {
    const segment = await segmentServer()
    const order: string[] = []
    const tracking = trackingTo(segment, { request: { consent: () => void order.push('consent') } })
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker, _req, res) => {
      res.on('finish', () => order.push('finished'))
      tracker.track('page view')
    }, visitor('s1'))
    await tracking.flush()
    expect(order).toEqual(['finished', 'consent'])
  })
})

describe('promise 2: never mixes people up', () => {
  it('keeps user, visitor, consent and context of 300 interleaved requests apart', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, {
      settings: {
        consent: { marketing: 'Advertising' },
        identify: { map: { traits: { map: { plan: 'data.plan' } } } },
      },
      request: { consent: (request) => ({ marketing: request.headers['x-consent'] === 'yes' }) },
    })
    const app = express()
    app.use(expressTracking(tracking))
    app.get('/:person', async (req, res) => {
      const { person } = req.params
      for (let step = 0; step < 5; step++) {
        await new Promise(setImmediate)
        tracking.current()?.track('page view', { person, plan: 'free' })
      }
      Object.assign(req, { user: { id: person } })
      res.send('ok')
    })
    const { url } = await serve(app)
    await Promise.all(
      Array.from({ length: 300 }, async (_, person) => {
        const headers = {
          ...visitor(`a${person}`),
          'x-consent': person % 2 ? 'yes' : 'no',
          'user-agent': `agent ${person}`,
        }
        await (await fetch(`${url}/u${person}`, { headers })).text()
      }),
    )
    await segment.waitFor(1_800)
    expect(segment.calls).toHaveLength(1_800)
    for (const call of segment.calls) {
      const person = call.userId?.slice(1)
      expect(call).toMatchObject({
        anonymousId: `a${person}`,
        context: {
          userAgent: `agent ${person}`,
          consent: { categoryPreferences: { Advertising: Number(person) % 2 === 1 } },
        },
      })
      if (call.type === 'track') expect(call.properties).toMatchObject({ person: `u${person}` })
    }
    expect(segment.calls.filter(({ type }) => type === 'identify')).toHaveLength(300)
  })
})

describe('promise 3: consent first', () => {
  it('sends nothing that is refused or unknown, and the whole state with what it sends', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, {
      consent: { analytics: true },
      settings: { consent: { analytics: 'Analytics', marketing: 'Advertising' } },
      request: {
        consent: (request) => {
          const header = request.headers['x-consent']
          return typeof header === 'string' ? JSON.parse(header) : undefined
        },
      },
    })
    const inRequest = await requestsOf(tracking)
    for (const consent of [
      '{"analytics":true,"marketing":false}',
      '{"analytics":false,"marketing":true}',
      undefined,
    ]) {
      await inRequest(
        (tracker) => {
          tracker.track('page view')
          tracker.identify('alice')
        },
        consent === undefined ? visitor('s1') : { ...visitor('s1'), 'x-consent': consent },
      )
    }
    await tracking.flush()
    expect(segment.calls).toHaveLength(2)
    for (const { context } of segment.calls) {
      expect(context?.consent).toEqual({ categoryPreferences: { Analytics: true, Advertising: false } })
    }
    expect(tracking.stats().events.dropped.consent).toBe(4)
  })
})

describe('promise 4: one client', () => {
  it('serves several apps, routers and requests with one', async () => {
    const track = vi.spyOn(Analytics.prototype, 'track')
    const segment = await segmentServer()
    const tracking = trackingTo(segment)
    const app = () => {
      const made = express()
      const router = express.Router()
      made.use(expressTracking(tracking))
      router.use(expressTracking(tracking))
      router.get('/', (req, res) => {
        req.track('page view')
        res.send('ok')
      })
      return made.use(router)
    }
    const servers = [await serve(app()), await serve(app())]
    for (const { url } of [...servers, ...servers])
      await (await fetch(url, { headers: visitor('s1') })).text()
    await segment.waitFor(4)
    expect(track).toHaveBeenCalledTimes(4)
    expect(new Set(track.mock.contexts)).toEqual(new Set([tracking.segment]))
    track.mockRestore()
  })
})

describe('promise 5: nothing vanishes silently', () => {
  it('books every event and every call, and tells each once', async () => {
    const segment = await segmentServer()
    const told: string[] = []
    const tracking = trackingTo(segment, {
      logger: { handler: () => {} },
      settings: { maxRetries: 0 },
      consent: { analytics: true },
      mapping: { order: { ignore: { ignore: true }, sample: { sample: 0 } } },
      beforeSend: (call, { name }) => (name === 'order withhold' ? null : call),
      request: { consent: () => ({ analytics: true }), skip: (request) => request.headers['x-skip'] === '1' },
      dispatch: ({ status }) => status !== 500,
      on: {
        delivered: ({ call }) => told.push(`delivered ${call.type}`),
        dropped: ({ reason }) => told.push(`dropped ${reason}`),
        failed: ({ call, reason }) => told.push(`failed ${call.type} ${reason}`),
      },
    })
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => {
      tracker.track('order complete')
      tracker.track('order ignore')
      tracker.track('order sample')
      tracker.track('order withhold')
      tracker.track('walker wrong')
      tracker.track('order complete', { text: 'x'.repeat(40_000) })
      tracker.track('order complete', {}, { consent: { analytics: false } })
      expectBalance(tracking.stats())
      expect(tracking.stats().events.open).toBe(5)
    }, visitor('s1'))
    await inRequest((tracker) => tracker.track('order complete'))
    await inRequest((tracker) => tracker.track('order complete'), { ...visitor('s1'), 'x-skip': '1' })
    await inRequest((tracker, _req, res) => {
      res.statusCode = 500
      tracker.track('order complete')
    }, visitor('s1'))
    await inRequest((tracker) => {
      tracker.track('order complete')
      tracker.discard()
    }, visitor('s1'))
    await tracking.flush()
    segment.respondWith({ status: 400 })
    await inRequest((tracker) => tracker.track('order complete'), visitor('s1'))
    await tracking.flush()
    let late: () => void = () => {}
    await inRequest((tracker) => {
      late = () => tracker.track('order complete')
    }, visitor('s1'))
    await tracking.shutdown()
    late()

    const reasons = [
      'invalid',
      'too-large',
      'discarded',
      'identity',
      'ignored',
      'sampled',
      'withheld',
      'consent',
      'outcome',
      'skipped',
      'closed',
    ]
    const expected = [
      'delivered track',
      ...reasons.map((reason) => `dropped ${reason}`),
      'failed track rejected',
    ]
    expect(told.sort()).toEqual(expected.sort())
    const stats = tracking.stats()
    expectBalance(stats)
    expect(stats.events).toMatchObject({ tracked: 13, open: 0, dispatched: 2 })
    expect(stats.calls).toMatchObject({
      made: 2,
      delivered: 1,
      pending: 0,
      withheld: 1,
      failed: { rejected: 1 },
    })
  })

  it('never shows the write key', async () => {
    const lines: string[] = []
    const segment = await segmentServer()
    const tracking = trackingTo(segment, {
      settings: { writeKey: 'the-secret-key', maxRetries: 0 },
      logger: { level: 'DEBUG', handler: (...line) => lines.push(JSON.stringify(line)) },
    })
    segment.respondWith({ status: 400 })
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => tracker.track('order complete'), visitor('s1'))
    await tracking.flush()
    const report = await tracking.shutdown()
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.join() + JSON.stringify([tracking.stats(), tracking.health(), report])).not.toContain(
      'the-secret-key',
    )
  })
})

describe('promise 6: shuts down clean', () => {
  it('lets the open request finish, delivers its events, and reports', async () => {
    const segment = await segmentServer()
    const reports: unknown[] = []
    const tracking = trackingTo(segment, {
      settings: { flushInterval: 60_000 },
      on: { shutdown: (report) => reports.push(report) },
    })
    const app = express()
    app.use(expressTracking(tracking))
    let finish: () => void = () => {}
    app.get('/', (req, res) => {
      finish = () => {
        req.track('order complete')
        res.send('done')
      }
      res.app.emit('open')
    })
    const { url } = await serve(app)
    const open = once(app, 'open')
    const response = fetch(url, { headers: visitor('s1') })
    await open
    const shutdown = tracking.shutdown()
    finish()
    expect(await (await response).text()).toBe('done')
    const report = await shutdown
    expect(report).toMatchObject({ delivered: 1, failed: 0, dropped: 0, pending: 0, timedOut: false })
    expect(reports).toEqual([report])
    expect(segment.calls).toMatchObject([{ event: 'order complete' }])
    expect(tracking.shutdown()).toBe(shutdown)
  })
})
