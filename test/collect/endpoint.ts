import { createServer, type RequestListener, request } from 'node:http'
import express from 'express'
import express4 from 'express4'
import fastify from 'fastify'
import Koa from 'koa'
import Koa2 from 'koa2'
import { onTestFinished } from 'vitest'
import { internalsOf } from '../../src/frameworks/adapter.js'
import { type CollectOptions, expressCollect, expressTracking } from '../../src/frameworks/express.js'
import { fastifyCollect, fastifyTracking } from '../../src/frameworks/fastify.js'
import { koaCollect, koaTracking } from '../../src/frameworks/koa.js'
import type { DroppedEvent, Tracking, TrackingConfig } from '../../src/index.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'

/** What every framework is given. */
interface Mounted {
  readonly tracking: Tracking
  readonly options: CollectOptions
  /** Whether the tracking itself is mounted before the endpoint. */
  readonly isTracked: boolean
}

/** The frameworks, each with the endpoint at `/collect`. */
export const frameworks = [
  { name: 'Express 5', mount: (mounted: Mounted) => mountExpress(express(), mounted) },
  { name: 'Express 4', mount: (mounted: Mounted) => mountExpress(express4(), mounted) },
  { name: 'Koa 3', mount: (mounted: Mounted) => mountKoa(new Koa(), mounted) },
  { name: 'Koa 2', mount: (mounted: Mounted) => mountKoa(new Koa2(), mounted) },
  { name: 'Fastify 5', mount: mountFastify },
]

function mountExpress(app: express.Express, { tracking, options, isTracked }: Mounted) {
  if (isTracked) app.use(expressTracking(tracking))
  app.use('/collect', expressCollect(tracking, options))
  return app
}

function mountKoa(app: Koa | Koa2, { tracking, options, isTracked }: Mounted) {
  if (isTracked) app.use(koaTracking(tracking))
  app.use(koaCollect(tracking, { ...options, path: '/collect' }))
  return app.callback()
}

async function mountFastify({ tracking, options, isTracked }: Mounted): Promise<RequestListener> {
  let listen: RequestListener = () => {}
  const app = fastify({
    serverFactory: (handler) => {
      listen = handler
      return createServer()
    },
  })
  if (isTracked) app.register(fastifyTracking, { tracking })
  app.register(fastifyCollect, { ...options, tracking, prefix: '/collect' })
  await app.ready()
  return listen
}

/** What a client sends, beside what every page of the same origin does. */
export interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: unknown
}

/** What an endpoint answered. */
export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  readonly json: unknown
}

/** An endpoint on a server of its own, the tracking behind it, and a client that can send whatever headers it likes. */
export async function endpoint(
  given: Partial<Omit<Mounted, 'tracking'>> & {
    readonly config?: Parameters<typeof trackingTo>[1]
    readonly framework?: (typeof frameworks)[number]
    readonly app?: (mounted: Mounted) => RequestListener | Promise<RequestListener>
  } = {},
) {
  const segment = await segmentServer()
  const dropped: DroppedEvent[] = []
  const logged: string[] = []
  const config: Omit<TrackingConfig, 'settings'> = given.config ?? {}
  const tracking = trackingTo(segment, {
    // Below that are the lines of development, which name each event.
    logger: { level: 'INFO', handler: (...line: unknown[]) => logged.push(JSON.stringify(line)) },
    ...config,
    on: { dropped: (each) => dropped.push(each), ...config.on },
  })
  const mounted = {
    tracking,
    options: { events: 'any', ...given.options },
    isTracked: given.isTracked ?? true,
  } as const
  const listener = await (given.app ? given.app(mounted) : (given.framework ?? frameworks[0])?.mount(mounted))
  if (!listener) throw new Error('there is no framework')
  const { url } = await serve(listener)
  return {
    url,
    segment,
    tracking,
    dropped,
    logged,
    send: (path: string, sent: Sent = {}) => send(`${url}/collect${path}`, url, sent),
    /** The calls that have arrived, once everything has. */
    async calls(): Promise<readonly Record<string, unknown>[]> {
      await internalsOf(tracking, 'endpoint').settled()
      return segment.calls.map((call) => ({ ...call }))
    },
  }
}

export type Endpoint = Awaited<ReturnType<typeof endpoint>>

/** Sends a request with the headers of a page of the same origin, as Chromium has them. */
export function send(address: string, origin: string, { method, headers, body }: Sent): Promise<Answered> {
  const text =
    body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  const all = {
    'content-type': text === undefined ? undefined : 'application/json',
    origin,
    'sec-fetch-site': 'same-origin',
    'content-length': text === undefined ? undefined : String(Buffer.byteLength(text)),
    cookie: 'ajs_anonymous_id=a-1',
    ...headers,
  }
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
  return new Promise((resolve, reject) => {
    const asked = request(
      address,
      { method: method ?? (text === undefined ? 'GET' : 'POST'), headers: given, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parsed(text) })
        })
      },
    )
    asked.on('error', reject)
    asked.end(text)
    onTestFinished(() => {
      asked.destroy()
    })
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
