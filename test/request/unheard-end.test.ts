import { EventEmitter, once } from 'node:events'
import { type IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import { internalsOf } from '../../src/frameworks/adapter.js'
import type { Outcome } from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'
import { serve } from '../support/servers.js'

/** A tracking that keeps what it was told of the ends of requests. */
function endsOf() {
  const ends: (number | 'aborted')[] = []
  const errors: unknown[] = []
  const tracking = recordTracking({
    request: { anonymousId: () => 'somebody' },
    dispatch: ({ status }: Outcome) => ends.push(status ?? 'aborted') > 0,
    logger: { handler: () => {} },
    on: { error: (error) => errors.push(error) },
  })
  onTestFinished(async () => {
    await tracking.shutdown({ timeout: 100 })
  })
  return { tracking, ends, errors }
}

/** A tracking that keeps what observers are told of the ends of requests, which need not have tracked anything. */
function watchedEnds() {
  const { tracking } = endsOf()
  const statuses: (number | undefined)[] = []
  internalsOf(tracking, 'test').watch((step) => {
    if (step.type === 'ended') statuses.push(step.outcome.status)
  })
  return { tracking, statuses }
}

type Fake = Record<string, unknown>

/** As a unit test or an adapter makes a request up. */
function fakeRequest(more: Fake = {}): IncomingMessage {
  const request: Fake = { method: 'GET', url: '/', headers: {}, ...more }
  return request as unknown as IncomingMessage
}

/** A response that emits what it is told to, and keeps its own state. */
function fakeResponse(emits: readonly string[], more: Fake = {}): ServerResponse {
  const response = Object.assign(new EventEmitter(), {
    statusCode: 201,
    headersSent: false,
    end() {
      for (const name of emits) response.emit(name)
    },
    ...more,
  })
  return response as unknown as ServerResponse
}

/** Makes properties into getters that throw. */
function throwing(...names: string[]): Fake {
  const properties = names.map((name) => [name, { enumerable: true, get: refuse }] as const)
  return Object.defineProperties({}, Object.fromEntries(properties))
}

function refuse(): never {
  throw new Error('not here')
}

const sockets: Record<string, Fake> = {
  'no socket': {},
  'a socket that is null': { socket: null },
  'a socket that is an empty object': { socket: {} },
  'a socket that knows an address': { socket: { remoteAddress: '192.0.2.1' } },
  'a socket whose `on` is no function': { socket: { on: true } },
  'a socket whose `on` throws': { socket: { on: refuse } },
  'a socket that can only add listeners': { socket: { on() {} } },
  'a socket whose `off` throws': { socket: { on() {}, off: refuse } },
  'a frozen socket': { socket: Object.freeze(new EventEmitter()) },
  'a socket that is an emitter': { socket: new EventEmitter() },
  'an `on` that throws': { on: refuse, off: refuse },
  'an `on` without an `off`': { on() {} },
}

describe('a request of a test or an adapter', () => {
  it.each(Object.entries(sockets))('ends once with %s', async (_name, more) => {
    const { tracking, ends, errors } = endsOf()
    const response = fakeResponse(['finish', 'close', 'finish'])
    tracking.handle(fakeRequest(more), response).track('page view')
    response.end()
    await tracking.settled({ timeout: 1_000 })
    expect(ends).toEqual([201])
    expect(errors).toEqual([])
    expect(response.eventNames()).toEqual([])
    expect(await tracking.shutdown()).toMatchObject({ delivered: 1, timedOut: false })
  })

  it.each<[string, () => ServerResponse, number | 'aborted']>([
    ['only finishes', () => fakeResponse(['finish']), 201],
    ['only closes', () => fakeResponse(['close']), 'aborted'],
    [
      'only closes, and says that it was sent',
      () => fakeResponse(['close'], { writableFinished: true }),
      201,
    ],
    ['closes twice, before it finishes', () => fakeResponse(['close', 'close', 'finish']), 'aborted'],
  ])('ends once with a response that %s', async (_name, create, expected) => {
    const { tracking, ends } = endsOf()
    const response = create()
    const known = { ...response }
    // It says so when it is sent, and not before.
    Object.assign(response, { writableFinished: undefined })
    tracking.handle(fakeRequest({ socket: {} }), response).track('page view')
    Object.assign(response, known)
    response.end()
    await tracking.settled({ timeout: 1_000 })
    expect(ends).toEqual([expected])
    expect(await tracking.shutdown()).toMatchObject({ delivered: 1, timedOut: false })
  })

  const states = [
    { writableFinished: true },
    { writableEnded: true },
    { finished: true },
    { writableFinished: true, writableEnded: true, finished: true, closed: true, destroyed: true },
  ]
  it.each(states)('is found when its response emits nothing, but says %j', async (state) => {
    const { tracking, ends } = endsOf()
    const deaf = { on() {}, off() {}, emit() {} }
    const open = Object.fromEntries(Object.keys(state).map((name) => [name, false]))
    const response = { statusCode: 201, getHeader() {}, ...deaf, ...open } as unknown as ServerResponse
    tracking.handle(fakeRequest({ socket: {} }), response).track('page view')
    expect(ends).toEqual([])
    Object.assign(response, state)
    // Nobody waits for it or asks for it.
    await expect.poll(() => ends).toEqual([201])
    await tracking.flush()
    expect(tracking.calls).toHaveLength(1)
  })

  it.each<[string, Fake]>([
    ['has no events', { writableFinished: false }],
    ['emits nothing and says nothing', { on() {}, off() {} }],
    ['throws at the second listener', { on: refusesSecond(), off() {}, writableFinished: false }],
    ['is frozen', Object.freeze(new ServerResponse(fakeRequest())) as unknown as Fake],
    ['throws when it is asked', throwing('socket', 'writableFinished')],
  ])('goes at once, and is reported, with a response that %s', async (_name, response) => {
    const { tracking, ends, errors } = endsOf()
    const tracker = tracking.handle(fakeRequest({ socket: {} }), response as unknown as ServerResponse)
    tracker.track('page view')
    await tracking.settled({ timeout: 1_000 })
    expect(errors).toHaveLength(1)
    expect(ends).toEqual(['aborted'])
    // Listeners that could not be taken off do nothing.
    if (response instanceof ServerResponse) response.emit('finish')
    expect(await tracking.shutdown()).toMatchObject({ delivered: 1, timedOut: false })
  })

  it('ends once, whatever it has and does not have', async () => {
    const { tracking, ends } = endsOf()
    const member = fc.constantFrom(undefined, null, false, true, 0, 'text', {}, refuse, () => {})
    const object = fc.dictionary(
      fc.constantFrom('on', 'off', 'once', 'destroyed', 'writableFinished', 'writableEnded', 'listenerCount'),
      member,
    )
    await fc.assert(
      fc.asyncProperty(object, object, fc.option(object), async (request, response, socket) => {
        ends.length = 0
        const own = fakeResponse(['finish', 'close'], response)
        const tracker = tracking.handle(fakeRequest({ ...request, socket }), own)
        tracker.track('page view')
        own.end()
        EventEmitter.prototype.emit.call(own, 'finish')
        Object.assign(own, { writableFinished: true, destroyed: true })
        await tracking.settled({ timeout: 2_000 })
        expect(ends).toHaveLength(1)
      }),
    )
    expect(tracking.stats().events).toMatchObject({ open: 0 })
    expect(await tracking.shutdown()).toMatchObject({ timedOut: false })
  })
})

/** Takes one listener, and throws then. */
function refusesSecond(): () => void {
  let count = 0
  return () => {
    count++
    if (count > 1) refuse()
  }
}

const robberies: Record<string, (response: ServerResponse) => void> = {
  'removes all listeners': (response) => response.removeAllListeners(),
  'removes those of `finish`': (response) => response.removeAllListeners('finish'),
  'removes those of `close`': (response) => response.removeAllListeners('close'),
  'takes each off': (response) => {
    for (const name of ['finish', 'close'] as const) {
      for (const listener of response.listeners(name)) response.off(name, listener as () => void)
    }
  },
  'takes all off but those of Node': (response) => {
    for (const name of ['finish', 'close'] as const) {
      for (const listener of response.listeners(name).slice(name === 'finish' ? 1 : 0)) {
        response.off(name, listener as () => void)
      }
    }
  },
  'replaces `emit`': (response) => {
    response.emit = () => false
  },
  'removes them twice': (response) => {
    response.removeAllListeners()
    setImmediate(() => response.removeAllListeners())
  },
}

describe.each(Object.entries(robberies))('a response of which somebody %s', (_name, rob) => {
  /** Requests of a server that are robbed before they are answered; the client keeps its connection. */
  async function robbed(tracks = true) {
    const { tracking, ends } = endsOf()
    const answer: RequestListener = (req, res) => {
      const tracker = tracking.handle(req, res)
      if (tracks) tracker.track('page view')
      rob(res)
      res.statusCode = 201
      res.end('ok')
    }
    const { url, server } = await serve(answer)
    const response = await fetch(url)
    expect(await response.text()).toBe('ok')
    return { tracking, ends, server, url }
  }

  it('ends, and its events are delivered, although nothing else happens', async () => {
    const { tracking, ends } = await robbed()
    await expect.poll(() => ends).toEqual([201])
    await tracking.flush()
    expect(tracking.calls).toHaveLength(1)
  })

  it('ends although it has tracked nothing, and nothing else happens', async () => {
    const { tracking, statuses } = watchedEnds()
    const { url } = await serve((req, res) => {
      tracking.handle(req, res)
      rob(res)
      res.statusCode = 201
      res.end('ok')
    })
    expect(await (await fetch(url)).text()).toBe('ok')
    await expect.poll(() => statuses).toEqual([201])
  })

  it('ends when its connection closes, without an event of its own', async () => {
    const { tracking, statuses } = watchedEnds()
    const { url, server } = await serve((req, res) => {
      tracking.handle(req, res)
      rob(res)
    })
    const failed = fetch(url).catch((error: Error) => error)
    const [socket] = await once(server, 'connection')
    await once(server, 'request')
    socket.destroy()
    await failed
    await expect.poll(() => statuses).toEqual([undefined])
  })

  it('does not hold a flush, a test or the shutdown', async () => {
    const flushed = await robbed()
    await flushed.tracking.flush()
    expect(flushed.tracking.calls).toHaveLength(1)
    const settled = await robbed()
    await settled.tracking.settled({ timeout: 1_000 })
    expect(settled.tracking.calls).toHaveLength(1)
    for (const tracks of [true, false]) {
      const { tracking, ends } = await robbed(tracks)
      const report = await tracking.shutdown()
      expect(report).toMatchObject({ delivered: tracks ? 1 : 0, timedOut: false })
      expect(report.durationMs).toBeLessThan(1_000)
      expect(ends).toEqual(tracks ? [201] : [])
    }
  })

  it('ends when its connection is lost before it is answered', async () => {
    const { tracking, ends } = endsOf()
    const { url, server } = await serve((req, res) => {
      tracking.handle(req, res).track('page view')
      rob(res)
    })
    const failed = fetch(url).catch((error: Error) => error)
    const [socket] = await once(server, 'connection')
    await once(server, 'request')
    socket.destroy()
    expect(await failed).toBeInstanceOf(Error)
    await tracking.settled()
    expect(ends).toEqual(['aborted'])
  })
})

describe('responses of HTTP/2 of which somebody removes the listeners', () => {
  it('end all the same', async () => {
    const { tracking, ends } = endsOf()
    const server = createHttp2Server((req, res) => {
      // Node's compatible response is meant to stand in for the other one.
      tracking.handle(req as never, res as never).track('page view')
      res.removeAllListeners()
      res.statusCode = 201
      if (req.url !== '/open') res.end('ok')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    onTestFinished(() => {
      session.destroy()
      server.close()
    })
    await once(session.request({ ':path': '/' }).resume(), 'close')
    await tracking.settled({ timeout: 1_000 })
    expect(ends).toEqual([201])
    const open = session.request({ ':path': '/open' })
    open.on('error', () => {})
    await once(server, 'request')
    session.destroy()
    await tracking.settled({ timeout: 2_000 })
    expect(ends).toEqual([201, 'aborted'])
  })
})

describe('requests that are open', () => {
  it('stay open when others are looked at', async () => {
    const { tracking, ends } = endsOf()
    const { url } = await serve((req, res) => {
      tracking.handle(req, res).track('page view')
      if (req.url === '/robbed') res.removeAllListeners()
      if (req.url !== '/open') res.end('ok')
      else res.write('begun')
    })
    const open = await fetch(`${url}/open`)
    // Node serves nothing more on this connection, since its own listeners are gone.
    await (await fetch(`${url}/robbed`, { headers: { connection: 'close' } })).text()
    await tracking.flush()
    // More than come between two looks.
    for (let request = 0; request < 300; request++) await (await fetch(url)).text()
    await tracking.flush()
    expect(ends).toHaveLength(301)
    expect(tracking.stats().events.open).toBe(1)
    await open.body?.cancel()
    await tracking.settled()
    expect(ends).toHaveLength(302)
    expect(ends.at(-1)).toBe('aborted')
  })
})
