import { AsyncLocalStorage } from 'node:async_hooks'
import express from 'express'
import Koa from 'koa'
import { describe, expect, it } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import { fromAsyncLocalStorage, type Tracker } from '../../src/index.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'

describe('fromAsyncLocalStorage()', () => {
  it("joins a Koa application's own storage", async () => {
    const storage = new AsyncLocalStorage<object>()
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { ambient: fromAsyncLocalStorage(storage) })
    const app = new Koa({ asyncLocalStorage: storage })
    app.use(koaTracking(tracking))
    app.use(async (ctx) => {
      await new Promise(setImmediate)
      ctx.body = { same: tracking.current() === ctx.tracker, store: storage.getStore() === ctx }
    })
    const { url } = await serve(app.callback())
    expect(await (await fetch(url)).json()).toEqual({ same: true, store: true })
  })

  it('finds the tracker wherever the application goes back to a store', async () => {
    const storage = new AsyncLocalStorage<object>()
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { ambient: fromAsyncLocalStorage(storage) })
    const app = express()
    app.use((_req, _res, next) => storage.run({}, next))
    app.use(expressTracking(tracking))
    app.use((req, res) => {
      const store = storage.getStore() ?? {}
      const outside = storage.exit(() => typeof tracking.current())
      const back = storage.exit(() => storage.run(store, () => tracking.current() === req.tracker))
      res.json({ outside, back })
    })
    const { url } = await serve(app)
    expect(await (await fetch(url)).json()).toEqual({ outside: 'undefined', back: true })
  })

  it.each(['an id', 42, null])('has no tracker in the store %j, and goes on', async (store) => {
    const storage = new AsyncLocalStorage<unknown>()
    const segment = await segmentServer()
    const ambient = fromAsyncLocalStorage(storage as AsyncLocalStorage<object>)
    const tracking = trackingTo(segment, { ambient })
    const app = express()
    app.use((_req, _res, next) => storage.run(store, next))
    app.use(expressTracking(tracking))
    app.use((_req, res) => void res.json({ current: typeof tracking.current(), store: storage.getStore() }))
    const { url } = await serve(app)
    expect(await (await fetch(url)).json()).toEqual({ current: 'undefined', store })
  })

  it('has no tracker without a store', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { ambient: fromAsyncLocalStorage(new AsyncLocalStorage()) })
    const app = express().use(expressTracking(tracking))
    app.use((_req, res) => void res.json({ current: typeof tracking.current() }))
    const { url } = await serve(app)
    expect(await (await fetch(url)).json()).toEqual({ current: 'undefined' })
  })

  it('never hands out the tracker of another request that runs in the same store', async () => {
    const storage = new AsyncLocalStorage<object>()
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { ambient: fromAsyncLocalStorage(storage) })
    const app = express().use(expressTracking(tracking))
    const strangers: (Tracker | undefined)[] = []
    app.use(async (req, res) => {
      for (let turn = 0; turn < 10; turn++) {
        await new Promise(setImmediate)
        const current = tracking.current()
        if (current !== undefined && current !== req.tracker) strangers.push(current)
      }
      res.end()
    })
    await storage.run({}, async () => {
      const { url } = await serve(app)
      await Promise.all(Array.from({ length: 20 }, () => fetch(url)))
      expect(tracking.current()).toBeUndefined()
    })
    expect(strangers).toEqual([])
  })
})
