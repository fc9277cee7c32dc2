import type { RequestListener } from 'node:http'
import express from 'express'
import express4 from 'express4'
import Koa from 'koa'
import Koa2 from 'koa2'
import { describe, expect, it, vi } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import type { Tracker, Tracking } from '../../src/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { segmentServer, serve, trackingTo, visitor } from '../support/servers.js'

type Tenant = (path: string) => Tracking | undefined
type Handle = (path: string, tracker: Tracker) => void

/** An application, whatever its framework: each request's tenant is the first part of its path. */
interface App {
  readonly name: string
  make(tenant: Tenant, handled: Handle): RequestListener
}

const apps: readonly App[] = [
  { name: 'Express 4', make: expressApp(express4) },
  { name: 'Express 5', make: expressApp(express) },
  { name: 'Koa 2', make: koaApp(Koa2) },
  { name: 'Koa 3', make: koaApp(Koa) },
]

function expressApp(create: typeof express): App['make'] {
  return (tenant, handled) => {
    const app = create()
    app.use(expressTracking((req) => tenant(req.path)))
    app.use((req, res) => {
      req.track('order complete', { path: req.path })
      handled(req.path, req.tracker)
      res.send('hello')
    })
    return (req, res) => void app(req, res)
  }
}

function koaApp(Application: typeof Koa): App['make'] {
  return (tenant, handled) => {
    const app = new Application()
    app.use(koaTracking((ctx) => tenant(ctx.path)))
    app.use((ctx) => {
      ctx.track('order complete', { path: ctx.path })
      handled(ctx.path, ctx.tracker)
      ctx.body = 'hello'
    })
    return app.callback()
  }
}

describe.each(apps)('a tracking for each tenant in $name', ({ make }) => {
  it('delivers to the source of the tenant whose request it is, and to no other', async () => {
    const sources = new Map<string, SegmentServer>()
    const tenants = new Map<string, Tracking>()
    for (const name of ['red', 'green', 'blue']) {
      const segment = await segmentServer()
      sources.set(name, segment)
      tenants.set(name, trackingTo(segment, { settings: { writeKey: `key-${name}` } }))
    }
    const current: boolean[] = []
    const { url } = await serve(
      make(
        (path) => tenants.get(nameIn(path)),
        (path, tracker) => {
          const own = tenants.get(nameIn(path))
          if (own) current.push(own.current() === tracker)
        },
      ),
    )
    const paths = ['red', 'green', 'blue', 'none'].flatMap((name) => [`/${name}/1`, `/${name}/2`])
    const statuses = await Promise.all(
      paths.map(async (path) => (await fetch(url + path, { headers: visitor('somebody') })).status),
    )
    expect(statuses).toEqual(paths.map(() => 200))
    for (const [name, segment] of sources) {
      const calls = await segment.waitFor(2)
      expect(calls.map((call) => call.type === 'track' && call.properties?.path).sort()).toEqual([
        `/${name}/1`,
        `/${name}/2`,
      ])
      await tenants.get(name)?.flush()
      expect(segment.received).toBe(2)
    }
    expect(current).toEqual(paths.filter((path) => !path.startsWith('/none')).map(() => true))
  })

  it('serves a tenant without a tracking, whose handlers can call every method of a tracker', async () => {
    const segment = await segmentServer()
    const other = trackingTo(segment)
    const said: unknown[] = []
    const { url } = await serve(
      make(
        () => undefined,
        (_path, tracker) => {
          tracker.identify('u-1')
          tracker.user({ id: 'u-1' })
          tracker.consent({ marketing: true })
          tracker.waitUntil(Promise.resolve())
          tracker.discard()
          // Whoever asks another tenant's tracking for what runs reaches nobody's source.
          other.current()?.track('order view')
          said.push(tracker.identity, tracker.carry().userId)
        },
      ),
    )
    expect((await fetch(url, { headers: visitor('somebody') })).status).toBe(200)
    await other.flush()
    expect(said).toEqual([{ userId: 'u-1', anonymousId: 'somebody' }, 'u-1'])
    expect(segment.received).toBe(0)
    expect(other.stats().events.tracked).toBe(0)
  })

  it.each([
    { what: 'throws', answer: fails, said: 'failed: its request is not tracked' },
    {
      what: 'gives a promise',
      answer: () => Promise.resolve(),
      said: 'gave an array or another special object: expected',
    },
    { what: 'gives a write key', answer: () => 'key-red', said: 'gave a string: expected' },
  ])('serves the request where the function $what, and says so', async ({ answer, said }) => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { url } = await serve(make(answer as never, () => {}))
    const { status } = await fetch(url)
    const lines = error.mock.calls.flat().map(String)
    error.mockRestore()
    expect(status).toBe(200)
    expect(lines.filter((line) => line.includes(said))).toHaveLength(1)
  })
})

/** The tenant's name is the first part of the path. */
function nameIn(path: string): string {
  return path.split('/')[1] ?? ''
}

function fails(): never {
  throw new Error('the tenants are not known')
}
