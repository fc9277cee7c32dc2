import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, get, type IncomingMessage, type RequestOptions } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { get as getSecurely } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { segmentServer, serve, trackingTo } from '../support/servers.js'
import { connected, startApp } from './app.js'
import { pskClient } from './pre-shared-key.js'

const ERROR = 0
const INFO = 2
/** Far below what it would take otherwise (a keep-alive time, a deadline of the SDK's), and more than a busy machine needs. */
const LONG_MS = 3_000

/** An answer that is read to its end; its connection is kept open. */
async function ask(url: string, options: RequestOptions = {}) {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, options, resolve).on('error', reject)
  })
  return { status: response.statusCode, connection: response.headers.connection, body: await text(response) }
}

function keepAlive(): Agent {
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  return agent
}

describe('SIGTERM', () => {
  it('lets 50 open requests of two seconds finish, delivers their events and exits with 0', async () => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url })
    // Connections that ask for nothing: one after it was served, and one that never said a word.
    const agent = keepAlive()
    await ask(`${app.url}/none`, { agent })
    await connected(app.ports[0])
    let lastAnswer = 0
    const answers = Array.from({ length: 50 }, async () => {
      const answer = await ask(`${app.url}/slow/2000`, { agent })
      lastAnswer = performance.now()
      return answer
    })
    await app.tell('request', 50)
    app.signal('SIGTERM')

    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ status: 200, body: 'ok' })
    const { code, signal, at } = await app.exited
    expect({ code, signal }).toEqual({ code: 0, signal: null })
    expect(at - lastAnswer).toBeLessThan(LONG_MS)
    expect(segment.calls).toHaveLength(100)

    const report = expect.objectContaining({
      delivered: 100,
      failed: 0,
      dropped: 0,
      pending: 0,
      kept: 0,
      timedOut: false,
    })
    expect(app.told.filter(({ type }) => type === 'shutdown')).toEqual([
      { type: 'shutdown', report, pid: app.pid },
    ])
    expect(app.told.filter(({ type }) => type === 'log')).toEqual([
      { type: 'log', level: INFO, message: 'tracking was shut down', context: report },
    ])
    expect(app.stderr()).toBe('')
  })

  it('exits with 1 within the deadline when Segment never answers, and says how many calls were lost', async () => {
    const segment = await segmentServer()
    segment.respondWith({ hang: true })
    const app = await startApp({ segment: segment.url, hook: { timeout: 1_000 } })
    const answers = [1, 2, 3].map(() => ask(`${app.url}/slow/200`))
    await app.tell('request', 3)
    const asked = app.signal('SIGTERM')

    for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200)
    const { code, signal, at } = await app.exited
    expect({ code, signal }).toEqual({ code: 1, signal: null })
    expect(at - asked).toBeLessThan(1_000 + LONG_MS)
    const report = expect.objectContaining({ delivered: 0, pending: 6, timedOut: true })
    expect(await app.tell('shutdown')).toEqual([{ type: 'shutdown', report, pid: app.pid }])
    expect(app.told).toContainEqual({
      type: 'log',
      level: ERROR,
      message: 'tracking was shut down with losses',
      context: report,
    })
    const [exit] = await app.tell('exit')
    expect(exit?.stats.calls).toMatchObject({ made: 6, delivered: 0, pending: 0, failed: { closed: 6 } })
    expect(app.stderr()).toBe('')
  })

  it('exits with 1 within the deadline when a request never ends, and delivers its events', async () => {
    const segment = await segmentServer()
    // A quarter of it is for the delivery.
    const app = await startApp({ segment: segment.url, hook: { timeout: 4_000 } })
    const stream = ask(`${app.url}/events`)
    const cutOff = expect(stream).rejects.toThrow('aborted')
    await app.tell('request')
    const asked = app.signal('SIGTERM')

    const { code, at } = await app.exited
    expect(code).toBe(1)
    expect(at - asked).toBeLessThan(4_000 + LONG_MS)
    await cutOff
    expect(segment.calls).toEqual([expect.objectContaining({ event: 'stream begin' })])
    // It was cut off in time for that: the tracking itself had nothing left to wait for.
    const [told] = await app.tell('shutdown')
    expect(told?.report).toMatchObject({ delivered: 1, pending: 0, timedOut: false })
    expect(app.told).toContainEqual(
      expect.objectContaining({ type: 'log', level: ERROR, message: expect.stringContaining('cut off') }),
    )
  })

  it('exits with 1 when Segment refused a call of an open request', async () => {
    const segment = await segmentServer()
    segment.respondWith({ status: 400 })
    const app = await startApp({ segment: segment.url })
    const answer = ask(`${app.url}/slow/200`)
    await app.tell('request')
    app.signal('SIGTERM')

    expect((await answer).status).toBe(200)
    expect(await app.exited).toMatchObject({ code: 1, signal: null })
    const [told] = await app.tell('shutdown')
    expect(told?.report).toMatchObject({ delivered: 0, failed: 2, pending: 0, timedOut: false })
  })

  it('exits with 0 when an outbox keeps what Segment does not take', async () => {
    const segment = await segmentServer()
    segment.respondWith({ status: 503 })
    const outbox = await mkdtemp(join(tmpdir(), 'outbox-'))
    onTestFinished(() => rm(outbox, { recursive: true, force: true }))
    const app = await startApp({ segment: segment.url, outbox })
    const answer = ask(`${app.url}/slow/200`)
    await app.tell('request')
    app.signal('SIGTERM')

    expect((await answer).status).toBe(200)
    expect(await app.exited).toMatchObject({ code: 0, signal: null })
    const [told] = await app.tell('shutdown')
    expect(told?.report).toMatchObject({ delivered: 0, failed: 0, pending: 0, kept: 2, timedOut: false })
  })

  it('exits with 0 when calls were lost before the signal, and none after it', async () => {
    const segment = await segmentServer()
    // The batch of two, and then each of its calls.
    segment.respondWith([{ status: 400, times: 3 }])
    const app = await startApp({ segment: segment.url, settings: { flushInterval: 20 } })
    await ask(`${app.url}/slow/1`)
    await app.tell('log')
    await vi.waitFor(() => expect(segment.batches.map(({ status }) => status)).toEqual([400, 400, 400]))
    // What Segment has answered is there before what is asked now.
    await ask(`${app.url}/none`)
    const answer = ask(`${app.url}/slow/200`)
    await app.tell('request', 2)
    app.signal('SIGTERM')

    expect((await answer).status).toBe(200)
    expect(await app.exited).toMatchObject({ code: 0, signal: null })
    const [told] = await app.tell('shutdown')
    expect(told?.report).toMatchObject({ failed: 2, delivered: 2, pending: 0 })
  })

  it('tells who goes on using a connection that the next answer is the last', async () => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url, handles: ['SIGTERM'] })
    const socket = await connected(app.ports[0])
    const received = text(socket)
    socket.write('GET /slow/300 HTTP/1.1\r\nHost: shop.test\r\n\r\n')
    await app.tell('request')
    app.signal('SIGTERM')
    await app.tell('handled')
    socket.write('GET /slow/1 HTTP/1.1\r\nHost: shop.test\r\n\r\n')

    const [first = '', second = ''] = (await received).split(/(?<=ok)(?=HTTP)/)
    expect(first).toMatch(/^HTTP\/1.1 200 /)
    expect(second).toMatch(/^HTTP\/1.1 200 /)
    expect(second).toContain('\r\nConnection: close\r\n')
    expect(await app.exited).toMatchObject({ code: 0 })
    expect(segment.calls).toHaveLength(4)
  })

  it('closes several servers, HTTP, HTTPS and HTTP/2', async () => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url, servers: ['http', 'https', 'http2'] })
    const [, securePort = 0, http2Port = 0] = app.ports
    const agent = keepAlive()
    const plain = ask(`${app.url}/slow/300`, { agent })
    const secure = new Promise<number | undefined>((resolve, reject) => {
      getSecurely({ port: securePort, path: '/slow/300', ...pskClient }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode))
      }).on('error', reject)
    })
    const session = connectHttp2(`http://127.0.0.1:${http2Port}`)
    onTestFinished(() => session.destroy())
    const modern = text(session.request({ ':path': '/' }))
    await app.tell('request', 3)
    const asked = app.signal('SIGTERM')

    expect(await Promise.all([plain, secure, modern])).toEqual([
      expect.objectContaining({ status: 200 }),
      200,
      'ok',
    ])
    const { code, at } = await app.exited
    expect(code).toBe(0)
    expect(at - asked).toBeLessThan(LONG_MS)
    expect(segment.calls).toHaveLength(4)
  })

  it('goes on serving during the delay, and stops after it', async () => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url, hook: { delay: 1_500 }, handles: ['SIGTERM'] })
    const asked = app.signal('SIGTERM')
    await app.tell('handled')
    expect(await ask(`${app.url}/slow/1`)).toMatchObject({ status: 200 })
    expect(performance.now() - asked).toBeLessThan(1_500)

    const { code, at } = await app.exited
    expect(code).toBe(0)
    expect(at - asked).toBeGreaterThanOrEqual(1_490)
    expect(segment.calls).toHaveLength(2)
    await expect(ask(`${app.url}/slow/1`)).rejects.toThrow('ECONNREFUSED')
  })

  it('leaves the handlers of the application in place, also one that closes the server itself', async () => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url, handles: ['SIGTERM'], closes: true })
    const answer = ask(`${app.url}/slow/300`)
    await app.tell('request')
    app.signal('SIGTERM')

    expect(await answer).toMatchObject({ status: 200, body: 'ok' })
    expect(await app.exited).toMatchObject({ code: 0 })
    expect(await app.tell('handled', 2)).toHaveLength(2)
    expect(segment.calls).toHaveLength(2)
  })

  it('waits for every tracking that has a hook', async () => {
    const slow = await segmentServer()
    const segment = await segmentServer()
    slow.respondWith({ delay: 400 })
    const app = await startApp({ segment: segment.url, second: slow.url })
    app.signal('SIGTERM')
    expect(await app.exited).toMatchObject({ code: 0 })
    expect(app.told.filter(({ type }) => type === 'shutdown')).toHaveLength(2)
    expect(slow.calls).toHaveLength(1)
  })
})

describe('a second signal', () => {
  it('ends the process at once, with 128 + its number', async () => {
    const segment = await segmentServer()
    const twice = async (first: NodeJS.Signals, second: NodeJS.Signals) => {
      const app = await startApp({ segment: segment.url, handles: ['SIGTERM', 'SIGINT'] })
      ask(`${app.url}/events`).catch(() => {})
      await app.tell('request')
      app.signal(first)
      await app.tell('handled', 2)
      const again = app.signal(second)
      const { code, signal, at } = await app.exited
      expect(at - again).toBeLessThan(LONG_MS)
      return { code, signal }
    }
    const exits = [twice('SIGINT', 'SIGINT'), twice('SIGTERM', 'SIGTERM'), twice('SIGTERM', 'SIGINT')]
    expect(await Promise.all(exits)).toEqual([130, 143, 130].map((code) => ({ code, signal: null })))
  })
})

describe('a Ctrl-C that arrives twice', () => {
  it('is one signal, where the process has a terminal', async () => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url, handles: ['SIGINT'], terminal: true })
    const answer = ask(`${app.url}/slow/300`)
    await app.tell('request')
    app.signal('SIGINT')

    expect(await answer).toMatchObject({ status: 200, body: 'ok' })
    // The application has a handler before the hook and one after it; each is told of both signals.
    expect(await app.tell('handled', 4)).toHaveLength(4)
    expect(await app.exited).toMatchObject({ code: 0, signal: null })
    expect(segment.calls).toHaveLength(2)
  })

  it('is followed by another one that ends the process at once', async () => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url, handles: ['SIGINT'], terminal: true })
    ask(`${app.url}/events`).catch(() => {})
    await app.tell('request')
    app.signal('SIGINT')
    await app.tell('handled', 4)
    await new Promise((resolve) => setTimeout(resolve, 600))
    app.signal('SIGINT')
    expect(await app.exited).toMatchObject({ code: 130, signal: null })
  })

  it('does not hide another signal', async () => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url, handles: ['SIGINT'], terminal: true })
    ask(`${app.url}/events`).catch(() => {})
    await app.tell('request')
    app.signal('SIGINT')
    await app.tell('handled', 4)
    app.signal('SIGTERM')
    expect(await app.exited).toMatchObject({ code: 143, signal: null })
  })
})

describe('the function that shutdownOnSignals() returns', () => {
  it('takes the hook away', async () => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url, uninstall: true })
    app.signal('SIGTERM')
    expect(await app.exited).toMatchObject({ code: null, signal: 'SIGTERM' })
  })
})

describe('shutdownOnSignals()', () => {
  it.each([
    [{ timeout: Number.NaN }, 'timeout was NaN; expected milliseconds'],
    [{ delay: -1 }, 'delay was -1; expected milliseconds'],
    [{ signals: ['SIGKILL' as const] }, 'no process can handle SIGKILL'],
    [{ signals: [JSON.parse('"TERM"')] }, 'signals has "TERM"; expected names such as'],
  ])('refuses options that cannot work: %o', async (options, message) => {
    const tracking = trackingTo(await segmentServer())
    const before = process.listenerCount('SIGTERM')
    expect(() => tracking.shutdownOnSignals(options)).toThrow(message)
    expect(process.listenerCount('SIGTERM')).toBe(before)
  })

  it('leaves nothing behind when it is taken away, and can be taken away twice', async () => {
    const tracking = trackingTo(await segmentServer())
    const { server } = await serve((_req, res) => res.end())
    const listeners = () => [
      ...(['SIGTERM', 'SIGINT'] as const).map((name) => process.listenerCount(name)),
      ...['connection', 'secureConnection', 'session', 'request'].map((name) => server.listenerCount(name)),
    ]
    const before = listeners()
    const off = tracking.shutdownOnSignals({ server })
    expect(listeners()).not.toEqual(before)
    off()
    off()
    expect(listeners()).toEqual(before)
  })
})
