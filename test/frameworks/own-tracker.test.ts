import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import express from 'express'
import Koa from 'koa'
import request from 'supertest'
import { describe, expect, it } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import { type RecordingConfig, recordTracking } from '../../src/testing/index.js'

function recording(config: RecordingConfig = {}) {
  const errors: string[] = []
  const recorded = recordTracking({
    logger: { handler: (_level, message) => errors.push(message) },
    request: { userId: ({ headers }) => headers['x-user']?.toString() },
    ...config,
  })
  return { recorded, errors }
}

type Copy = [name: string, copy: (req: express.Request) => IncomingMessage]

const copies: Copy[] = [
  ['Object.create', (req) => Object.create(req)],
  ['a spread', (req) => Object.assign(Object.create(IncomingMessage.prototype), req)],
  ['a spread without a prototype', (req) => ({ ...req }) as never],
]

describe('a request that was made by copying another', () => {
  it.each(copies)('has a tracker of its own: %s', async (_name, copy) => {
    const { recorded } = recording()
    const app = express()
    app.use(expressTracking(recorded))
    app.get('/batch', (req, res) => {
      for (const user of ['u-1', 'u-2']) {
        const part = Object.defineProperties(copy(req), {
          url: { value: '/part', writable: true },
          headers: { value: { 'x-user': user } },
        })
        recorded.handle(part, new ServerResponse(part)).track('order view', { user })
      }
      req.track('batch complete')
      res.end()
    })
    await request(app).get('/batch').set('x-user', 'admin').expect(200)
    await recorded.shutdown({ timeout: 200 })
    const sent = recorded.calls.map((call) => [call.type === 'track' && call.event, call.userId])
    expect(sent.sort()).toEqual([
      ['batch complete', 'admin'],
      ['order view', 'u-1'],
      ['order view', 'u-2'],
    ])
  })

  it('keeps its one tracker where it is wrapped in a proxy', () => {
    const { recorded } = recording()
    const message = new IncomingMessage(new Socket())
    const response = new ServerResponse(message)
    const tracker = recorded.handle(message, response)
    expect(recorded.handle(new Proxy(message, {}), response)).toBe(tracker)
    expect(recorded.handle(message, response)).toBe(tracker)
  })
})

describe('two trackings on one request', () => {
  it('are one error in the log, however many requests come', async () => {
    const { recorded: first, errors: none } = recording()
    const { recorded: second, errors } = recording()
    const app = express()
    app.use(expressTracking(first), expressTracking(first), expressTracking(second))
    app.use((req, res) => {
      req.track('order view')
      first.handle(req, res).track('order view')
      res.end()
    })
    for (let count = 0; count < 3; count++) await request(app).get('/').set('x-user', 'u-1').expect(200)
    await Promise.all([first.settled(), second.settled()])
    expect(none).toEqual([])
    expect(errors).toHaveLength(1)
    expect(errors[0]).toContain('two trackings are mounted on one request')
    expect(errors[0]).toContain('handle(req, res)')
    expect([first.calls.length, second.calls.length]).toEqual([3, 3])
  })

  it('are one in Koa, too', async () => {
    const { recorded: first } = recording()
    const { recorded: second, errors } = recording()
    const app = new Koa()
    app.use(koaTracking(first)).use(koaTracking(second))
    app.use((ctx) => {
      ctx.body = 'ok'
    })
    await request(app.callback()).get('/').expect(200)
    await request(app.callback()).get('/').expect(200)
    expect(errors).toEqual([expect.stringContaining('two trackings')])
  })
})
