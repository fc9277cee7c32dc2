import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, createServer } from 'node:http2'
import Koa from 'koa'
import Koa2 from 'koa2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { koaTracking } from '../../src/frameworks/koa.js'
import { segmentServer, trackingTo } from '../support/servers.js'
import { Gate } from './gate.js'

describe.each([
  { name: 'Koa 2', Application: Koa2 },
  { name: 'Koa 3', Application: Koa },
])('the end of an HTTP/2 request in $name', ({ Application }) => {
  async function serve(handle: Koa.Middleware, before?: Koa.Middleware) {
    const segment = await segmentServer()
    const ends: unknown[] = []
    const tracking = trackingTo(segment, {
      request: { anonymousId: () => 'somebody' },
      dispatch: ({ status, aborted }) => ends.push({ status, aborted }) > 0,
    })
    const app = new Application()
    app.silent = true
    if (before) app.use(before)
    app.use(koaTracking(tracking))
    app.use((ctx, next) => {
      ctx.track('request handle', { url: ctx.url })
      return handle(ctx, next)
    })
    const server = createServer(app.callback())
    const requestsEnded: Promise<unknown>[] = []
    server.on('stream', (stream) => {
      requestsEnded.push(new Promise((resolve) => stream.on('close', resolve)))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.close()
    })
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    const session = connect(`http://127.0.0.1:${address.port}`)
    session.on('error', () => {})
    onTestFinished(() => session.destroy())
    return {
      session,
      segment,
      /** How the requests ended, when they have and their events were delivered. */
      async ends() {
        await Promise.all(requestsEnded)
        await new Promise(setImmediate)
        await tracking.flush()
        expect(tracking.stats().events).toMatchObject({ tracked: ends.length, open: 0 })
        expect(segment.received).toBe(ends.length)
        return ends
      },
    }
  }

  function request(session: ClientHttp2Session, path = '/') {
    const stream = session.request({ ':path': path })
    stream.on('error', () => {})
    stream.resume()
    return { stream, closed: new Promise((resolve) => stream.on('close', resolve)) }
  }

  it('is the end of its stream', async () => {
    const { session, segment, ends } = await serve((ctx) => {
      ctx.status = ctx.url === '/teapot' ? 418 : 201
      ctx.body = 'hello'
    })
    await Promise.all([request(session, '/teapot').closed, request(session, '/').closed])
    expect(await ends()).toEqual([
      { status: 418, aborted: false },
      { status: 201, aborted: false },
    ])
    expect(segment.calls.map((call) => call.context?.page)).toMatchObject([
      { path: '/teapot', url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/teapot$/) },
      { path: '/' },
    ])
  })

  it.each([
    {
      what: 'the client cancels the stream',
      leave: (stream: ClientHttp2Stream) => stream.close(constants.NGHTTP2_CANCEL),
    },
    {
      what: 'the client drops the connection',
      leave: (stream: ClientHttp2Stream) => stream.session?.destroy(),
    },
  ])('is aborted when $what', async ({ leave }) => {
    const gate = new Gate()
    const { session, ends } = await serve(async (ctx) => {
      gate.open('handling')
      await once(ctx.res, 'close')
      ctx.body = 'too late'
    })
    const { stream, closed } = request(session)
    await gate.opened('handling')
    leave(stream)
    await closed
    expect(await ends()).toEqual([{ status: undefined, aborted: true }])
  })

  it('is aborted when the client cancels the stream in the middle of the body', async () => {
    const { session, ends } = await serve((ctx) => {
      ctx.respond = false
      ctx.res.write('the first part')
    })
    const { stream, closed } = request(session)
    await once(stream, 'data')
    stream.close(constants.NGHTTP2_CANCEL)
    await closed
    expect(await ends()).toEqual([{ status: undefined, aborted: true }])
  })

  it('is over when the response was sent before the tracking', async () => {
    const { session, ends } = await serve(
      () => undefined,
      async (ctx, next) => {
        ctx.respond = false
        ctx.status = 202
        ctx.res.end()
        await once(ctx.res, 'finish')
        await next()
      },
    )
    await request(session).closed
    expect(await ends()).toEqual([{ status: 202, aborted: false }])
  })
})
