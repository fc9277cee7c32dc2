import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type RequestListener,
  request,
} from 'node:http'
import { text } from 'node:stream/consumers'
import express from 'express'
import express4 from 'express4'
import Koa from 'koa'
import Koa2 from 'koa2'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import type { Tracker, Tracking, TrackingConfig } from '../../src/index.js'
import type { ReceivedCall, SegmentServer } from '../../src/testing/index.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'

/** What a handler does in its request, whatever the framework. */
export interface Visit {
  readonly tracker: Tracker
  readonly headers: IncomingHttpHeaders
  readonly path: string
  /** Leaves a user as authentication middleware does; `null` as it does at a logout. */
  signIn(user: object | null): void
  /** Leaves a session as session middleware does. */
  keepSession(session: object): void
  /** Sets a cookie as the framework's own method does. */
  setCookie(name: string, value: string): void
  setHeader(name: string, value: string): void
  send(contentType: string, body: string, status?: number): void
  redirect(to: string): void
}

export type Handle = (visit: Visit) => void | Promise<void>

/** What a framework is given besides its handler. */
export interface Mounting {
  readonly tracking: Tracking
  /** How many proxies stand before it. */
  readonly trustedHops?: number
  /** Mounted before the tracking. */
  readonly before?: Handle
}

/** A framework and how it is told of proxies, users and the like. */
export interface Framework {
  readonly name: string
  mount(mounting: Mounting, handle: Handle): RequestListener
}

export const frameworks: readonly Framework[] = [
  { name: 'Express 4', mount: mountExpress(express4) },
  { name: 'Express 5', mount: mountExpress(express) },
  { name: 'Koa 2', mount: mountKoa(Koa2) },
  { name: 'Koa 3', mount: mountKoa(Koa) },
]

function mountExpress(create: typeof express): Framework['mount'] {
  return ({ tracking, trustedHops, before }, handle) => {
    const app = create()
    if (trustedHops !== undefined) app.set('trust proxy', trustedHops)
    if (before) {
      app.use(async (req, res, next) => {
        await before(expressVisit(req, res))
        next()
      })
    }
    app.use(expressTracking(tracking))
    app.use((req, res, next) => {
      Promise.resolve(handle(expressVisit(req, res))).catch(next)
    })
    return (req, res) => void app(req, res)
  }
}

function expressVisit(req: express.Request, res: express.Response): Visit {
  return {
    tracker: req.tracker,
    headers: req.headers,
    path: req.path,
    signIn: (user) => Object.assign(req, { user }),
    keepSession: (session) => Object.assign(req, { session }),
    setCookie: (name, value) => res.cookie(name, value),
    setHeader: (name, value) => res.setHeader(name, value),
    send: (contentType, body, status = 200) => res.status(status).type(contentType).send(body),
    redirect: (to) => res.redirect(to),
  }
}

function mountKoa(Application: typeof Koa): Framework['mount'] {
  return ({ tracking, trustedHops, before }, handle) => {
    const app = new Application(trustedHops === undefined ? {} : { proxy: true, maxIpsCount: trustedHops })
    app.silent = true
    if (before) {
      app.use(async (ctx, next) => {
        await before(koaVisit(ctx))
        await next()
      })
    }
    app.use(koaTracking(tracking))
    app.use((ctx) => handle(koaVisit(ctx)))
    return app.callback()
  }
}

function koaVisit(ctx: Koa.Context): Visit {
  return {
    tracker: ctx.tracker,
    headers: ctx.headers,
    path: ctx.path,
    signIn: (user) => Object.assign(ctx.state, { user }),
    keepSession: (session) => Object.defineProperty(ctx, 'session', { value: session }),
    setCookie: (name, value) => void ctx.cookies.set(name, value),
    setHeader: (name, value) => ctx.set(name, value),
    send: (contentType, body, status = 200) => {
      ctx.status = status
      ctx.type = contentType
      ctx.body = body
    },
    redirect: (to) => ctx.redirect(to),
  }
}

/** What a browser sends with the load of a page. Node's own clients call themselves names that are a bot's. */
export const browser = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'sec-fetch-dest': 'document',
}

/** An answer as the client has it, and what Segment got of its request. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly setCookies: readonly string[]
  readonly body: string
  readonly calls: readonly ReceivedCall[]
}

/** A site of a framework that tracks to a local Segment endpoint. */
export interface Site {
  readonly segment: SegmentServer
  readonly tracking: Tracking
  readonly url: string
  /** Asks for a path, and resolves when the request is over and its calls have arrived. */
  visit(path: string, headers?: OutgoingHttpHeaders, method?: string): Promise<Answer>
}

type SiteConfig = Omit<TrackingConfig, 'settings'> & { settings?: Partial<TrackingConfig['settings']> }

/** Serves a handler with tracking until the test ends. */
export function site(
  framework: Framework,
  config: SiteConfig,
  handle: Handle,
  mounting: Omit<Mounting, 'tracking'> = {},
): Promise<Site> {
  return serverSite(config, (tracking) => framework.mount({ tracking, ...mounting }, handle))
}

/** Serves a server's own listener with tracking until the test ends. */
export async function serverSite(
  config: SiteConfig,
  listen: (tracking: Tracking) => RequestListener,
): Promise<Site> {
  const segment = await segmentServer()
  const tracking = trackingTo(segment, config)
  const { url, server } = await serve(listen(tracking))
  return {
    segment,
    tracking,
    url,
    async visit(path, headers = browser, method = 'GET') {
      const before = segment.calls.length
      const closed = new Promise((resolve) => {
        server.once('request', (_req, res) => res.once('close', resolve))
      })
      const answer = await ask(`${url}${path}`, headers, method)
      await closed
      await tracking.flush()
      return { ...answer, calls: segment.calls.slice(before) }
    },
  }
}

async function ask(
  url: string,
  headers: OutgoingHttpHeaders,
  method: string,
): Promise<Omit<Answer, 'calls'>> {
  const asked = request(url, { headers, method, agent: false })
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.on('response', resolve).on('error', reject).end()
  })
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    setCookies: response.headers['set-cookie'] ?? [],
    body: await text(response),
  }
}

/** The names of the cookies that an answer sets, in order. */
export function namesOf(setCookies: readonly string[]): string[] {
  return setCookies.map((cookie) => cookie.split('=')[0] ?? '')
}
