import express from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import type { Tracking } from '../../src/index.js'
import { type RecordingConfig, recordTracking } from '../../src/testing/index.js'
import { visitor } from '../support/servers.js'

const QUIET = { logger: { handler: () => {} } }

function recordingFor(config?: RecordingConfig) {
  const recorded = recordTracking(config)
  onTestFinished(() => void recorded.shutdown({ timeout: 100 }))
  return recorded
}

function shop(tracking: Tracking) {
  const app = express()
  app.use(expressTracking(tracking))
  app.post('/orders', (req, res) => {
    req.track('order complete', { id: 'A-1', total: 42 })
    res.status(201).json({ ok: true })
  })
  return app
}

describe('recordTracking()', () => {
  it('records the calls, events and drops of real requests, and sends nothing', async () => {
    const recorded = recordingFor({
      ...QUIET,
      mapping: { order: { complete: { name: 'Order Completed' } } },
      settings: { host: 'http://127.0.0.1:1' },
    })
    const app = shop(recorded)
    app.get('/', (req, res) => {
      req.track('page view', {}, { timestamp: 1_700_000_000_000 })
      req.track('walker wrong')
      res.send('ok')
    })
    await request(app).post('/orders').set(visitor('a1')).expect(201)
    await request(app).get('/').set(visitor('a2')).expect(200)
    await recorded.settled()
    expect(recorded.calls).toMatchObject([
      {
        type: 'track',
        event: 'Order Completed',
        anonymousId: 'a1',
        properties: { id: 'A-1', total: 42 },
        messageId: expect.any(String),
        context: { page: { path: '/orders' } },
      },
      { type: 'track', event: 'page view', anonymousId: 'a2', timestamp: '2023-11-14T22:13:20.000Z' },
    ])
    expect(recorded.events).toMatchObject([
      { name: 'order complete', user: { session: 'a1' }, data: { total: 42 } },
      { name: 'page view', user: { session: 'a2' } },
    ])
    expect(recorded.drops).toMatchObject([{ reason: 'invalid', event: { name: 'walker wrong' } }])
    expect(recorded.failures).toEqual([])
    expect(recorded.stats().calls).toMatchObject({ made: 2, delivered: 2, pending: 0 })
  })

  it('settles at once when nothing is open', async () => {
    await recordingFor().settled()
  })

  it('settles when requests, background work and asynchronous readers are done, and not before', async () => {
    const open: { finish?: () => void; answer?: () => void } = {}
    const answered = new Promise<string>((resolve) => Object.assign(open, { answer: () => resolve('a1') }))
    const recorded = recordingFor({ request: { anonymousId: () => answered } })
    const app = express()
    app.use(expressTracking(recorded))
    app.get('/', (req, res) => {
      const work = new Promise<void>((resolve) => Object.assign(open, { finish: resolve }))
      req.tracker.waitUntil(work.then(() => req.track('export finish')))
      res.send('ok')
    })
    await request(app).get('/').expect(200)
    let settled = false
    const waiting = recorded.settled().then(() => {
      settled = true
    })
    await new Promise(setImmediate)
    expect(settled).toBe(false)
    open.finish?.()
    await expect.poll(() => recorded.stats().events.open).toBe(1)
    expect(settled).toBe(false)
    open.answer?.()
    await waiting
    expect(recorded.calls).toMatchObject([{ event: 'export finish', anonymousId: 'a1' }])
  })

  it('says what it waits for when a request stays open', async () => {
    const recorded = recordingFor()
    const app = express()
    app.use(expressTracking(recorded))
    app.get('/', (_req, res) => void res.write('an endless '))
    const server = app.listen(0, '127.0.0.1')
    onTestFinished(() => server.closeAllConnections())
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const response = await fetch(`http://127.0.0.1:${port}/`)
    await expect(recorded.settled({ timeout: 20 })).rejects.toThrow(/after 20 ms a request is still open/)
    await response.body?.cancel()
    await recorded.settled()
  })

  it('begins anew when cleared: the lists are empty, and people are identified again', async () => {
    const recorded = recordingFor({
      settings: { identify: { map: { traits: { map: { plan: { value: 'free' } } } } } },
    })
    const app = shop(recorded)
    const { calls } = recorded
    const types = async () => {
      await request(app).post('/orders').set(visitor('a1'))
      await recorded.settled()
      return calls.map(({ type }) => type)
    }
    expect(await types()).toEqual(['identify', 'track'])
    expect(await types()).toEqual(['identify', 'track', 'track'])
    recorded.clear()
    expect(recorded.calls).toEqual([])
    expect(recorded.events).toEqual([])
    expect(await types()).toEqual(['identify', 'track'])
    expect(recorded.calls).toBe(calls)
  })

  it('refuses what production refuses: the config, and calls that Segment does not take', async () => {
    expect(() => recordTracking({ settings: { flushAt: 0 } })).toThrow(/flushAt/)
    const recorded = recordingFor({
      ...QUIET,
      data: { fn: () => ({ text: 'x'.repeat(40_000) }) },
    })
    await request(shop(recorded)).post('/orders').set(visitor('a1'))
    await recorded.settled()
    expect(recorded.calls).toEqual([])
    expect(recorded.failures).toMatchObject([{ reason: 'too-large', call: { type: 'track' } }])
    // The SDK's own validation, by the SDK itself.
    expect(() => Reflect.apply(recorded.segment.track, recorded.segment, [{ event: 'x' }])).toThrow(/userId/)
  })

  it('keeps the callbacks of the config, and the client of env out of it', async () => {
    const dropped: string[] = []
    const called: string[] = []
    const method = (name: string) => () => void called.push(name)
    const other = {
      track: method('track'),
      identify: method('identify'),
      group: method('group'),
      page: method('page'),
      screen: method('screen'),
    }
    const recorded = recordingFor({
      ...QUIET,
      env: { analytics: other },
      on: { dropped: ({ reason }) => dropped.push(reason) },
    })
    const app = express()
    app.use(expressTracking(recorded))
    app.get('/', (req, res) => {
      req.track('walker wrong')
      req.track('page view')
      res.send('ok')
    })
    await request(app).get('/').set(visitor('a1'))
    await recorded.settled()
    expect(dropped).toEqual(['invalid'])
    expect(recorded.calls).toHaveLength(1)
    expect(called).toEqual([])
  })

  it('records at its shutdown what nobody has waited for', async () => {
    const recorded = recordTracking()
    await request(shop(recorded)).post('/orders').set(visitor('a1'))
    expect(await recorded.shutdown()).toMatchObject({ delivered: 1, failed: 0, timedOut: false })
    expect(recorded.calls).toHaveLength(1)
  })
})
