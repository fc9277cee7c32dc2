import { once } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import type { Tracker } from '../../src/index.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'
import { frameworks } from './frameworks.js'
import { Gate } from './gate.js'
import { Wire } from './wire.js'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** How many of the objects are still there when all that can be collected was. */
async function kept(references: readonly WeakRef<object>[]): Promise<number> {
  for (let turn = 0; ; turn++) {
    collectGarbage()
    const left = references.filter((reference) => reference.deref()).length
    if (left === 0 || turn === 50) return left
    await new Promise(setImmediate)
  }
}

describe.each(frameworks)('a request that was never answered in $name', ({ serve: create }) => {
  it('is let go of with its tracker when its connection has closed', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { request: { anonymousId: () => 'somebody' } })
    const trackers: WeakRef<Tracker>[] = []
    const gate = new Gate()
    const handle = (tracker: Tracker) => {
      tracker.track('request handle')
      trackers.push(new WeakRef(tracker))
      if (trackers.length === 10) gate.open('all are open')
    }
    const listener = await create(
      {
        express: ({ req }) => handle(req.tracker),
        koa({ ctx }) {
          handle(ctx.tracker)
          return new Promise(() => {})
        },
        fastify({ request }) {
          handle(request.tracker)
          return new Promise(() => {})
        },
        hono({ c }) {
          handle(c.var.tracker)
          return new Promise(() => {})
        },
      },
      gate,
      tracking,
    )
    const { server } = await serve(listener)
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    const closed: Promise<unknown>[] = []
    server.on('connection', (socket) => closed.push(once(socket, 'close')))
    const wires = await Promise.all(Array.from({ length: 10 }, () => Wire.connect(address.port)))
    for (const wire of wires) wire.send('GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n')
    await gate.opened('all are open')
    await Promise.all(wires.map((wire) => wire.leave()))
    await Promise.all(closed.splice(0))
    await segment.waitFor(10)
    await tracking.flush()
    expect(tracking.stats().events).toMatchObject({ tracked: 10, open: 0, dispatched: 10 })
    expect(await kept(trackers)).toBe(0)
  })

  it.each(['always', 'success'] as const)(
    'is let go of while another one stays open (dispatch: %s)',
    async (dispatch) => {
      const segment = await segmentServer()
      const tracking = trackingTo(segment, { request: { anonymousId: () => 'somebody' }, dispatch })
      const trackers: WeakRef<Tracker>[] = []
      const gate = new Gate()
      const handle = (tracker: Tracker, url: string) => {
        tracker.track('request handle')
        if (url === '/stays') return gate.open('stays')
        trackers.push(new WeakRef(tracker))
        gate.open('goes')
      }
      const listener = await create(
        {
          express: ({ req }) => handle(req.tracker, req.url),
          koa({ ctx }) {
            handle(ctx.tracker, ctx.url)
            return new Promise(() => {})
          },
          fastify({ request }) {
            handle(request.tracker, request.url)
            return new Promise(() => {})
          },
          hono({ c }) {
            handle(c.var.tracker, c.req.path)
            return new Promise(() => {})
          },
        },
        gate,
        tracking,
      )
      const { server } = await serve(listener)
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('the server has no port')
      const closed = once(server, 'connection').then(([socket]) => once(socket, 'close'))
      // The first request starts what looks at all of them, and the second keeps it going.
      const goes = await Wire.connect(address.port)
      goes.send('GET /goes HTTP/1.1\r\nHost: shop.example\r\n\r\n')
      await gate.opened('goes')
      const stays = await Wire.connect(address.port)
      stays.send('GET /stays HTTP/1.1\r\nHost: shop.example\r\n\r\n')
      await gate.opened('stays')
      await goes.leave()
      await closed
      await tracking.flush()
      expect(tracking.stats().events).toMatchObject({ tracked: 2, open: 1 })
      expect(await kept(trackers)).toBe(0)
      await stays.leave()
    },
  )
})
