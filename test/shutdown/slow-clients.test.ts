import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { segmentServer } from '../support/servers.js'
import { connected, startApp } from './app.js'
import type { AppOptions } from './fixtures/app.js'

/** The whole time that open requests have with the default timeout is 8 s; a client that never began gets one of them. */
const LONG_MS = 6_000

/** The first bytes of a handshake, in a record that is longer. */
const HALF_HANDSHAKE = Buffer.from('160301020001000001fc0303', 'hex')
const REQUEST = 'GET /none HTTP/1.1\r\nHost: shop.test\r\n\r\n'
const UPGRADE = 'GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n'

/** Waits until the server has read what was sent before: it hears it before what is said on a later connection. */
async function isHeard(port: number | undefined): Promise<void> {
  const later = await connected(port)
  await new Promise((closed) => later.resume().on('close', closed).end(REQUEST))
}

describe('a client that has not begun a request at the signal', () => {
  it.each([
    ['a part of the first line', 'http', 'GET / HT'],
    ['a head without its end', 'http', 'GET / HTTP/1.1\r\nHost: shop.test\r\n'],
    ['an empty line', 'http', '\r\n'],
    ['the head of a second request', 'http', `${REQUEST}GET /`],
    [
      'a part of a body that is answered already',
      'http',
      `GET /slow/1 HTTP/1.1
Host: a
Content-Length: 9

body`,
    ],
    ['half a handshake', 'https', HALF_HANDSHAKE],
    ['half a preface of HTTP/2', 'http2', 'PRI * HT'],
    ['nothing but a preface', 'http2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['nothing', 'http', ''],
    ['no handshake', 'https', ''],
  ] as const)('does not hold the shutdown: %s', async (_what, kind, bytes) => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url, servers: [kind] })
    // It reads nothing either, so it does not notice that the server ends the connection.
    const socket = await connected(app.ports[0])
    if (bytes.length > 0) await new Promise((sent) => socket.write(bytes, sent))
    await isHeard(app.ports[0])
    const signalled = app.signal('SIGTERM')
    const { code, at } = await app.exited
    expect(code).toBe(0)
    expect(at - signalled).toBeLessThan(LONG_MS)
    const [told] = await app.tell('shutdown')
    expect(told?.report).toMatchObject({ timedOut: false })
    expect(app.told.filter(({ type }) => type === 'log')).toHaveLength(1)
  })

  it('is nothing that was cut off, however short the time is', async () => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url, hook: { timeout: 400 } })
    const socket = await connected(app.ports[0])
    await new Promise((sent) => socket.write('GET / HT', sent))
    const slow = await connected(app.ports[0])
    slow.write('GET /slow/10 HTTP/1.1\r\nHost: shop.test\r\n\r\n')
    await app.tell('request')
    app.signal('SIGTERM')
    expect(await app.exited).toMatchObject({ code: 0, signal: null })
    expect(segment.calls).toHaveLength(2)
  })

  it('may still finish its head and get its answer', async () => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url, handles: ['SIGTERM'] })
    const socket = await connected(app.ports[0])
    const received = text(socket)
    await new Promise((sent) => socket.write('GET /slow/10 HT', sent))
    await isHeard(app.ports[0])
    app.signal('SIGTERM')
    await app.tell('handled', 2)
    socket.write('TP/1.1\r\nHost: shop.test\r\n\r\n')
    expect(await received).toMatch(/^HTTP\/1.1 200 .*ok$/s)
    expect(await app.exited).toMatchObject({ code: 0, signal: null })
    expect(segment.calls).toHaveLength(2)
  })
})

describe('a connection in another protocol', () => {
  it('is not taken for one that never began: it has the time of a request', async () => {
    const segment = await segmentServer()
    const app = await startApp({ segment: segment.url, upgrades: 1_500 })
    const socket = await connected(app.ports[0])
    const received = text(socket)
    socket.write(UPGRADE)
    await app.tell('request')
    app.signal('SIGTERM')
    expect(await received).toMatch(/^HTTP\/1.1 101 .*farewell$/s)
    expect(await app.exited).toMatchObject({ code: 0, signal: null })
  })
})

describe('process.exitCode', () => {
  const exitOf = async (options: Omit<AppOptions, 'segment'>, isLost = false) => {
    const segment = await segmentServer()
    if (isLost) segment.respondWith({ status: 400 })
    const app = await startApp({ ...options, segment: segment.url })
    const socket = await connected(app.ports[0])
    socket.resume().write('GET /slow/10 HTTP/1.1\r\nHost: shop.test\r\n\r\n')
    await app.tell('request')
    app.signal('SIGTERM')
    return (await app.exited).code
  }

  it.each([
    ['is what the application has set, not 0', { exitCode: 3 }, false, 3],
    ['is what the application has set, where calls are lost, too', { exitCode: 3 }, true, 3],
    ['is 1 where calls are lost and the application has set nothing', {}, true, 1],
    ['is 1 where calls are lost and the application has set 0', { exitCode: 0 }, true, 1],
    ['is 0 where all is well', {}, false, 0],
  ])('%s', async (_what, options, isLost, expected) => {
    expect(await exitOf(options, isLost)).toBe(expected)
  })
})
