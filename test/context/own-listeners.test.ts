import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { pipeline, Writable } from 'node:stream'
import express from 'express'
import express4 from 'express4'
import Koa from 'koa'
import Koa2 from 'koa2'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import type { Tracker, Tracking } from '../../src/index.js'
import { Wire } from '../matrix/wire.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'
import { contexts } from './contexts.js'

type Handle = (req: IncomingMessage, res: ServerResponse, tracker: Tracker) => unknown

/** Applications that run a handler of Node's own request below the tracking. */
const applications: Record<
  string,
  (tracking: Tracking, begin: <T>(next: () => T) => T, handle: Handle) => Listener
> = {
  'Express 5': (tracking, begin, handle) => {
    const app = express().use((_req, _res, next) => begin(next), expressTracking(tracking))
    return app.use((req, res) => void handle(req, res, req.tracker))
  },
  'Express 4': (tracking, begin, handle) => {
    const app = express4().use((_req, _res, next) => begin(next), expressTracking(tracking))
    return app.use((req, res) => void handle(req, res, req.tracker))
  },
  'Koa 3': (tracking, begin, handle) => koa(Koa, tracking, begin, handle),
  'Koa 2': (tracking, begin, handle) => koa(Koa2, tracking, begin, handle),
}

type Listener = (req: IncomingMessage, res: ServerResponse) => void

function koa(
  Application: typeof Koa,
  tracking: Tracking,
  begin: <T>(next: () => T) => T,
  handle: Handle,
): Listener {
  const app = new Application()
  app.silent = true
  app.use((_ctx, next) => begin(next)).use(koaTracking(tracking))
  app.use((ctx) => {
    ctx.respond = false
    handle(ctx.req, ctx.res, ctx.tracker)
  })
  return app.callback()
}

/** Ways to listen to a body, each of which looks at every event. */
const ways: Record<string, (req: IncomingMessage, look: (event: string) => void) => void> = {
  'on() data and end': (req, look) => {
    req.on('data', () => look('data')).on('end', () => look('end'))
  },
  'once() end': (req, look) => {
    req.resume().once('end', () => look('end'))
  },
  'prependListener()': (req, look) => {
    req.prependListener('end', () => look('end')).prependListener('data', () => look('data'))
    req.resume()
  },
  readable: (req, look) => {
    req.on('readable', () => {
      look('readable')
      while (req.read() !== null) look('chunk')
    })
    req.on('end', () => look('end'))
  },
  'pipe()': (req, look) => {
    const sink = new Writable({
      write(_chunk, _encoding, done) {
        look('write')
        done()
      },
    })
    req.pipe(sink).on('finish', () => look('end'))
  },
  'pipeline()': (req, look) => {
    const sink = new Writable({ write: (_chunk, _encoding, done) => done() })
    pipeline(req, sink, () => look('end'))
  },
  'a listener that is added late': (req, look) => {
    req.on('data', () => look('data'))
    process.nextTick(() => req.on('end', () => look('end')))
  },
}

async function postInPieces(url: string, user: string, method = 'POST', headers = {}): Promise<number> {
  const post: ClientRequest = request(url, { method, headers: { user, ...headers }, agent: false })
  const responded = once(post, 'response')
  for (let piece = 0; piece < 5; piece++) {
    post.write('piece')
    await new Promise((done) => setTimeout(done, 2))
  }
  post.end()
  const [response] = await responded
  response.resume()
  await once(response, 'end')
  return response.statusCode
}

describe.each(contexts)("tracking.current() in a request's own listeners, in $name", ({ open }) => {
  async function start(application: string, handle: Handle) {
    const { begin, ambient } = open()
    const tracking = trackingTo(await segmentServer(), { ...(ambient && { ambient }) })
    const app = applications[application]?.(tracking, begin, handle)
    if (!app) throw new Error(`no ${application}`)
    const { url, server } = await serve(app)
    return { tracking, url, server }
  }

  it.each(Object.keys(ways))('is the own one while a body comes in pieces: %s', async (way) => {
    const seen: { event: string; own: boolean }[] = []
    let tracking: Tracking | undefined
    const started = await start('Express 5', (req, res, tracker) => {
      ways[way]?.(req, (event) => {
        seen.push({ event, own: tracking?.current() === tracker })
        if (event === 'end') res.end('ok')
      })
    })
    tracking = started.tracking
    const users = Array.from({ length: 10 }, (_, index) => `u${index}`)
    const statuses = await Promise.all(users.map((user) => postInPieces(started.url, user)))
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(seen.filter(({ event }) => event === 'end')).toHaveLength(10)
    expect(seen.filter(({ own }) => !own)).toEqual([])
  })

  it.each(Object.keys(applications))('is the own one in %s', async (application) => {
    const seen: boolean[] = []
    let tracking: Tracking | undefined
    const started = await start(application, (req, res, tracker) => {
      req.on('data', () => seen.push(tracking?.current() === tracker))
      req.on('end', () => {
        seen.push(tracking?.current() === tracker)
        res.end('ok')
      })
    })
    tracking = started.tracking
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) await postInPieces(started.url, 'u', method)
    expect(seen.length).toBeGreaterThan(8)
    expect(new Set(seen)).toEqual(new Set([true]))
  })

  it.each(
    Object.keys(applications).flatMap((application) => [
      [application, 'GET', { 'transfer-encoding': 'chunked' }] as const,
      [application, 'GET', { 'Content-Length': '25' }] as const,
      [application, 'HEAD', { 'Transfer-Encoding': 'chunked' }] as const,
      [application, 'HEAD', { 'content-length': '25' }] as const,
    ]),
  )(
    'is the own one in %s while the body of a %s comes, which has %j',
    async (application, method, headers) => {
      const seen: boolean[] = []
      let tracking: Tracking | undefined
      const started = await start(application, (req, res, tracker) => {
        req.on('data', () => seen.push(tracking?.current() === tracker))
        req.on('end', () => {
          seen.push(tracking?.current() === tracker)
          res.end('ok')
        })
      })
      tracking = started.tracking
      await postInPieces(started.url, 'u', method, headers)
      expect(seen.length).toBeGreaterThanOrEqual(2)
      expect(new Set(seen)).toEqual(new Set([true]))
    },
  )

  it.each(Object.keys(applications))(
    "is never another request's under pipelining in %s",
    async (application) => {
      const strangers: string[] = []
      const looks: string[] = []
      let tracking: Tracking | undefined
      const started = await start(application, (req, res, tracker) => {
        const look = (event: string) => {
          looks.push(`${req.url} ${event}`)
          const current = tracking?.current()
          if (current !== undefined && current !== tracker) strangers.push(`${req.url} ${event}`)
        }
        for (const event of ['data', 'end', 'close', 'aborted', 'error'])
          req.on(event, () => look(`req ${event}`))
        for (const event of ['finish', 'close', 'error']) res.on(event, () => look(`res ${event}`))
        const { searchParams } = new URL(req.url ?? '', 'http://a')
        const [act, ms] = [searchParams.get('act'), Number(searchParams.get('ms'))]
        const answer = () => {
          if (act === 'destroy') req.socket.destroy()
          if (act === 'close') res.setHeader('Connection', 'close')
          if (act === 'big') res.write('x'.repeat(1_000_000))
          if (act !== 'never') res.end('ok')
        }
        if (ms === 0) answer()
        else setTimeout(answer, ms)
      })
      tracking = started.tracking
      const { port } = started.server.address() as AddressInfo
      const ask = (path: string, body = '') =>
        body
          ? `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`
          : `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
      const acts = ['answer', 'big', 'close', 'destroy', 'never']
      const delays = [
        [0, 0],
        [20, 0],
        [0, 10],
        [20, 10],
      ]
      const exchanges = acts.flatMap((first) =>
        acts.flatMap((second) => delays.map(([a, b]) => ({ first, second, a, b }))),
      )
      await Promise.all(
        exchanges.map(async ({ first, second, a, b }) => {
          const wire = await Wire.connect(port)
          const third = ask('/C?act=close&ms=0')
          wire.send(ask(`/A?act=${first}&ms=${a}`) + ask(`/B?act=${second}&ms=${b}`, 'body') + third)
          // Some are never answered, and end when the client leaves.
          await Promise.race([wire.closed, new Promise((done) => setTimeout(done, 500))])
          await wire.leave()
        }),
      )
      expect(looks.length).toBeGreaterThan(100)
      expect([...new Set(strangers)]).toEqual([])
    },
  )

  it('is none of a request in whose turn a listener is added to another one', async () => {
    const requests: IncomingMessage[] = []
    const seen: (string | undefined)[] = []
    let tracking: Tracking | undefined
    const started = await start('Express 5', (req, res, tracker) => {
      requests.push(req)
      if (requests.length === 1) return
      // As a worker of a queue does it, which goes on with one request's work in another's turn.
      requests[0]
        ?.on('data', () => {})
        .on('end', () => {
          seen.push(tracking?.current() === tracker ? 'the other one' : 'none or the own one')
          res.end('ok')
        })
    })
    tracking = started.tracking
    const first = request(started.url, { method: 'POST', agent: false })
    first.on('error', () => {}).write('piece')
    await expect.poll(() => requests.length).toBe(1)
    const second = postInPieces(started.url, 'second')
    await expect.poll(() => requests.length).toBe(2)
    first.end('last piece')
    expect(await second).toBe(200)
    first.destroy()
    expect(seen).toEqual(['none or the own one'])
  })
})

describe('a request whose body is listened to', () => {
  it('is left as it was', async () => {
    const tracking = trackingTo(await segmentServer())
    const seen: { keys: string[]; listeners: unknown[]; later: unknown[] }[] = []
    const app = express().use(expressTracking(tracking), expressTracking(tracking))
    app.use((req, res) => {
      const keys = Object.keys(req)
      req
        .on('data', () => {})
        .on('end', () => {
          seen.push({
            keys: Object.keys(req).filter((key) => !keys.includes(key)),
            listeners: req.listeners('newListener'),
            later: [Object.hasOwn(req, 'push'), Object.hasOwn(res, 'assignSocket')],
          })
          res.end('ok')
        })
    })
    const { url } = await serve(app)
    await postInPieces(url, 'u')
    expect(seen).toEqual([{ keys: [], listeners: [], later: [false, false] }])
  })

  it.each([
    [0, 'GET', {}],
    [0, 'HEAD', { 'content-length': '0' }],
    [1, 'GET', { 'content-length': '25' }],
  ])('gets %i listeners of the tracking as a %s with %j', async (listeners, method, headers) => {
    const tracking = trackingTo(await segmentServer())
    let count = 0
    const app = express().use(expressTracking(tracking), (req, res) => {
      count = req.listenerCount('newListener')
      req.resume()
      res.end('ok')
    })
    const { url } = await serve(app)
    const get = request(url, { method, headers, agent: false })
    if (listeners > 0) get.write('x'.repeat(25))
    const responded = once(get, 'response')
    get.end()
    const [response] = await responded
    response.resume()
    expect(count).toBe(listeners)
  })

  it.each(['GET', 'POST'])('is the one of HTTP/2, too: %s', async (method) => {
    const tracking = trackingTo(await segmentServer())
    const middleware = expressTracking(tracking)
    const seen: boolean[] = []
    const server = createHttp2Server((req, res) => {
      middleware(req as never, res as never, () => {
        const tracker = (req as unknown as express.Request).tracker
        req.on('data', () => seen.push(tracking.current() === tracker))
        req.on('end', () => {
          seen.push(tracking.current() === tracker)
          res.end('ok')
        })
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    onTestFinished(() => {
      session.destroy()
      server.close()
    })
    const stream = session.request({ ':path': '/', ':method': method }, { endStream: false }).resume()
    for (let piece = 0; piece < 3; piece++) {
      stream.write('piece')
      await new Promise((done) => setTimeout(done, 5))
    }
    stream.end()
    await once(stream, 'close')
    expect(seen.length).toBeGreaterThan(2)
    expect(new Set(seen)).toEqual(new Set([true]))
  })
})
