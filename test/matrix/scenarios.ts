import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Exchange, Framework, Handlers } from './frameworks.js'
import type { Gate } from './gate.js'
import { Wire } from './wire.js'

/** How a request ends: with the status of its response, or without one. */
export type End = number | 'aborted'

/** What one or more clients do, what the application does, and how its requests end. */
export interface Scenario extends Handlers {
  readonly name: string
  client(dial: Dial, gate: Gate): Promise<void>
  /** Of all requests that track something. */
  readonly ends: readonly End[] | ((framework: Framework) => readonly End[])
  /**
   * How they end where the end is that of the handler, if that differs. `never` where a host may leave a handler without an
   * end: on Node 20 and 22 nothing tells that a response which waits for another one was given up.
   */
  readonly handlerEnds?: readonly End[] | 'never'
  /** What the application throws that no framework takes care of. */
  readonly unhandled?: (framework: Framework) => readonly string[]
}

/** Opens a connection whose bytes are compared. */
export type Dial = (open?: (port: number) => Promise<Wire>) => Promise<Wire>

const MIB = 2 ** 20
const FIFTY_MB = Buffer.alloc(50 * MIB, 'reqtrack ')
/** Keeps a handler from ever coming to an end. */
const NEVER = new Promise<never>(() => {})

/** A request whose connection ends with the response. */
const last = (method = 'GET', headers = '') => request('/', method, `${headers}Connection: close\r\n`)

function request(path = '/', method = 'GET', headers = '', body = ''): string {
  return `${method} ${path} HTTP/1.1\r\nHost: shop.example\r\n${headers}\r\n${body}`
}

function post(path: string, body: string, length = body.length): string {
  return request(path, 'POST', `Content-Length: ${length}\r\n`, body)
}

/** A client that sends one request and waits for the server to close. */
function asks(text: string): Scenario['client'] {
  return async (dial) => {
    const wire = await dial()
    wire.send(text)
    await wire.closed
  }
}

/** A client that leaves as soon as the application has come to a point. */
function leavesAt(point: string, text = request()): Scenario['client'] {
  return async (dial, gate) => {
    const wire = await dial()
    wire.send(text)
    await gate.opened(point)
    await wire.leave()
  }
}

/** Has a fixed stack, which frameworks show to the client outside of production. */
function broken(status?: number): Error {
  const error = new Error('broken')
  error.stack = 'Error: broken'
  // As the package http-errors makes them, which every framework knows.
  return Object.assign(error, status === undefined ? {} : { status, statusCode: status, expose: true })
}

function* parts(count: number): Generator<Buffer> {
  for (let part = 0; part < count; part++) yield Buffer.from(`part ${part}\n`)
}

/** A stream of bytes as web-standard responses take it. */
function webStream(body: Readable): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      try {
        for await (const chunk of body) controller.enqueue(chunk)
        controller.close()
      } catch (error) {
        controller.error(error)
      }
    },
    cancel: () => void body.destroy(),
  })
}

interface NodeExchange extends Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** Answers with Node's own methods. */
function raw(answer: (exchange: NodeExchange) => unknown): Handlers {
  return {
    express: answer,
    koa({ ctx, track, gate }) {
      ctx.respond = false
      ctx.status = 200
      return answer({ req: ctx.req, res: ctx.res, track, gate })
    },
    fastify({ request, reply, track, gate }) {
      reply.hijack()
      return answer({ req: request.raw, res: reply.raw, track, gate })
    },
    async hono({ c, track, gate }) {
      await answer({ req: c.env.incoming, res: c.env.outgoing, track, gate })
      return RESPONSE_ALREADY_SENT
    },
  }
}

const hello: Handlers = {
  express({ res, track }) {
    track()
    res.send('hello')
  },
  koa({ ctx, track }) {
    track()
    ctx.body = 'hello'
  },
  fastify({ reply, track }) {
    track()
    return reply.send('hello')
  },
  hono({ c, track }) {
    track()
    return c.text('hello')
  },
}

const answered: readonly Scenario[] = [
  {
    name: 'JSON',
    express({ res, track }) {
      track()
      res.status(201).json({ ok: true })
    },
    koa({ ctx, track }) {
      track()
      ctx.status = 201
      ctx.body = { ok: true }
    },
    fastify({ reply, track }) {
      track()
      return reply.code(201).send({ ok: true })
    },
    hono({ c, track }) {
      track()
      return c.json({ ok: true }, 201)
    },
    client: asks(last()),
    ends: [201],
  },
  { name: 'text', ...hello, client: asks(last()), ends: [200] },
  {
    name: 'an answer after asynchronous work',
    async express({ res, track }) {
      await new Promise(setImmediate)
      track()
      res.send('hello')
    },
    async koa({ ctx, track }) {
      await new Promise(setImmediate)
      track()
      ctx.body = 'hello'
    },
    async fastify({ track }) {
      await new Promise(setImmediate)
      track()
      return 'hello'
    },
    async hono({ c, track }) {
      await new Promise(setImmediate)
      track()
      return c.text('hello')
    },
    client: asks(last()),
    ends: [200],
  },
  {
    name: 'no body',
    ...raw(({ res, track }) => {
      track()
      res.statusCode = 202
      res.end()
    }),
    client: asks(last()),
    handlerEnds: [200],
    ends: [202],
  },
  { name: 'HEAD', ...hello, client: asks(last('HEAD')), ends: [200] },
  {
    name: '204',
    express({ res, track }) {
      track()
      res.sendStatus(204)
    },
    koa({ ctx, track }) {
      track()
      ctx.status = 204
    },
    fastify({ reply, track }) {
      track()
      return reply.code(204).send()
    },
    hono({ c, track }) {
      track()
      return c.body(null, 204)
    },
    client: asks(last()),
    ends: [204],
  },
  {
    name: '304 for what the client has already',
    express({ res, track }) {
      track()
      res.set('ETag', '"v1"').send('hello')
    },
    koa({ ctx, track }) {
      track()
      ctx.status = 200
      ctx.etag = 'v1'
      ctx.body = 'hello'
      if (ctx.fresh) ctx.status = 304
    },
    fastify({ request, reply, track }) {
      track()
      reply.header('etag', '"v1"')
      return request.headers['if-none-match'] === '"v1"' ? reply.code(304).send() : reply.send('hello')
    },
    hono({ c, track }) {
      track()
      c.header('ETag', '"v1"')
      return c.req.header('if-none-match') === '"v1"' ? c.body(null, 304) : c.text('hello')
    },
    client: asks(last('GET', 'If-None-Match: "v1"\r\n')),
    ends: [304],
  },
  {
    name: 'a redirect',
    express({ res, track }) {
      track()
      res.redirect('/elsewhere')
    },
    koa({ ctx, track }) {
      track()
      ctx.redirect('/elsewhere')
    },
    fastify({ reply, track }) {
      track()
      return reply.redirect('/elsewhere', 302)
    },
    hono({ c, track }) {
      track()
      return c.redirect('/elsewhere')
    },
    client: asks(last()),
    ends: [302],
  },
  {
    name: '404 that no route takes',
    express({ next, track }) {
      track()
      next()
    },
    koa({ next, track }) {
      track()
      return next()
    },
    fastify({ reply, track }) {
      track()
      return reply.callNotFound()
    },
    async hono({ next, track }) {
      track()
      await next()
      return undefined
    },
    client: asks(last()),
    ends: [404],
  },
  {
    name: 'a body written in pieces',
    ...raw(async ({ res, track }) => {
      for (const part of parts(5)) {
        res.write(part)
        await new Promise(setImmediate)
      }
      track()
      res.end()
    }),
    client: asks(last()),
    ends: [200],
  },
  {
    name: 'a piped body',
    express({ res, track }) {
      track()
      Readable.from(parts(50)).pipe(res)
    },
    koa({ ctx, track }) {
      track()
      ctx.body = Readable.from(parts(50))
    },
    fastify({ reply, track }) {
      track()
      return reply.send(Readable.from(parts(50)))
    },
    hono({ c, track }) {
      track()
      return c.body(webStream(Readable.from(parts(50))))
    },
    client: asks(last()),
    ends: [200],
  },
  {
    name: '50 MB and a slow reader',
    express({ res, track, gate }) {
      track()
      res.send(FIFTY_MB)
      gate.open('sent')
    },
    koa({ ctx, track, gate }) {
      track()
      ctx.body = FIFTY_MB
      gate.open('sent')
    },
    fastify({ reply, track, gate }) {
      track()
      gate.open('sent')
      return reply.send(FIFTY_MB)
    },
    hono({ c, track, gate }) {
      track()
      gate.open('sent')
      return c.body(FIFTY_MB)
    },
    async client(dial, gate) {
      const wire = await dial(Wire.connectUnread)
      wire.send(last())
      await gate.opened('sent')
      await wire.readSlowly()
    },
    ends: [200],
  },
  {
    name: 'an interim response first',
    ...raw(({ res, track }) => {
      track()
      res.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' })
      res.end('hello')
    }),
    client: asks(last()),
    ends: [200],
  },
  {
    name: 'two requests on one connection, one after the other',
    ...hello,
    async client(dial) {
      const wire = await dial()
      wire.send(request('/1'))
      await wire.received('hello')
      wire.send(request('/2'))
      await wire.received('hello', 2)
      await wire.leave()
    },
    ends: [200, 200],
  },
  {
    name: 'an upgrade that nobody takes up',
    ...hello,
    client: asks(request('/', 'GET', 'Connection: Upgrade, close\r\nUpgrade: websocket\r\n')),
    ends: [200],
  },
]

/** Answers the second of two requests before the first, whose answer the connection has to wait for. */
const secondFirst: Handlers = {
  async express({ req, res, track, gate }) {
    track()
    if (req.url === '/1') await gate.opened('second')
    res.send(`answer to ${req.url}`)
    if (req.url === '/2') gate.open('second')
  },
  async koa({ ctx, track, gate }) {
    track()
    if (ctx.url === '/1') await gate.opened('second')
    ctx.body = `answer to ${ctx.url}`
    if (ctx.url === '/2') gate.open('second')
  },
  async fastify({ request, reply, track, gate }) {
    track()
    if (request.url === '/1') await gate.opened('second')
    reply.send(`answer to ${request.url}`)
    if (request.url === '/2') gate.open('second')
    return reply
  },
  async hono({ c, track, gate }) {
    track()
    const { path } = c.req
    if (path === '/1') await gate.opened('second')
    if (path === '/2') setImmediate(() => gate.open('second'))
    return c.text(`answer to ${path}`)
  },
}

/** Reads the body, so that the request itself is over, and never answers. */
const readsAndNeverAnswers = raw(async ({ req, track, gate }) => {
  track()
  req.resume()
  if (req.method === 'POST') await once(req, 'end')
  gate.open(req.url ?? '')
  await NEVER
})

const pipelined: readonly Scenario[] = [
  {
    name: 'pipelined requests, the second ready first',
    ...secondFirst,
    async client(dial) {
      const wire = await dial()
      wire.send(request('/1') + request('/2'))
      await wire.received('answer to /2')
      await wire.leave()
    },
    ends: [200, 200],
  },
  {
    name: 'pipelined requests, the first never answered, and the client leaves',
    ...readsAndNeverAnswers,
    client: leavesAt('/2', request('/1') + request('/2')),
    handlerEnds: 'never',
    ends: ['aborted', 'aborted'],
  },
  {
    name: 'pipelined requests whose bodies were read, the first never answered, and the client leaves',
    ...readsAndNeverAnswers,
    client: leavesAt('/3', request('/1') + post('/2', 'hello') + post('/3', 'hello')),
    handlerEnds: 'never',
    ends: ['aborted', 'aborted', 'aborted'],
  },
  {
    name: 'twenty pipelined requests, and the client leaves',
    ...readsAndNeverAnswers,
    client: leavesAt(
      '/20',
      Array.from({ length: 20 }, (_, index) => post(`/${index + 1}`, 'hello')).join(''),
    ),
    handlerEnds: 'never',
    ends: Array.from({ length: 20 }, () => 'aborted' as const),
  },
  {
    name: 'a queued response that is ready when the client leaves',
    express({ req, res, track, gate }) {
      track()
      if (req.url === '/2') res.send('hello')
      gate.open(req.url)
    },
    koa({ ctx, track, gate }) {
      track()
      if (ctx.url === '/1') return NEVER
      ctx.body = 'hello'
      gate.open(ctx.url)
    },
    fastify({ request, reply, track, gate }) {
      track()
      if (request.url === '/2') reply.send('hello')
      gate.open(request.url)
    },
    hono({ c, track, gate }) {
      track()
      if (c.req.path === '/1') return NEVER
      setImmediate(() => gate.open('/2'))
      return c.text('hello')
    },
    client: leavesAt('/2', request('/1') + request('/2')),
    handlerEnds: [200, 'aborted'],
    ends: ['aborted', 'aborted'],
  },
]

const aborted: readonly Scenario[] = [
  {
    name: 'the client leaves while it sends its request',
    ...raw(async ({ req, track, gate }) => {
      track()
      await once(req, 'data')
      gate.open('uploading')
      await NEVER
    }),
    client: leavesAt('uploading', post('/', 'half', 8)),
    ends: ['aborted'],
  },
  {
    name: 'the client leaves before the headers, and the handler goes on',
    async express({ req, res, track, gate }) {
      track()
      gate.open('handling')
      await once(res, 'close')
      res.send(`too late for ${req.url}`)
    },
    async koa({ ctx, track, gate }) {
      track()
      gate.open('handling')
      await once(ctx.res, 'close')
      ctx.body = 'too late'
    },
    async fastify({ reply, track, gate }) {
      track()
      gate.open('handling')
      await once(reply.raw, 'close')
      return 'too late'
    },
    async hono({ c, track, gate }) {
      track()
      gate.open('handling')
      await once(c.env.outgoing, 'close')
      return c.text('too late')
    },
    client: leavesAt('handling'),
    ends: ['aborted'],
  },
  {
    name: 'the client breaks the connection off',
    express({ track, gate }) {
      track()
      gate.open('handling')
    },
    koa({ track, gate }) {
      track()
      gate.open('handling')
      return NEVER
    },
    fastify({ track, gate }) {
      track()
      gate.open('handling')
      return NEVER
    },
    hono({ track, gate }) {
      track()
      gate.open('handling')
      return NEVER
    },
    async client(dial, gate) {
      const wire = await dial()
      wire.send(request())
      await gate.opened('handling')
      await wire.reset()
    },
    ends: ['aborted'],
  },
  {
    name: 'the client leaves when it has the headers',
    ...raw(({ res, track }) => {
      track()
      res.flushHeaders()
    }),
    async client(dial) {
      const wire = await dial()
      wire.send(request())
      await wire.received('\r\n\r\n')
      await wire.leave()
    },
    handlerEnds: [200],
    ends: ['aborted'],
  },
  {
    name: 'the client leaves in the middle of the body',
    express({ res, track }) {
      track()
      const body = new PassThrough()
      body.pipe(res)
      body.write('the first part')
    },
    koa({ ctx, track }) {
      track()
      const body = new PassThrough()
      ctx.body = body
      body.write('the first part')
    },
    fastify({ reply, track }) {
      track()
      const body = new PassThrough()
      body.write('the first part')
      return reply.send(body)
    },
    hono({ c, track }) {
      track()
      const body = new PassThrough()
      body.write('the first part')
      return c.body(webStream(body))
    },
    async client(dial) {
      const wire = await dial()
      wire.send(request())
      await wire.received('the first part')
      await wire.leave()
    },
    handlerEnds: [200],
    ends: ['aborted'],
  },
  {
    name: 'server-sent events until the client leaves',
    ...raw(({ res, track }) => {
      track()
      res.setHeader('Content-Type', 'text/event-stream')
      res.write('data: 1\n\n')
      setImmediate(() => res.write('data: 2\n\n'))
    }),
    async client(dial) {
      const wire = await dial()
      wire.send(request())
      await wire.received('data: 2')
      await wire.leave()
    },
    handlerEnds: [200],
    ends: ['aborted'],
  },
  {
    name: 'never answered, and the server closes all connections',
    express({ res, track, gate }) {
      track()
      gate.open('handling')
      setImmediate(() => res.socket?.destroy())
    },
    koa({ ctx, track, gate }) {
      track()
      gate.open('handling')
      setImmediate(() => ctx.socket.destroy())
      return NEVER
    },
    fastify({ request, track, gate }) {
      track()
      gate.open('handling')
      setImmediate(() => request.raw.socket.destroy())
      return NEVER
    },
    hono({ c, track, gate }) {
      track()
      gate.open('handling')
      setImmediate(() => c.env.incoming.socket.destroy())
      return NEVER
    },
    client: asks(request()),
    ends: ['aborted'],
  },
  {
    name: 'a timeout that destroys the socket',
    express({ req, track }) {
      track()
      req.socket.setTimeout(1)
    },
    koa({ ctx, track }) {
      track()
      ctx.socket.setTimeout(1)
      return NEVER
    },
    fastify({ request, track }) {
      track()
      request.raw.socket.setTimeout(1)
      return NEVER
    },
    hono({ c, track }) {
      track()
      c.env.incoming.socket.setTimeout(1)
      return NEVER
    },
    client: asks(request()),
    ends: ['aborted'],
  },
  {
    name: 'a response that is destroyed',
    express({ res, track }) {
      track()
      res.destroy()
    },
    koa({ ctx, track }) {
      track()
      ctx.res.destroy()
    },
    fastify({ reply, track }) {
      track()
      reply.raw.destroy()
      return NEVER
    },
    hono({ c, track }) {
      track()
      c.env.outgoing.destroy()
      return NEVER
    },
    client: asks(request()),
    ends: ['aborted'],
  },
]

const failing: readonly Scenario[] = [
  {
    name: 'a handler that throws',
    express({ track }) {
      track()
      throw broken()
    },
    koa({ track }) {
      track()
      throw broken()
    },
    fastify({ track }) {
      track()
      throw broken()
    },
    hono({ track }) {
      track()
      throw broken()
    },
    client: asks(last()),
    ends: [500],
  },
  {
    name: 'a handler that rejects',
    async express({ track, gate }) {
      track()
      await new Promise(setImmediate)
      gate.open('rejected')
      throw broken()
    },
    async koa({ track, gate }) {
      track()
      await new Promise(setImmediate)
      gate.open('rejected')
      throw broken()
    },
    async fastify({ track, gate }) {
      track()
      await new Promise(setImmediate)
      gate.open('rejected')
      throw broken()
    },
    async hono({ track, gate }) {
      track()
      await new Promise(setImmediate)
      gate.open('rejected')
      throw broken()
    },
    // Express 4 does not see the rejection: nobody answers, and the client gives up.
    async client(dial, gate) {
      const wire = await dial()
      wire.send(last())
      await gate.opened('rejected')
      await Promise.race([wire.closed, gate.opened('unhandled')])
      await wire.leave()
    },
    ends: ({ name }) => [name === 'Express 4' ? 'aborted' : 500],
    unhandled: ({ name }) => (name === 'Express 4' ? ['broken'] : []),
  },
  {
    name: 'a handler that hands an error on',
    express({ next, track }) {
      track()
      next(broken(418))
    },
    koa({ ctx, track }) {
      track()
      ctx.throw(broken(418))
    },
    fastify({ reply, track }) {
      track()
      return reply.send(broken(418))
    },
    hono({ track }) {
      track()
      throw broken(418)
    },
    client: asks(last()),
    ends: [418],
  },
  {
    name: 'an error after the headers went out',
    async express({ res, next, track, gate }) {
      track()
      res.write('the first part')
      await gate.opened('received')
      next(broken())
      gate.open('failed')
    },
    koa({ ctx, track, gate }) {
      track()
      const body = new PassThrough()
      ctx.body = body
      body.write('the first part')
      body.on('error', () => gate.open('failed'))
      gate.opened('received').then(() => body.destroy(broken()))
    },
    fastify({ reply, track, gate }) {
      track()
      const body = new PassThrough()
      body.write('the first part')
      body.on('error', () => gate.open('failed'))
      gate.opened('received').then(() => body.destroy(broken()))
      return reply.send(body)
    },
    hono({ c, track, gate }) {
      track()
      const body = new PassThrough()
      body.write('the first part')
      body.on('error', () => gate.open('failed'))
      gate.opened('received').then(() => body.destroy(broken()))
      return c.body(webStream(body))
    },
    // Koa leaves the response open.
    async client(dial, gate) {
      const wire = await dial()
      wire.send(request())
      await wire.received('the first part')
      gate.open('received')
      await gate.opened('failed')
      await wire.leave()
    },
    handlerEnds: [200],
    // NestJS ends the response as if nothing had happened.
    ends: ({ name }) => [name === 'NestJS on Express' ? 200 : 'aborted'],
  },
]

/** Fastify goes no further with a request that is answered: its handler does not run. */
const unlessAnswered = ({ family }: Framework) => (family === 'fastify' ? [] : [200])

function handled({ track, gate }: Exchange): void {
  track()
  gate.open('handled')
}

const unusual: readonly Scenario[] = [
  {
    name: 'a response that was ended before the tracking',
    before: {
      express({ res, next }) {
        res.end('from somebody else')
        next()
      },
      koa({ ctx, next }) {
        ctx.respond = false
        ctx.status = 200
        ctx.res.end('from somebody else')
        return next()
      },
      fastify({ reply }, next) {
        reply.hijack()
        reply.raw.end('from somebody else')
        next()
      },
      async hono({ c, next }) {
        c.env.outgoing.end('from somebody else')
        await next()
      },
    },
    express: ({ track }) => track(),
    koa: ({ track }) => track(),
    fastify: ({ track }) => track(),
    async hono({ track }) {
      track()
      return RESPONSE_ALREADY_SENT
    },
    client: asks(last()),
    ends: unlessAnswered,
  },
  {
    name: 'a response that was sent before the tracking',
    before: {
      express({ res, next }) {
        res.on('finish', () => next())
        res.end('from somebody else')
      },
      async koa({ ctx, next }) {
        ctx.respond = false
        ctx.status = 200
        ctx.res.end('from somebody else')
        await once(ctx.res, 'finish')
        await next()
      },
      async fastify({ reply }, next) {
        reply.hijack()
        reply.raw.end('from somebody else')
        await once(reply.raw, 'finish')
        next()
      },
      async hono({ c, next }) {
        c.env.outgoing.end('from somebody else')
        await once(c.env.outgoing, 'finish')
        await next()
      },
    },
    express: ({ track }) => track(),
    koa: ({ track }) => track(),
    fastify: ({ track }) => track(),
    async hono({ track }) {
      track()
      return RESPONSE_ALREADY_SENT
    },
    client: asks(last()),
    ends: unlessAnswered,
  },
  {
    name: 'a connection that was lost before the tracking',
    before: {
      express({ res, next, gate }) {
        gate.open('handling')
        res.on('close', () => next())
      },
      async koa({ ctx, next, gate }) {
        gate.open('handling')
        await once(ctx.res, 'close')
        await next()
      },
      async fastify({ reply, gate }, next) {
        gate.open('handling')
        await once(reply.raw, 'close')
        next()
      },
      async hono({ c, next, gate }) {
        gate.open('handling')
        await once(c.env.outgoing, 'close')
        await next()
      },
    },
    express: handled,
    koa: handled,
    fastify: handled,
    async hono(exchange) {
      handled(exchange)
      return RESPONSE_ALREADY_SENT
    },
    async client(dial, gate) {
      await leavesAt('handling')(dial, gate)
      await gate.opened('handled')
    },
    ends: ['aborted'],
  },
  {
    name: 'events after the end',
    ...raw(({ res, track, gate }) => {
      res.on('finish', () =>
        setImmediate(() => {
          track()
          gate.open('tracked late')
        }),
      )
      track()
      res.end('hello')
    }),
    async client(dial, gate) {
      const wire = await dial()
      wire.send(last())
      await wire.closed
      await gate.opened('tracked late')
    },
    ends: [200, 200],
  },
]

/** All of them. */
export const scenarios: readonly Scenario[] = [...answered, ...pipelined, ...aborted, ...failing, ...unusual]
