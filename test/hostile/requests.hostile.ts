import { createServer, type IncomingMessage, type RequestListener, type ServerOptions } from 'node:http'
import express, { type NextFunction, type Request, type Response } from 'express'
import fc from 'fast-check'
import Koa from 'koa'
import { describe, expect, it, onTestFinished } from 'vitest'
import { internalsOf } from '../../src/frameworks/adapter.js'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import type { Tracker, Tracking } from '../../src/index.js'
import { everything } from '../request/in-process.js'
import { segmentServer, trackingTo } from '../support/servers.js'
import { holds } from './generated.js'
import { expectBooksBalance, watchProcess } from './harm.js'
import { exchangeRaw, rawRequest, SECRET } from './raw-requests.js'

/** What a handler does with its tracker, if it has one; what fails is kept. */
type Use = (tracker: Tracker | undefined) => void

/** What every application answers with: all that a middleware could have changed. */
function answerTo(req: IncomingMessage, length: number): string {
  return JSON.stringify([req.method, req.url, Object.entries(req.headers), length])
}

/** The length of a body, however its sending ends. */
function bodyLength(req: IncomingMessage): Promise<number> {
  return new Promise((resolve) => {
    let length = 0
    req.on('data', (chunk: Buffer) => {
      length += chunk.length
    })
    req.on('close', () => resolve(length))
    req.on('end', () => resolve(length))
    req.on('error', () => resolve(length))
  })
}

function expressApp(tracking: Tracking | undefined, use: Use): RequestListener {
  const app = express()
  app.set('trust proxy', true)
  if (tracking) app.use(expressTracking(tracking))
  app.get('/page', (req, res) => {
    use(req.tracker)
    res.type('html').send('<title>page</title>')
  })
  app.all('/orders/:id', (req, res) => {
    use(req.tracker)
    res.json({ id: req.params.id, query: req.query, ip: req.ip, host: req.hostname })
  })
  app.use(async (req, res) => {
    use(req.tracker)
    res.send(answerTo(req, await bodyLength(req)))
  })
  // Its own answer to a target that it cannot take would quote the stack.
  app.use((error: { status?: number }, _req: Request, res: Response, _next: NextFunction) => {
    res.status(error.status ?? 500).send('no')
  })
  return (req, res) => void app(req, res)
}

function koaApp(tracking: Tracking | undefined, use: Use): RequestListener {
  const app = new Koa({ proxy: true })
  app.silent = true
  if (tracking) app.use(koaTracking(tracking))
  app.use(async (ctx) => {
    use(ctx.tracker)
    ctx.set(
      'x-seen',
      JSON.stringify([ctx.ips.length, ctx.host.length, ctx.path.length, Object.keys(ctx.query).length]),
    )
    ctx.body = answerTo(ctx.req, await bodyLength(ctx.req))
  })
  return app.callback()
}

async function listen(options: ServerOptions, listener: RequestListener): Promise<number> {
  const server = createServer(options, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** Without the header that differs from second to second. */
function comparable(answer: string): string {
  return answer.replace(/^Date: .*\r\n/im, '')
}

describe.each([
  ['Express 5', expressApp],
  ['Koa 3', koaApp],
] as const)('%s', (_framework, appOf) => {
  it.each([
    ['strict', {}],
    ['lenient', { insecureHTTPParser: true, requireHostHeader: false, maxHeaderSize: 64 * 1024 }],
  ] as const)(
    'answers whatever a %s parser lets through as it does without tracking',
    async (_parser, options) => {
      const { harm } = watchProcess()
      const thrown: unknown[] = []
      const lines: string[] = []
      const errors: unknown[] = []
      const segment = await segmentServer()
      const tracking = trackingTo(segment, {
        settings: { consent: { analytics: 'Analytics', marketing: 'Marketing' }, flushInterval: 1 },
        include: ['user', 'source'],
        request: {
          ...everything,
          anonymousId: [...withoutCreation(), () => 'a-1'],
          skip: [],
          pageViews: true,
          consentUpdates: true,
        },
        logger: {
          handler: (level, message, context) =>
            void lines.push(`${level} ${message} ${JSON.stringify(context)}`),
        },
        on: { error: (error) => errors.push(error) },
      })
      const use: Use = (tracker) => {
        try {
          tracker?.track('order complete', { total: 42 })
          tracker?.identify({ plan: 'team' })
          tracker?.page('Home')
          tracker?.carry()
          if (tracker) JSON.stringify(tracker.identity)
        } catch (error) {
          thrown.push(error)
        }
      }
      const without = await listen(options, appOf(undefined, use))
      const tracked = await listen(options, appOf(tracking, use))
      await holds(
        fc.asyncProperty(fc.array(rawRequest, { minLength: 1, maxLength: 8 }), async (requests) => {
          const pairs = await Promise.all(
            requests.map((bytes) => Promise.all([exchangeRaw(without, bytes), exchangeRaw(tracked, bytes)])),
          )
          for (const [plain, answer] of pairs) expect(comparable(answer)).toBe(comparable(plain))
          await internalsOf(tracking, 'test').settled()
          expectBooksBalance(tracking)
          expect({ harm, thrown, errors }).toEqual({ harm: [], thrown: [], errors: [] })
          expect(tracking.stats().events.open).toBe(0)
          expect(segment.rejected).toEqual([])
          expect(lines.filter((line) => line.includes(SECRET))).toEqual([])
        }),
        60,
      )
      expect(segment.received).toBeGreaterThan(0)
    },
  )
})

/** The readers of ids, without the one that sets a cookie when it finds none. */
function withoutCreation() {
  return [everything.anonymousId ?? []].flat().slice(1)
}
