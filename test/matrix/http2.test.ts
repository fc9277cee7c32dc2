import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, createServer } from 'node:http2'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { describe, expect, it, onTestFinished } from 'vitest'
import { segmentServer, trackingTo } from '../support/servers.js'
import { frameworks, type Handlers } from './frameworks.js'
import { Gate } from './gate.js'

/** Express does not run on HTTP/2. */
const speakers = frameworks.filter(({ family }) => family !== 'express')

/** Does the same in every framework: the application's work, and then the answer. */
function answering(status: (url: string) => number, work: (gate: Gate, res: ServerResponse) => unknown) {
  return {
    express: () => {},
    async koa({ ctx, track, gate }) {
      track()
      await work(gate, ctx.res)
      ctx.status = status(ctx.url)
      ctx.body = 'hello'
    },
    async fastify({ request, reply, track, gate }) {
      track()
      await work(gate, reply.raw)
      return reply.code(status(request.url)).send('hello')
    },
    async hono({ c, track, gate }) {
      track()
      await work(gate, c.env.outgoing)
      return new Response('hello', { status: status(c.req.path) })
    },
  } satisfies Handlers
}

/** Answers with Node's own methods, and comes to no end. */
function raw(answer: (req: IncomingMessage, res: ServerResponse) => void): Handlers {
  return {
    express: () => {},
    koa({ ctx, track }) {
      track()
      ctx.respond = false
      answer(ctx.req, ctx.res)
    },
    fastify({ request, reply, track }) {
      track()
      reply.hijack()
      answer(request.raw, reply.raw)
    },
    async hono({ c, track }) {
      track()
      answer(c.env.incoming, c.env.outgoing)
      return RESPONSE_ALREADY_SENT
    },
  }
}

const ABORTED = { status: undefined, aborted: true }

describe.each(speakers)(
  'the end of an HTTP/2 request in $name',
  ({ family, endsWithHandler, serve: create }) => {
    async function serve(handlers: Handlers, gate = new Gate()) {
      const segment = await segmentServer()
      const ends: unknown[] = []
      const tracking = trackingTo(segment, {
        request: { anonymousId: () => 'somebody' },
        dispatch: ({ status, aborted }) => ends.push({ status, aborted }) > 0,
      })
      const listen = await create(handlers, gate, tracking)
      // The messages of HTTP/2 are made to look like those of HTTP/1.
      const server = createServer((req, res) => listen(req as never, res as never))
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
        gate,
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
      const { session, segment, ends } = await serve(
        answering(
          (url) => (url === '/teapot' ? 418 : 201),
          () => {},
        ),
      )
      await request(session, '/teapot').closed
      await request(session, '/').closed
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
      const { session, gate, ends } = await serve(
        answering(
          () => 200,
          async (gate, res) => {
            gate.open('handling')
            await once(res, 'close')
          },
        ),
      )
      const { stream, closed } = request(session)
      await gate.opened('handling')
      leave(stream)
      await closed
      expect(await ends()).toEqual([ABORTED])
    })

    it('is aborted when the client cancels the stream in the middle of the body', async () => {
      const { session, ends } = await serve(raw((_req, res) => res.write('the first part')))
      const { stream, closed } = request(session)
      await once(stream, 'data')
      stream.close(constants.NGHTTP2_CANCEL)
      await closed
      expect(await ends()).toEqual([endsWithHandler ? { status: 200, aborted: false } : ABORTED])
    })

    // Fastify goes no further with a request that is answered, and a web-standard handler has its own end.
    it.skipIf(family === 'fastify' || endsWithHandler)(
      'is over when the response was sent before the tracking',
      async () => {
        const sent = async (res: ServerResponse) => {
          res.statusCode = 202
          res.end()
          await once(res, 'finish')
        }
        const { session, ends } = await serve({
          ...raw(() => {}),
          before: {
            express: () => {},
            fastify: () => {},
            async koa({ ctx, next }) {
              ctx.respond = false
              ctx.status = 202
              await sent(ctx.res)
              await next()
            },
            async hono({ c, next }) {
              await sent(c.env.outgoing)
              await next()
            },
          },
        })
        await request(session).closed
        expect(await ends()).toEqual([{ status: 202, aborted: false }])
      },
    )
  },
)
