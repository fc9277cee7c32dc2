import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { fromNamespace } from '../../src/context/cls-hooked.js'
import { internalsOf } from '../../src/frameworks/adapter.js'
import { expressTracking } from '../../src/frameworks/express.js'
import type { TrackingConfig } from '../../src/index.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'
import { type Context, contexts, namespace } from './contexts.js'

const CONSENT: Partial<TrackingConfig['settings']> = {
  consent: { marketing: 'Advertising', analytics: 'Analytics' },
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await (turn % 3 ? undefined : new Promise(setImmediate))
}

/** Holds requests until there are so many: answered in the same turn, they are dispatched in the same, too. */
function barrier(count: number): () => Promise<void> {
  const waiting: (() => void)[] = []
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve)
      if (waiting.length === count) for (const answer of waiting.splice(0)) answer()
    })
}

describe.each(contexts)('identity and consent from $name', ({ open }) => {
  async function start({ ambient, userId, consent }: Context, config: Pick<TrackingConfig, 'request'> = {}) {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, {
      ...(ambient && { ambient }),
      settings: CONSENT,
      request: { userId, consent, ...config.request },
    })
    return { segment, tracking, app: express() }
  }

  it('are its own for each of 1,000 interleaved requests', async () => {
    const context = open()
    const { segment, tracking, app } = await start(context)
    const consentOf = (user: number) => ({ marketing: user % 2 === 0, analytics: user % 3 === 0 })
    app.use((_req, _res, next) => context.begin(next), expressTracking(tracking))
    app.get('/:user', async (req, res) => {
      const user = Number(req.params.user)
      // Who it is shows late, as where a session comes from a database.
      await turns(user % 7)
      req.track('visit begin', { user })
      context.remember({ userId: `u${user}`, consent: consentOf(user) })
      await turns(user % 11)
      tracking.current()?.track('order begin', { user })
      await sleep(user % 5)
      tracking.current()?.track('order complete', { user })
      await turns(user % 13)
      if (user % 17 === 0) await once(res.end('hello'), 'finish')
      await turns(user % 3)
      tracking.current()?.track('mail send', { user })
      if (!res.writableEnded) res.end('hello')
    })
    const { url } = await serve(app)
    const agent = new Agent({ keepAlive: true, maxSockets: 100 })
    onTestFinished(() => agent.destroy())
    await Promise.all(
      Array.from({ length: 1_000 }, async (_, user) => {
        const asked = request(`${url}/${user}`, { agent }).end()
        const [response] = await once(asked, 'response')
        response.resume()
        await once(response, 'end')
      }),
    )
    await tracking.flush({ timeout: 15_000 })
    expect(tracking.stats()).toMatchObject({
      events: { tracked: 4_000, dispatched: 4_000 },
      calls: { made: 4_000, delivered: 4_000 },
    })
    const counts = new Map<unknown, number>()
    const strangers = segment.calls.filter((call) => {
      const user = call.type === 'track' ? Number(call.properties?.user) : Number.NaN
      counts.set(user, (counts.get(user) ?? 0) + 1)
      const { marketing, analytics } = consentOf(user)
      const { categoryPreferences } = Object(call.context?.consent)
      return (
        call.userId !== `u${user}` ||
        categoryPreferences.Advertising !== marketing ||
        categoryPreferences.Analytics !== analytics
      )
    })
    expect(strangers).toEqual([])
    expect([...counts.values()].every((count) => count === 4)).toBe(true)
    expect(counts.size).toBe(1_000)
  }, 60_000)

  it('are nobody’s where the application did not put any, whoever else is served', async () => {
    const context = open()
    const { segment, tracking, app } = await start(context, {
      request: { userId: [context.userId, ({ url }) => (url.pathname === '/public' ? 'nobody' : undefined)] },
    })
    const answerTogether = barrier(20)
    app.use((_req, _res, next) => context.begin(next), expressTracking(tracking))
    app.use(async (req, res) => {
      if (req.path === '/signed-in') context.remember({ userId: 'u1', consent: { marketing: true } })
      req.track('page view', { path: req.path })
      await answerTogether()
      res.end('hello')
    })
    const { url } = await serve(app)
    const paths = Array.from({ length: 20 }, (_, index) => (index % 2 ? '/public' : '/signed-in'))
    await Promise.all(paths.map((path) => fetch(url + path)))
    await tracking.flush()
    expect(segment.calls).toHaveLength(20)
    for (const call of segment.calls) {
      const isPublic = call.type === 'track' && call.properties?.path === '/public'
      expect(call.userId).toBe(isPublic ? 'nobody' : 'u1')
      expect(Object(call.context?.consent).categoryPreferences).toMatchObject({ Advertising: !isPublic })
    }
  })

  it('are its own in what is first tracked when the response is out, or cut off', async () => {
    const context = open()
    const { segment, tracking, app } = await start(context)
    let second = () => {}
    const answered = new Promise<void>((resolve) => {
      second = resolve
    })
    app.use((_req, _res, next) => context.begin(next), expressTracking(tracking))
    app.get('/:user', async (req, res) => {
      const { user } = req.params
      context.remember({ userId: user, consent: { marketing: user === 'u1', analytics: user !== 'u1' } })
      res.on('close', () => req.track('page serve'))
      // The first answer is sent last, and takes the second with it. The third never comes.
      if (user === 'u1') await answered
      if (user === 'u3') req.socket.destroy()
      else res.send('hello')
      second()
    })
    const { server } = await serve(app)
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    const get = (user: string) => `GET /${user} HTTP/1.1\r\nHost: shop.example\r\n\r\n`
    for (const requests of [get('u1') + get('u2'), get('u3')]) {
      const socket = connect(address.port, '127.0.0.1')
      socket.end(requests)
      socket.resume()
      await once(socket, 'close')
    }
    await segment.waitFor(3)
    const told = segment.calls.map(({ userId, context }) => [
      userId,
      Object(context?.consent).categoryPreferences,
    ])
    expect(Object.fromEntries(told)).toEqual({
      u1: { Advertising: true, Analytics: false },
      u2: { Advertising: false, Analytics: true },
      u3: { Advertising: false, Analytics: true },
    })
    await tracking.flush()
  })

  it.each([
    { pageViews: true, consentUpdates: false },
    { pageViews: false, consentUpdates: true },
    { pageViews: false, consentUpdates: false },
  ])(
    'are its own in what is read at the end of pipelined requests: page views $pageViews, choices $consentUpdates',
    async (options) => {
      const context = open()
      const { segment, tracking, app } = await start(context, { request: options })
      const known: unknown[] = []
      const stop = internalsOf(tracking, 'test').watch((entry) => {
        if (entry.type === 'ended') known.push(Object(entry.who()).userId)
      })
      // Who watches makes the end of every request be read: without them, what is tracked has to see to it.
      if (options.pageViews || options.consentUpdates) stop()
      let second = () => {}
      const answered = new Promise<void>((resolve) => {
        second = resolve
      })
      app.use((_req, _res, next) => context.begin(next), expressTracking(tracking))
      app.get('/:user', async (req, res) => {
        const user = req.params.user
        context.remember({ userId: user, consent: { marketing: user === 'u1' } })
        if (options.consentUpdates) req.tracker.consent({ analytics: true })
        // The first answer is sent last, and takes the second with it.
        if (user === 'u1') await answered
        res.send('<p>hello</p>')
        second()
      })
      const { server } = await serve(app)
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('the server has no port')
      const socket = connect(address.port, '127.0.0.1')
      const get = (user: string, last: string) =>
        `GET /${user} HTTP/1.1\r\nHost: shop.example\r\nSec-Fetch-Dest: document\r\n${last}\r\n`
      socket.end(get('u1', '') + get('u2', 'Connection: close\r\n'))
      socket.resume()
      await once(socket, 'close')
      await tracking.flush()
      const told = segment.calls.map(({ type, userId, context }) => ({
        type,
        userId,
        consent: Object(context?.consent).categoryPreferences,
      }))
      const of = (userId: string, marketing: boolean) => ({
        type: options.pageViews ? 'page' : 'track',
        userId,
        consent: { Advertising: marketing, Analytics: options.consentUpdates },
      })
      const isTold = options.pageViews || options.consentUpdates
      expect(told).toEqual(isTold ? [of('u1', true), of('u2', false)] : [])
      expect(known).toEqual(isTold ? [] : ['u1', 'u2'])
    },
  )
})

describe('fromNamespace() with the default ambient context', () => {
  it('finds nobody for a request that does not run in the namespace, whoever else does', async () => {
    const shop = namespace()
    const segment = await segmentServer()
    const tracking = trackingTo(segment, {
      settings: CONSENT,
      request: {
        userId: fromNamespace(shop, 'userId'),
        consent: fromNamespace(shop, 'consent'),
        anonymousId: () => 'somebody',
      },
    })
    const app = express()
    const answerTogether = barrier(20)
    app.use(expressTracking(tracking))
    app.use('/app', (_req, _res, next) => shop.run(() => next()))
    app.use(async (req, res) => {
      if (req.path === '/app') {
        shop.set('userId', 'u1')
        shop.set('consent', { marketing: true })
      }
      req.track('page view', { path: req.path })
      await answerTogether()
      res.end('hello')
    })
    const { url } = await serve(app)
    const paths = Array.from({ length: 20 }, (_, index) => (index % 2 ? '/public' : '/app'))
    await Promise.all(paths.map((path) => fetch(url + path)))
    await tracking.flush()
    expect(segment.calls).toHaveLength(20)
    for (const call of segment.calls) {
      const signedIn = call.type === 'track' && call.properties?.path === '/app'
      expect(call.userId ?? undefined).toBe(signedIn ? 'u1' : undefined)
      expect(Object(call.context?.consent).categoryPreferences).toMatchObject({ Advertising: signedIn })
    }
  })
})
