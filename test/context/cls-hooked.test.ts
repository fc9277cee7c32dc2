import { getNamespace } from 'cls-hooked'
import express from 'express'
import Koa from 'koa'
import { describe, expect, it, vi } from 'vitest'
import { clsHookedContext, fromNamespace } from '../../src/context/cls-hooked.js'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'
import { namespace } from './contexts.js'

/** Runs waiters in the context of whoever releases the connection, as pools with callbacks do. */
class CrossingPool {
  readonly #waiting: (() => void)[] = []
  #free = true

  acquire(use: () => void): void {
    if (!this.#free) {
      this.#waiting.push(use)
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

describe('clsHookedContext()', () => {
  async function setUp() {
    const shop = namespace()
    const segment = await segmentServer()
    const tracking = trackingTo(segment, {
      ambient: clsHookedContext(shop),
      request: { userId: fromNamespace(shop, 'userId'), anonymousId: () => 'somebody' },
    })
    return { shop, segment, tracking }
  }

  it("puts the tracker into the application's namespace", async () => {
    const { shop, tracking } = await setUp()
    const app = express().use(expressTracking(tracking))
    app.use(async (req, res) => {
      await new Promise(setImmediate)
      res.json({ same: shop.get('tracker') === req.tracker, current: tracking.current() === req.tracker })
    })
    const { url } = await serve(app)
    expect(await (await fetch(url)).json()).toEqual({ same: true, current: true })
    expect(shop.get('tracker')).toBeUndefined()
  })

  it("stays in the application's context: values are found on both sides, set early or late", async () => {
    const { shop, segment, tracking } = await setUp()
    const seen: unknown[] = []
    const app = new Koa()
    app.use((_ctx, next) =>
      shop.runAndReturn(async () => {
        shop.set('early', 'of the application')
        await next()
        seen.push(shop.get('early'), shop.get('late'), shop.get('userId'))
      }),
    )
    app.use(koaTracking(tracking))
    app.use(async (ctx, next) => {
      seen.push(shop.get('early'))
      shop.set('late', 'of the handler')
      await new Promise(setImmediate)
      shop.set('userId', 'u1')
      ctx.track('page view')
      // A context inside of it inherits, and keeps to itself.
      shop.run(() => {
        seen.push(shop.get('late'), shop.get('tracker') === ctx.tracker)
        shop.set('late', 'of somebody else')
      })
      await next()
    })
    const { url } = await serve(app.callback())
    await fetch(url)
    const [call] = await segment.waitFor(1)
    expect(seen).toEqual([
      'of the application',
      'of the handler',
      true,
      'of the application',
      'of the handler',
      'u1',
    ])
    expect(call?.userId).toBe('u1')
  })

  it('keeps requests apart that the application runs in one and the same context', async () => {
    const { shop, tracking } = await setUp()
    const app = express().use(expressTracking(tracking))
    const seen: boolean[] = []
    app.use(async (req, res) => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      seen.push(tracking.current() === req.tracker)
      res.end()
    })
    await shop.runAndReturn(async () => {
      const { url } = await serve(app)
      await Promise.all(Array.from({ length: 20 }, () => fetch(url)))
      seen.push(tracking.current() === undefined)
    })
    expect(seen).toEqual(Array.from({ length: 21 }, () => true))
  })

  it('begins one context however often it is mounted, and never with runPromise', async () => {
    const { shop, tracking } = await setUp()
    const runPromise = vi.spyOn(shop, 'runPromise')
    const active: unknown[] = []
    const note: express.RequestHandler = (_req, _res, next) => {
      active.push(shop.active)
      next()
    }
    const app = express().use(expressTracking(tracking), note, expressTracking(tracking), note)
    app.use((_req, res) => void res.end())
    const { url } = await serve(app)
    await fetch(url)
    expect(active[0]).toBeTruthy()
    expect(active[1]).toBe(active[0])
    expect(runPromise).not.toHaveBeenCalled()
    expect(shop.active).toBeNull()
  })

  it.each(['the application', 'the tracking'])(
    'reads nobody else from a context that a pool has mixed up, where %s began it',
    async (who) => {
      const { shop, segment, tracking } = await setUp()
      const pool = new CrossingPool()
      pool.acquire(() => {})
      let arrived = 0
      const app = express()
      if (who === 'the application') app.use((_req, _res, next) => shop.run(() => next()))
      app.use(expressTracking(tracking))
      app.use((req, res) => {
        const user = req.query.user
        shop.set('userId', user)
        pool.acquire(() => {
          setImmediate(() => {
            req.track('page view', { user })
            res.end()
            pool.release()
          })
        })
        if (++arrived === 20) pool.release()
      })
      const { url } = await serve(app)
      await Promise.all(Array.from({ length: 20 }, (_, user) => fetch(`${url}?user=u${user}`)))
      await tracking.flush()
      expect(segment.calls).toHaveLength(20)
      for (const call of segment.calls) expect(call).toMatchObject({ properties: { user: call.userId } })
    },
  )

  it('takes nothing of the application’s own for a tracker', async () => {
    const { shop, tracking } = await setUp()
    const found = shop.runAndReturn(() => {
      shop.set('tracker', 'a GPS device')
      return tracking.current()
    })
    expect(found).toBeUndefined()
  })

  it('says what it was given where that is no namespace', () => {
    expect(() => clsHookedContext(getNamespace('not made yet') as never)).toThrow(
      'clsHookedContext() was given undefined: expected what createNamespace() of cls-hooked returns',
    )
    expect(() => fromNamespace(null as never, 'userId')).toThrow('fromNamespace() was given null')
  })
})

describe('fromNamespace()', () => {
  it('has a name for where readers are shown', () => {
    expect(fromNamespace(namespace(), 'userId').name).toBe('fromNamespace')
  })
})
