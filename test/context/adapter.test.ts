import express from 'express'
import Koa from 'koa'
import { describe, expect, it } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import type { ContextAdapter } from '../../src/index.js'
import { segmentServer, serve, trackingTo, visitor } from '../support/servers.js'

function broken(): never {
  throw new Error('broken')
}

const adapters: [string, ContextAdapter][] = [
  ['throws', { run: broken, get: broken }],
  ['runs nothing', { run: () => undefined as never, get: () => 'no tracker' as never }],
  [
    'runs twice',
    {
      run(_tracker, fn) {
        fn()
        return fn()
      },
      get: () => undefined,
    },
  ],
  [
    'throws when it has run',
    {
      run(_tracker, fn) {
        fn()
        return broken()
      },
      get: () => null as never,
    },
  ],
  ['is asynchronous', { run: (async (_tracker: unknown, fn: () => unknown) => fn()) as never, get: broken }],
]

describe.each(adapters)('an ambient adapter that %s', (_what, ambient) => {
  it('costs Express no answer, and runs its handlers once', async () => {
    const segment = await segmentServer()
    const errors: unknown[] = []
    const logger = { handler: () => {} }
    const tracking = trackingTo(segment, { ambient, logger, on: { error: (error) => errors.push(error) } })
    let handled = 0
    const app = express().use(expressTracking(tracking))
    app.use((req, res) => {
      handled++
      req.track('page view')
      res.json({ current: typeof tracking.current() })
    })
    const { url } = await serve(app)
    const response = await fetch(url, { headers: visitor('s1') })
    expect(await response.json()).toEqual({ current: 'undefined' })
    await segment.waitFor(1)
    expect(handled).toBe(1)
    if (ambient.run === broken) expect(errors).toMatchObject([{ message: 'broken' }, { message: 'broken' }])
  })

  it('leaves Koa what its middleware gives and throws', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { ambient, logger: { handler: () => {} } })
    const app = new Koa()
    app.silent = true
    app.use(koaTracking(tracking))
    app.use(async (ctx) => {
      await new Promise(setImmediate)
      ctx.track('page view')
      if (ctx.path === '/teapot') ctx.throw(418)
      ctx.body = 'hello'
    })
    const { url } = await serve(app.callback())
    expect(await (await fetch(url, { headers: visitor('s1') })).text()).toBe('hello')
    expect((await fetch(`${url}/teapot`, { headers: visitor('s1') })).status).toBe(418)
    await segment.waitFor(2)
  })
})
