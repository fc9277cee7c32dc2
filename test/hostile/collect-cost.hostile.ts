import { connect } from 'node:net'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { expressCollect, expressTracking } from '../../src/frameworks/express.js'
import { endpoint, send } from '../collect/endpoint.js'

const REQUESTS = 40
/** Whoever else uses the machine: the least of so many measurements counts. */
const TRIES = 10
/** Over what the parsing of its bytes costs: as a multiple of as many events in a handler. The promise is two. */
const MOST = 2.5

const nested = (depth: number): object => (depth === 0 ? { end: 1 } : { in: nested(depth - 1) })
const call = {
  type: 'track',
  event: 'product view',
  messageId: 'ajs-1',
  timestamp: new Date(),
  anonymousId: 'a-9',
}
const manyKeys = <T>(count: number, value: T): Record<string, T> =>
  Object.fromEntries(Array.from({ length: count }, (_, key) => [`k${key}`, value]))
const refused = manyKeys(200, false)

const inputs: {
  readonly input: string
  readonly path: string
  /** The data of as many events of a handler. */
  readonly events: object[]
  /** The consent that these events carry, too. */
  readonly consent?: Record<string, boolean>
  readonly body: unknown
}[] = [
  { input: 'one event', path: '', events: [{}], body: { name: 'product view' } },
  {
    input: '100 empty events',
    path: '',
    events: Array(100).fill({}),
    body: Array(100).fill({ name: 'product view' }),
  },
  { input: '100 events that are none', path: '', events: Array(100).fill({}), body: Array(100).fill({}) },
  {
    input: 'an event of many keys',
    path: '',
    events: [manyKeys(2_000, 1)],
    body: { name: 'product view', data: manyKeys(2_000, 1) },
  },
  {
    input: 'a deep event',
    path: '',
    events: [nested(60)],
    body: { name: 'product view', data: nested(60), context: nested(2_000) },
  },
  {
    input: 'a consent state of many keys',
    path: '',
    events: [{}],
    consent: refused,
    body: {
      name: 'product view',
      consent: refused,
    },
  },
  {
    input: 'a batch of analytics.js with long addresses',
    path: '/b',
    events: Array(50).fill({ a: 1 }),
    body: {
      batch: Array(50).fill({
        ...call,
        properties: { a: 1 },
        context: {
          page: {
            url: `https://shop.example/${'%40'.repeat(300)}?${'a=%40&'.repeat(300)}`,
            title: '@'.repeat(400),
          },
        },
      }),
    },
  },
]

describe('what a body costs', () => {
  it('beyond the parsing of its bytes, is at most twice what as many events cost in a handler', async () => {
    let tracked: readonly object[] = []
    let carried: Record<string, boolean> | undefined
    const { url, tracking } = await endpoint({
      options: { limit: false },
      app: (mounted) => {
        const app = express().use(expressTracking(mounted.tracking))
        app.use('/collect', expressCollect(mounted.tracking, mounted.options))
        app.post('/parse{/*path}', express.json({ limit: '1mb' }), (_req, res) => void res.json({}))
        app.post('/handle{/*path}', express.json({ limit: '1mb' }), (req, res) => {
          for (const data of tracked) req.track('product view', data, carried && { consent: carried })
          res.json({})
        })
        return app
      },
    })
    const cost = async (address: string, body: string): Promise<number> => {
      const before = process.cpuUsage()
      for (let request = 0; request < REQUESTS; request++) await send(address, url, { body })
      await tracking.flush()
      const { user, system } = process.cpuUsage(before)
      return (user + system) / REQUESTS
    }
    const over: string[] = []
    for (const { input, path, events, consent, body } of inputs) {
      tracked = events
      carried = consent
      const text = JSON.stringify(body)
      const least = { parse: Infinity, handle: Infinity, collect: Infinity }
      let ratio = Infinity
      for (let time = 0; time < TRIES && !(time > 2 && ratio <= MOST); time++) {
        for (const way of ['parse', 'handle', 'collect'] as const)
          least[way] = Math.min(least[way], await cost(`${url}/${way}${path}`, text))
        ratio = (least.collect - least.parse) / (least.handle - least.parse)
      }
      if (ratio > MOST) over.push(`${input}: ×${ratio.toFixed(2)}`)
    }
    expect(over).toEqual([])
  })
})

describe('a body that is sent byte by byte', () => {
  it('has thirty seconds', { timeout: 60_000 }, async () => {
    const { url } = await endpoint()
    const { host, port } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    const head = [
      'POST /collect HTTP/1.1',
      `Host: ${host}`,
      `Origin: ${url}`,
      'Content-Type: application/json',
      'Content-Length: 100',
      '',
      '{',
    ]
    socket.write(head.join('\r\n'))
    const drip = setInterval(() => socket.write(' '), 1_000)
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (bytes) => resolve(bytes.toString())),
    )
    clearInterval(drip)
    socket.destroy()
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*connection: close/is)
  })
})
