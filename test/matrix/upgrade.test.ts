import { once } from 'node:events'
import { createServer, ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { segmentServer, trackingTo } from '../support/servers.js'
import { frameworks } from './frameworks.js'
import { Gate } from './gate.js'

describe.each(frameworks)('an upgrade to WebSocket in $name', ({ serve, family, endsWithHandler }) => {
  async function start() {
    const segment = await segmentServer()
    const ends: unknown[] = []
    const tracking = trackingTo(segment, {
      request: { anonymousId: () => 'somebody' },
      dispatch: ({ status, aborted }) => ends.push({ status, aborted }) > 0,
    })
    const sockets = new WebSocketServer({ noServer: true })
    const gate = new Gate()
    const listener = await serve(
      {
        express({ res, track }) {
          track()
          res.send('hello')
        },
        koa({ ctx, track }) {
          track()
          ctx.body = 'hello'
        },
        fastify({ reply, track }) {
          track()
          return reply.send('hello')
        },
        hono({ c, track }) {
          track()
          return c.text('hello')
        },
      },
      gate,
      tracking,
    )
    const server = createServer(listener)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.close()
    })
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    const at = `127.0.0.1:${address.port}`
    return { segment, ends, tracking, sockets, listener, server, at }
  }

  it('passes by the middleware, and leaves other requests as they are', async () => {
    const { segment, ends, tracking, sockets, server, at } = await start()
    server.on('upgrade', (req, socket, head) => {
      sockets.handleUpgrade(req, socket, head, (connection) => connection.send('welcome'))
    })
    const client = new WebSocket(`ws://${at}/socket`)
    expect(String((await once(client, 'message'))[0])).toBe('welcome')
    const response = await fetch(`http://${at}/page`, { headers: { connection: 'close' } })
    expect(await response.text()).toBe('hello')
    client.close()
    await once(client, 'close')
    await tracking.flush()
    expect(ends).toEqual([{ status: 200, aborted: false }])
    expect(segment.received).toBe(1)
  })

  it('can be tracked: each event goes out while the socket is open, and nothing waits for its close', async () => {
    const { segment, ends, tracking, sockets, listener, server, at } = await start()
    server.on('upgrade', (req, socket, head) => {
      const before = listenersOf(socket)
      // As express-ws does it: the application gets the request with a response that nothing is ever sent on.
      const response = new ServerResponse(req)
      listener(req, response)
      const tracker = tracking.handle(req, response)
      // Fastify listens for the timeout of a request's socket where there is a hook for it.
      expect(listenersOf(socket)).toEqual({ ...before, ...(family === 'fastify' && { timeout: 1 }) })
      sockets.handleUpgrade(req, socket, head, (connection) => {
        connection.on('message', (message) => {
          tracker.track('message send', { text: String(message) })
          connection.send('thanks')
        })
      })
    })
    const client = new WebSocket(`ws://${at}/socket`)
    await once(client, 'open')
    for (const text of ['first', 'second']) {
      client.send(text)
      await segment.waitFor((call) => call.type === 'track' && call.properties?.text === text)
    }
    const end = { status: 101, aborted: false }
    // A web-standard handler has answered, whatever becomes of its answer.
    expect(ends).toEqual([endsWithHandler ? { status: 200, aborted: false } : end, end, end])
    const { timedOut, delivered } = await tracking.shutdown()
    expect({ timedOut, delivered }).toEqual({ timedOut: false, delivered: 3 })
    client.terminate()
    await once(client, 'close')
  })
})

function listenersOf(emitter: NodeJS.EventEmitter): Record<string, number> {
  return Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]))
}
