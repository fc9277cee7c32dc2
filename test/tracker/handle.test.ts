import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import type { Tracking } from '../../src/index.js'
import { segmentServer, trackingTo } from '../support/servers.js'

async function started() {
  const segment = await segmentServer()
  const lines: string[] = []
  const errors: unknown[] = []
  const tracking = trackingTo(segment, {
    logger: { handler: (_level, message) => lines.push(message) },
    on: { error: (error) => errors.push(error) },
  })
  return { segment, tracking, lines, errors }
}

/** Koa's middleware as Express's is called. */
function koaOf(tracking: Tracking) {
  return (req: unknown, res: unknown, next: () => void) =>
    Reflect.apply(koaTracking(tracking), undefined, [{ req, res }, async () => next()])
}

describe('handle()', () => {
  const node = () => {
    const req = new IncomingMessage(new Socket())
    return { req, res: new ServerResponse(req) }
  }

  it.each<[string, () => unknown[], RegExp]>([
    [
      'a web-standard Request',
      () => [new Request('https://shop.example/')],
      /a web-standard Request: expected the IncomingMessage.*reqtrack\/fetch/,
    ],
    [
      'a web-standard Request and Response',
      () => [new Request('https://shop.example/'), new Response()],
      /a web-standard Request.*reqtrack\/fetch/,
    ],
    ['nothing', () => [], /undefined as the request: expected the IncomingMessage/],
    ['null', () => [null, null], /null as the request/],
    ['a URL as text', () => ['https://shop.example/'], /a string as the request/],
    ['an object that is no request', () => [{ raw: {} }, {}], /an object as the request/],
    ['no response', () => [node().req], /undefined as the response/],
    [
      'an object that throws',
      () => [
        {
          get headers(): never {
            throw new Error('broken')
          },
        },
        {},
      ],
      /an object as the request/,
    ],
  ])('says what is wrong with %s, and gives a tracker that can be used', async (_, make, message) => {
    const { segment, tracking, lines, errors } = await started()
    const given = make()
    for (let time = 0; time < 3; time++) {
      const tracker = Reflect.apply(tracking.handle, tracking, given)
      tracker.track('order complete')
      tracker.consent({ analytics: true })
      tracker.user({ id: 'u1' })
      tracker.track('order view')
    }
    await tracking.flush()
    expect(lines[0]).toMatch(/^tracking\.handle\(\) was given/)
    expect(lines[0]).toMatch(message)
    expect(lines.filter((line) => line.includes('handle()'))).toHaveLength(1)
    expect(errors).toHaveLength(3)
    expect(segment.calls.map((call) => call.type === 'track' && call.userId)).toEqual(Array(6).fill('u1'))
    expect(tracking.stats().events).toMatchObject({ tracked: 6, open: 0, dispatched: 6 })
    expect((await tracking.shutdown({ timeout: 500 })).timedOut).toBe(false)
  })

  const refuse = () => {
    throw new Error('refused')
  }
  const trapped = (target: object, ...traps: string[]) =>
    new Proxy(target, Object.fromEntries(traps.map((trap) => [trap, refuse])))
  const revoked = () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }
  const TRAPS = Object.getOwnPropertyNames(Reflect)
  const monsters: [string, () => object][] = [
    ['a revoked proxy', revoked],
    ['an object with revoked headers', () => ({ headers: revoked() })],
    ['a proxy that refuses everything', () => trapped({ headers: {} }, ...TRAPS)],
    ...TRAPS.map((trap): [string, () => object] => [
      `a request whose ${trap} throws`,
      () => trapped(node().req, trap),
    ]),
    ...TRAPS.map((trap): [string, () => object] => [
      `a response whose ${trap} throws`,
      () => trapped(node().res, trap),
    ]),
  ]

  it.each(monsters)('throws nothing for %s, and gives a tracker that can be used', async (_, make) => {
    const { segment, tracking } = await started()
    const request = make()
    for (const given of [
      [request, make()],
      [request, node().res],
      [node().req, request],
    ]) {
      const tracker = Reflect.apply(tracking.handle, tracking, given)
      tracker.user({ id: 'u1' })
      tracker.track('order complete')
    }
    expect((await tracking.shutdown({ timeout: 50 })).timedOut).toBeDefined()
    expect(segment.rejected).toEqual([])
  })

  it.each([
    ['Express', (tracking: Tracking) => expressTracking(tracking)],
    ['Koa', (tracking: Tracking) => koaOf(tracking)],
  ])('%s goes on with whatever it is called with', async (_, middlewareOf) => {
    const { tracking } = await started()
    const middleware = middlewareOf(tracking)
    for (const [, make] of monsters) {
      for (const [request, response] of [
        [make(), make()],
        [make(), node().res],
        [node().req, make()],
      ]) {
        let went = 0
        await Reflect.apply(middleware, undefined, [request, response, () => void went++])
        expect(went).toBe(1)
      }
    }
  })

  it('takes test doubles and requests of HTTP/2, which are no IncomingMessage', async () => {
    const { tracking, lines } = await started()
    const { res } = node()
    const double = { headers: {}, method: 'GET', url: '/', on: () => {} }
    const tracker = Reflect.apply(tracking.handle, tracking, [double, res])
    expect(Reflect.apply(tracking.handle, tracking, [double, res])).toBe(tracker)
    expect(lines).toEqual([])
    res.emit('finish')
  })
})
