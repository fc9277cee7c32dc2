import { AsyncResource } from 'node:async_hooks'
import { EventEmitter, once } from 'node:events'
import { readFile } from 'node:fs'
import { request } from 'node:http'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import express from 'express'
import session from 'express-session'
import Koa from 'koa'
import multer from 'multer'
import { describe, expect, it, onTestFinished } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import type { Tracking } from '../../src/index.js'
import { requestsOf, segmentServer, serve, trackingTo, visitor } from '../support/servers.js'
import { contexts } from './contexts.js'

const THIS_FILE = fileURLToPath(import.meta.url)

/** Waiters get a connection when it is released, each in its own asynchronous context. */
class Pool {
  readonly #waiting: (() => void)[] = []
  #free = true

  acquire(use: () => void): void {
    if (!this.#free) {
      this.#waiting.push(AsyncResource.bind(use))
      return
    }
    this.#free = false
    use()
  }

  release(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free = true
  }
}

/** Answers each message in the asynchronous context of who sent it. */
class EchoWorker {
  readonly #worker = new Worker(
    "const { parentPort: p } = require('node:worker_threads'); p.on('message', (m) => p.postMessage(m))",
    {
      eval: true,
    },
  )
  readonly #waiting = new Map<number, () => void>()
  #sent = 0

  constructor() {
    this.#worker.on('message', (number) => this.#waiting.get(number)?.())
    onTestFinished(async () => {
      await this.#worker.terminate()
    })
  }

  ask(answered: () => void): void {
    const number = ++this.#sent
    this.#waiting.set(number, AsyncResource.bind(answered))
    this.#worker.postMessage(number)
  }
}

/** Sessions that take their time, as those in a database do. */
class AsynchronousStore extends session.Store {
  readonly #sessions = new Map<string, string>()

  override get(id: string, callback: (error: unknown, session?: session.SessionData | null) => void): void {
    setTimeout(() => callback(null, JSON.parse(this.#sessions.get(id) ?? 'null')), 1)
  }

  override set(id: string, data: session.SessionData, callback?: (error?: unknown) => void): void {
    this.#sessions.set(id, JSON.stringify(data))
    setTimeout(() => callback?.(), 1)
  }

  override destroy(id: string, callback?: (error?: unknown) => void): void {
    this.#sessions.delete(id)
    callback?.()
  }
}

/** A handler that looks at the running tracker at one or more points, and then is done. */
type Way = (look: () => void, req: express.Request, res: express.Response) => Promise<void> | void

const ways: Record<string, () => Way> = {
  'in the handler itself': () => (look) => look(),
  'across awaits': () => async (look) => {
    for (let turn = 0; turn < 20; turn++) {
      await (turn % 2 ? new Promise(setImmediate) : undefined)
      look()
    }
  },
  'in timers': () => async (look) => {
    await new Promise<void>((done) => setTimeout(() => done(look()), 1))
    await new Promise<void>((done) => setImmediate(() => done(look())))
    await new Promise<void>((done) => process.nextTick(() => done(look())))
    await new Promise<void>((done) => queueMicrotask(() => done(look())))
    await new Promise<void>((done) => {
      const interval = setInterval(() => {
        clearInterval(interval)
        done(look())
      }, 1)
    })
  },
  'in event emitters': () => async (look) => {
    const emitter = new EventEmitter()
    emitter.on('event', look)
    await sleep(1)
    emitter.emit('event')
  },
  'in streams': () => async (look) => {
    const transform = new Transform({
      transform(chunk, _encoding, callback) {
        look()
        setImmediate(callback, null, chunk)
      },
    })
    await pipeline(Readable.from(['a', 'b', 'c']), transform, async (source: AsyncIterable<unknown>) => {
      for await (const _ of source) look()
    })
    look()
  },
  'in callbacks of the system': () => (look) =>
    new Promise<void>((done) => readFile(THIS_FILE, () => done(look()))),
  'in a pool that keeps to asynchronous contexts': () => {
    const pool = new Pool()
    return (look) =>
      new Promise<void>((done) =>
        pool.acquire(() => {
          look()
          setImmediate(() => {
            look()
            pool.release()
            done()
          })
        }),
      )
  },
  'in callbacks of a worker that are bound': () => {
    const worker = new EchoWorker()
    return (look) => new Promise<void>((done) => worker.ask(() => done(look())))
  },
}

describe.each(contexts)('tracking.current() in $name', ({ open }) => {
  /** Twenty visitors at once; each call has to carry the one whose handler looked. */
  async function expectEachItsOwn(
    mount: (app: express.Express) => void,
    way: Way,
    ask: (url: string, user: string) => Promise<unknown> = (url, user) => fetch(url, { headers: { user } }),
  ) {
    const segment = await segmentServer()
    const { begin, ambient } = open()
    const tracking = trackingTo(segment, {
      ...(ambient && { ambient }),
      request: { userId: ({ headers }) => headers.user?.toString() },
    })
    const app = express()
    let looks = 0
    app.use((_req, _res, next) => begin(next), expressTracking(tracking))
    mount(app)
    app.use(async (req, res) => {
      const look = () => {
        looks++
        tracking
          .current()
          ?.track('user look', { is: req.headers.user, own: tracking.current() === req.tracker })
      }
      await way(look, req, res)
      res.end()
    })
    const { url } = await serve(app)
    const users = Array.from({ length: 20 }, (_, index) => `u${index}`)
    await Promise.all(users.map((user) => ask(url, user)))
    await tracking.flush()
    expect(looks).toBeGreaterThanOrEqual(users.length)
    expect(segment.calls).toHaveLength(looks)
    for (const call of segment.calls) {
      expect(call).toMatchObject({ properties: { is: call.userId, own: true } })
    }
  }

  it.each(Object.entries(ways))('is its own for each of many requests %s', async (_name, way) => {
    await expectEachItsOwn(() => {}, way())
  })

  it.each([
    { name: 'express.json()', parser: express.json(), type: 'application/json', body: '{"a":1}' },
    {
      name: 'express.urlencoded()',
      parser: express.urlencoded(),
      type: 'application/x-www-form-urlencoded',
      body: 'a=1',
    },
    { name: 'express.text()', parser: express.text(), type: 'text/plain', body: 'a longer text' },
    {
      name: 'multer',
      parser: multer().any(),
      type: 'multipart/form-data; boundary=b',
      body: '--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\ncontent\r\n--b--\r\n',
    },
  ])('stays after $name, whose body comes in pieces', async ({ parser, type, body }) => {
    await expectEachItsOwn(
      (app) => app.use(parser),
      (look, req) => {
        expect(req.body ?? req.files).toBeTruthy()
        look()
      },
      (url, user) => postInPieces(url, { user, 'content-type': type }, body),
    )
  })

  it('stays after express-session with an asynchronous store', async () => {
    const store = new AsynchronousStore()
    await expectEachItsOwn(
      (app) => app.use(session({ secret: 'none', store, resave: true, saveUninitialized: true })),
      (look, req) => {
        look()
        return new Promise<void>((done) => req.session.save(() => done(look())))
      },
      async (url, user) => {
        const first = await fetch(url, { headers: { user } })
        const [cookie = ''] = first.headers.getSetCookie()
        await fetch(url, { headers: { user, cookie } })
      },
    )
  })

  it('is nobody outside of requests', async () => {
    const segment = await segmentServer()
    const { begin, ambient } = open()
    const seen: unknown[] = []
    const elsewhere = () => seen.push(tracking.current())
    const tracking: Tracking = trackingTo(segment, {
      ...(ambient && { ambient }),
      request: { anonymousId: () => 'somebody' },
      mapping: { page: { view: { condition: () => elsewhere() > 0 } } },
      on: { delivered: elsewhere },
    })
    const app = express()
    app.use((_req, _res, next) => begin(next), expressTracking(tracking))
    app.use((req, res) => {
      req.track('page view')
      res.send('hello')
    })
    const { url } = await serve(app)
    await Promise.all(Array.from({ length: 5 }, () => fetch(url)))
    await tracking.flush()
    elsewhere()
    expect(seen).toHaveLength(11)
    expect(new Set(seen)).toEqual(new Set([undefined]))
  })

  it('is there in Koa, too', async () => {
    const segment = await segmentServer()
    const { ambient, begin } = open()
    const tracking = trackingTo(segment, {
      ...(ambient && { ambient }),
      request: { userId: ({ headers }) => headers.user?.toString() },
    })
    const app = new Koa()
    app.use((_ctx, next) => begin(next))
    app.use(koaTracking(tracking))
    app.use(async (ctx, next) => {
      await sleep(1)
      await next()
      tracking.current()?.track('user look', { is: ctx.get('user') })
    })
    app.use(async (ctx) => {
      await sleep(1)
      tracking.current()?.track('user look', { is: ctx.get('user') })
      ctx.body = 'hello'
    })
    const { url } = await serve(app.callback())
    await Promise.all(Array.from({ length: 20 }, (_, user) => fetch(url, { headers: { user: `u${user}` } })))
    await tracking.flush()
    expect(segment.calls).toHaveLength(40)
    for (const call of segment.calls) expect(call).toMatchObject({ properties: { is: call.userId } })
  })
})

async function postInPieces(url: string, headers: Record<string, string>, body: string): Promise<void> {
  const post = request(url, { method: 'POST', headers })
  const responded = once(post, 'response')
  for (const piece of body.match(/.{1,5}/gs) ?? []) {
    post.write(piece)
    await new Promise(setImmediate)
  }
  post.end()
  const [response] = await responded
  expect(response.statusCode).toBe(200)
  response.resume()
  await once(response, 'end')
}

describe('tracking.current() without an ambient context', () => {
  it('is undefined where `ambient` is false, and the request has its tracker nonetheless', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { ambient: false })
    const app = express()
    app.use(expressTracking(tracking))
    app.use((req, res) => {
      req.track('page view')
      res.json({ current: typeof tracking.current() })
    })
    const { url } = await serve(app)
    expect(await (await fetch(url, { headers: visitor('s1') })).json()).toEqual({ current: 'undefined' })
    await segment.waitFor(1)
  })

  it('is undefined in a bare Node server, which nothing runs below', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment)
    const inRequest = await requestsOf(tracking)
    await inRequest(() => expect(tracking.current()).toBeUndefined())
  })
})
