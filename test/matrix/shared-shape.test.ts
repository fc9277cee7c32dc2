import type { IncomingMessage, ServerResponse } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import express from 'express'
import express4 from 'express4'
import { describe, expect, it } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'

setFlagsFromString('--allow-natives-syntax')
const haveSameShape: (one: object, other: object) => boolean = new Function(
  'one',
  'other',
  'return %HaveSameMap(one, other)',
) as never

/** One object of each shape. */
function shapesOf(objects: readonly object[]): object[] {
  return objects.filter((one, index) => !objects.slice(0, index).some((other) => haveSameShape(one, other)))
}

type Middleware = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void

interface Application {
  use(...middlewares: Middleware[]): unknown
  (req: IncomingMessage, res: ServerResponse): void
}

const applications: { name: string; create: () => Application }[] = [
  { name: 'Express 4', create: () => express4() as unknown as Application },
  { name: 'Express 5', create: () => express() as unknown as Application },
]

describe.each(applications)('expressTracking() in $name', ({ create }) => {
  it('leaves requests that look alike to V8', async () => {
    const tracking = trackingTo(await segmentServer())
    let alike = 0
    // V8 keeps such shapes in a small cache, in which those of an application may take each other's place.
    for (let application = 0; application < 10; application++) {
      const seen: { req: IncomingMessage; res: ServerResponse }[] = []
      const app = create()
      app.use(expressTracking(tracking), (req, res) => {
        Object.assign(req, { session: {} })
        Object.assign(res, { rendered: true })
        seen.push({ req, res })
        res.end('hello')
      })
      const { url } = await serve(app)
      for (let request = 0; request < 20; request++) await (await fetch(url)).text()
      expect(seen).toHaveLength(20)
      const shapes = [seen.map(({ req }) => req), seen.map(({ res }) => res)].map(shapesOf)
      if (shapes.every(({ length }) => length < 10)) alike++
    }
    expect(alike).toBeGreaterThan(5)
  })

  it('goes on with a response behind a proxy that takes nothing', async () => {
    const mounted = expressTracking(trackingTo(await segmentServer()))
    const app = create()
    app.use((req, res) => {
      const refusing = new Proxy(res, {
        set(target, key, value) {
          if (!(key in target)) throw new TypeError(`no ${String(key)} here`)
          return Reflect.set(target, key, value)
        },
      })
      mounted(req, refusing, () => res.end('hello'))
    })
    const { url } = await serve(app)
    expect(await (await fetch(url)).text()).toBe('hello')
  })

  it('adds what it says to the request, and nothing to the response', async () => {
    const mounted = expressTracking(trackingTo(await segmentServer()))
    const keysOf = (of: object) => Reflect.ownKeys(of).map(String)
    const app = create()
    const seen: string[][] = []
    app.use((req, res) => {
      seen.push(keysOf(req), keysOf(res))
      mounted(req, res, () => {
        seen.push(keysOf(req), keysOf(res))
        res.end('hello')
      })
    })
    const { url } = await serve(app)
    expect((await fetch(url)).status).toBe(200)
    const [request = [], response, requestAfter = [], responseAfter] = seen
    expect(responseAfter).toEqual(response)
    expect(requestAfter.filter((key) => !request.includes(key))).toEqual([
      'tracker',
      'track',
      'Symbol(reqtrack)',
    ])
    expect(requestAfter).toEqual(expect.arrayContaining(request))
  })
})
