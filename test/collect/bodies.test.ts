import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import express, { type RequestHandler } from 'express'
import Koa from 'koa'
import { describe, expect, it } from 'vitest'
import { expressCollect } from '../../src/frameworks/express.js'
import { koaCollect } from '../../src/frameworks/koa.js'
import { endpoint, frameworks } from './endpoint.js'

const event = { name: 'product view' }
const long = (bytes: number) => ({ name: 'product view', text: 'x'.repeat(bytes) })
const gzip = { 'content-encoding': 'gzip' }

describe.each(frameworks)('the body of a request in $name', (framework) => {
  it.each([
    { body: 'is compressed', path: '', headers: gzip, sent: gzipSync(JSON.stringify(event)), status: 200 },
    { body: 'is no gzip', path: '', headers: gzip, sent: 'nonsense', status: 400 },
    { body: 'is a bomb', path: '', headers: gzip, sent: gzipSync('x'.repeat(50_000_000)), status: 413 },
    {
      body: 'is compressed otherwise',
      path: '',
      headers: { 'content-encoding': 'br' },
      sent: 'x',
      status: 415,
    },
    {
      body: 'is a form',
      path: '',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      sent: 'a=b',
      status: 415,
    },
    {
      body: 'is of another charset',
      path: '',
      headers: { 'content-type': 'application/json; charset=utf-16' },
      sent: event,
      status: 415,
    },
    { body: 'has no type', path: '', headers: { 'content-type': undefined }, sent: event, status: 200 },
    { body: 'is no JSON', path: '', headers: {}, sent: '{"name":"product view"', status: 400 },
    { body: 'is empty', path: '', headers: {}, sent: '', status: 400 },
    { body: 'is a text', path: '', headers: {}, sent: '"product view"', status: 200 },
    { body: 'is an event of 64 KB', path: '', headers: {}, sent: long(65_000), status: 200 },
    { body: 'is a longer event', path: '', headers: {}, sent: long(66_000), status: 413 },
    { body: 'is a longer call', path: '/t', headers: {}, sent: long(66_000), status: 413 },
    { body: 'is a list of 512 KB', path: '', headers: {}, sent: [event, long(520_000)], status: 200 },
    { body: 'is a longer list', path: '', headers: {}, sent: [long(600_000)], status: 413 },
    { body: 'is a longer batch', path: '/b', headers: {}, sent: { batch: [long(600_000)] }, status: 413 },
    { body: 'is a batch without a list', path: '/b', headers: {}, sent: event, status: 400 },
    { body: 'has too many events', path: '', headers: {}, sent: Array(101).fill(event), status: 400 },
    {
      body: 'is nested without an end',
      path: '',
      headers: {},
      sent: `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
      status: 200,
    },
  ])('that $body gets $status', async ({ path, headers, sent, status }) => {
    const { send, logged } = await endpoint({ framework })
    const answered = await send(path, { headers, body: sent })
    expect(answered.status).toBe(status)
    if (status >= 400) expect(answered.text.trim().split('\n')).toHaveLength(1)
    expect(logged).toEqual([])
  })

  it.each([
    { method: 'PUT', path: '', status: 405 },
    { method: 'DELETE', path: '/t', status: 405 },
    { method: 'GET', path: '/t', status: 405 },
    { method: 'POST', path: '/nowhere', status: 404 },
    { method: 'POST', path: '/v1/nowhere', status: 404 },
    { method: 'POST', path: '/v1', status: 404 },
  ])('by $method to "$path" gets $status', async ({ method, path, status }) => {
    const { send } = await endpoint({ framework })
    const answered = await send(path, { method, ...(method === 'GET' ? {} : { body: event }) })
    expect(answered.status).toBe(status)
    if (status === 405) expect(answered.headers.allow).toContain('POST')
  })
})

/** Begins a request whose body is said to have so many bytes. */
function announce(url: string, length: number): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write(
    `POST /collect HTTP/1.1\r\nHost: ${new URL(url).host}\r\nOrigin: ${url}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`,
  )
  return socket
}

describe('a body that is announced to be too long', () => {
  it('is refused before any of it comes', async () => {
    const { url } = await endpoint()
    const socket = announce(url, 10_000_000)
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /)
    socket.destroy()
  })
})

describe('a body that ends early', () => {
  it('harms nobody', async () => {
    const { url, calls, send } = await endpoint()
    const socket = announce(url, 100)
    socket.write('{"name":')
    await new Promise<void>((resolve) => socket.once('ready', () => socket.end(resolve)))
    socket.destroy()
    expect((await send('', { body: event })).status).toBe(200)
    expect(await calls()).toHaveLength(1)
  })
})

describe('a body parser before the endpoint', () => {
  const leavesNothing: RequestHandler = (req, _res, next) => {
    req.resume().on('end', next)
  }
  it.each([
    { parser: 'express.json()', use: express.json(), type: 'application/json', sent: event, status: 200 },
    {
      parser: 'express.json(), which leaves text alone',
      use: express.json(),
      type: 'text/plain',
      sent: event,
      status: 200,
    },
    {
      parser: 'express.text()',
      use: express.text({ type: '*/*' }),
      type: 'text/plain',
      sent: event,
      status: 200,
    },
    {
      parser: 'express.raw()',
      use: express.raw({ type: '*/*' }),
      type: 'application/json',
      sent: event,
      status: 200,
    },
    {
      parser: 'express.raw() with too much',
      use: express.raw({ type: '*/*', limit: '1mb' }),
      type: 'application/json',
      sent: [long(600_000)],
      status: 413,
    },
    {
      parser: 'one that leaves nothing',
      use: leavesNothing,
      type: 'application/json',
      sent: event,
      status: 400,
    },
  ])('is $parser', async ({ use, type, sent, status }) => {
    const { send, calls } = await endpoint({
      app: ({ tracking, options }) => express().use(use).use('/collect', expressCollect(tracking, options)),
    })
    const answered = await send('', { headers: { 'content-type': type }, body: JSON.stringify(sent) })
    expect(answered.status).toBe(status)
    expect(await calls()).toHaveLength(status === 200 ? 1 : 0)
  })

  it('is one of Koa’s', async () => {
    const { send, calls } = await endpoint({
      app: ({ tracking, options }) => {
        const app = new Koa()
        app.use(async (ctx, next) => {
          const chunks: Buffer[] = []
          for await (const chunk of ctx.req) chunks.push(chunk)
          Object.assign(ctx.request, { body: JSON.parse(Buffer.concat(chunks).toString()) })
          await next()
        })
        app.use(koaCollect(tracking, { ...options, path: '/collect/' }))
        return app.callback()
      },
    })
    expect((await send('', { body: event })).status).toBe(200)
    expect(await calls()).toHaveLength(1)
  })
})

describe('a response that throws', () => {
  it('costs its answer, and nothing else', async () => {
    const { send, calls, logged } = await endpoint({
      app: ({ tracking, options }) => {
        const app = express()
        app.use((req, res, next) => {
          if (req.headers['x-broken'])
            res.writeHead = () => {
              res.socket?.destroy()
              throw new Error('broken')
            }
          next()
        })
        return app.use('/collect', expressCollect(tracking, options))
      },
    })
    await expect(send('', { headers: { 'x-broken': 'yes' }, body: event })).rejects.toThrow()
    expect((await send('', { body: event })).status).toBe(200)
    expect(await calls()).toHaveLength(2)
    expect(logged.join()).toContain('an answer to a browser could not be sent')
  })
})
