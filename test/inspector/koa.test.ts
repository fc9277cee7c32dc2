import Koa from 'koa'
import mount from 'koa-mount'
import Koa2 from 'koa2'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { koaTracking } from '../../src/frameworks/koa.js'
import { koaInspector } from '../../src/inspector/index.js'
import { segmentServer, serve, trackingTo, visitor } from '../support/servers.js'
import { openStream } from './event-stream.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

/** Koa 2 and 3 have types of their own, and are made and used alike. */
const versions: [string, () => Koa][] = [
  ['Koa 3', () => new Koa()],
  ['Koa 2', () => new Koa2() as unknown as Koa],
]

describe.each(versions)('koaInspector() in %s', (_version, create) => {
  it('shows requests as they end, and leaves other paths alone', async () => {
    const tracking = trackingTo(await segmentServer())
    const app = create()
    app.use(koaTracking(tracking))
    app.use(koaInspector(tracking, { path: '/__reqtrack/' }))
    app.use((ctx) => {
      ctx.track('page view')
      ctx.body = 'the application'
    })
    const { url } = await serve(app.callback())
    for (const path of ['/__reqtrack', '/__reqtrack/']) {
      const response = await fetch(url + path)
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(await response.text()).toContain('<title>reqtrack inspector</title>')
    }
    const stream = await openStream(`${url}/__reqtrack/stream`)
    for (const path of ['/__reqtracks', '/__reqtrack/other', '/shop']) {
      expect(await (await fetch(url + path, { headers: visitor('a1') })).text()).toBe('the application')
    }
    await stream.find(({ totals }) => totals.events.tracked === 3)
    await stream.find(({ requests }) => requests.some(({ path }) => path === '/shop'))
    const requests = await (await fetch(`${url}/__reqtrack/api/requests`)).json()
    expect(requests).toMatchObject([
      { path: '/__reqtracks' },
      { path: '/__reqtrack/other' },
      { path: '/shop', anonymousId: 'a1' },
    ])
  })

  it('asks authorize with the context, and is refused in production without it', async () => {
    const tracking = trackingTo(await segmentServer())
    const app = create()
    app.use(koaInspector(tracking, { authorize: (ctx) => ctx.req.headers['x-key'] === 'right' }))
    const { url } = await serve(app.callback())
    expect((await fetch(`${url}/__reqtrack`)).status).toBe(403)
    expect((await fetch(`${url}/__reqtrack`, { headers: { 'x-key': 'right' } })).status).toBe(200)
    vi.stubEnv('NODE_ENV', 'production')
    expect(() => koaInspector(tracking)).toThrow(/koaInspector\(tracking, \{ authorize/)
  })
})

it('is mounted by koa-mount', async () => {
  const tracking = trackingTo(await segmentServer())
  const app = new Koa()
  app.use(mount('/tools/inspector', koaInspector(tracking, { path: '/' })))
  const { url } = await serve(app.callback())
  expect(await (await fetch(`${url}/tools/inspector`)).text()).toContain('<title>reqtrack inspector</title>')
  expect(await (await fetch(`${url}/tools/inspector/api/requests`)).json()).toEqual([])
  expect((await fetch(`${url}/other`)).status).toBe(404)
})
