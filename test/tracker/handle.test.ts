import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
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
