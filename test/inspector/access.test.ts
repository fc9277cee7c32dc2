import { mkdtempSync, rmSync } from 'node:fs'
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type RequestOptions,
} from 'node:http'
import { connect, createServer as createHttp2Server, type Http2ServerRequest } from 'node:http2'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import express from 'express'
import fc from 'fast-check'
import Koa from 'koa'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { koaTracking } from '../../src/frameworks/koa.js'
import { type InspectorOptions, inspector, koaInspector } from '../../src/inspector/index.js'
import { segmentServer, serve, trackingTo } from '../support/servers.js'

type Headers = Record<string, string>
type Answer = { status: number; type: string | undefined; body: string }
type Ask = (headers?: Headers, path?: string) => Promise<Answer>
/** The options that both frameworks take alike. */
type Options = Pick<InspectorOptions, 'hosts' | 'capacity'> & { authorize?: () => boolean }

const DATA = ['/stream', '/api/requests', '/api/totals', '/api/requests/1']
const EVERYTHING = ['', '/', ...DATA]
/** Says where a request comes from, in front of the inspector: the tests cannot come from another machine. */
const PEER = 'x-test-peer'

const frameworks = [
  [
    'Express',
    async (options?: Options): Promise<RequestListener> => {
      const tracking = trackingTo(await segmentServer())
      const app = express()
      app.use((req, _res, next) => {
        disguise(req)
        next()
      })
      app.use(expressTracking(tracking))
      app.use('/__reqtrack', inspector(tracking, options))
      return app
    },
  ],
  [
    'Koa',
    async (options?: Options): Promise<RequestListener> => {
      const tracking = trackingTo(await segmentServer())
      const app = new Koa()
      app.use((ctx, next) => {
        disguise(ctx.req)
        return next()
      })
      app.use(koaTracking(tracking))
      app.use(koaInspector(tracking, options))
      return app.callback()
    },
  ],
] as const

function disguise(request: IncomingMessage): void {
  const peer = request.headers[PEER]
  if (peer === undefined) return
  delete request.headers[PEER]
  Object.defineProperty(request.socket, 'remoteAddress', { value: peer === '' ? undefined : peer })
}

/** Serves an application; `Host` is the server's own address unless a test sends another. */
async function open(listener: RequestListener): Promise<Ask> {
  const { url } = await serve(listener)
  return (headers = {}, path = '') => {
    const { hostname, port } = new URL(url)
    return ask({ host: hostname, port, path: `/__reqtrack${path}`, headers })
  }
}

/** Resolves with a complete answer, or with the first part of an event stream. */
function ask(options: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...options, agent: false }, (response) => {
      const { statusCode: status = 0, headers } = response
      const type = headers['content-type']
      let body = ''
      const done = () => resolve({ status, type, body })
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
        if (type !== 'text/event-stream') return
        done()
        request.destroy()
      })
      response.on('end', done)
    })
    request.on('error', reject)
    request.end()
  })
}

function isOpen({ status, body }: Answer): boolean {
  // Request 1 is not kept; that is data, too.
  return status === 200 || (status === 404 && body.includes('No such request'))
}

async function expectRefused(answering: Promise<Answer>, ...parts: string[]): Promise<void> {
  const { status, body } = await answering
  expect(status).toBe(403)
  for (const part of ['authorize', 'hosts: [', ...parts]) expect(body).toContain(part)
  expect(body).not.toMatch(/"requests"|"tracked"/)
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe.each(frameworks)('without authorize, in %s', (_framework, create) => {
  it.each([
    'localhost',
    'LocalHost:3000',
    'localhost.',
    'shop.localhost:80',
    '127.0.0.1',
    '127.9.8.7:1',
    '[::1]:3000',
  ])('is open to this machine under the loopback name %s', async (host) => {
    const request = await open(await create())
    for (const path of EVERYTHING) expect(isOpen(await request({ host }, path))).toBe(true)
  })

  it.each([
    'evil.example',
    'evil.example:3000',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'notlocalhost',
    'localhost..',
    '192.168.1.20:3000',
    '0.0.0.0:3000',
    '[2001:db8::1]:3000',
    'localhost@evil.example',
    'localhost/evil.example',
    'localhost evil.example',
    '<script>',
  ])('is closed to a page on the name %j: it may have been pointed at this machine', async (host) => {
    const request = await open(await create())
    for (const path of EVERYTHING) await expectRefused(request({ host }, path))
  })

  it('is closed to a request without a Host, or with an empty one', async () => {
    const { url } = await serve(await create())
    for (const head of ['GET /__reqtrack/api/totals HTTP/1.0', 'GET /__reqtrack HTTP/1.1\r\nHost:']) {
      const socket = connectTcp(Number(new URL(url).port), '127.0.0.1')
      socket.write(`${head}\r\nConnection: close\r\n\r\n`)
      expect(await text(socket)).toMatch(/^HTTP\/1.1 403 Forbidden[\s\S]*hosts: \['dev.example'\]/)
    }
  })

  it.each(['192.168.1.20', '172.17.0.1', '::ffff:10.0.0.9', '2001:db8::1', '0.0.0.0', ''])(
    'is closed to the peer %j',
    async (peer) => {
      const request = await open(await create())
      for (const path of EVERYTHING) {
        await expectRefused(request({ host: 'localhost:3000', [PEER]: peer }, path), "hosts: ['localhost']")
      }
    },
  )

  it.each(['127.0.0.1', '127.0.0.2', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1'])(
    'is open to the loopback peer %s',
    async (peer) => {
      const request = await open(await create())
      expect(isOpen(await request({ host: 'localhost', [PEER]: peer }))).toBe(true)
    },
  )

  it.each([
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded',
    'Via',
    'X-Real-IP',
    'CF-Connecting-IP',
    'CF-Ray',
    'True-Client-IP',
    'X-Client-IP',
    'X-Original-Forwarded-For',
    'Fastly-Client-IP',
    'Fly-Client-IP',
    'X-Azure-ClientIP',
    'X-Amzn-Trace-Id',
    'CDN-Loop',
  ])('is closed to a request that came through a proxy: %s', async (header) => {
    const request = await open(await create())
    for (const value of ['127.0.0.1', '']) {
      for (const path of EVERYTHING)
        await expectRefused(request({ host: 'localhost', [header]: value }, path))
    }
  })

  it.each(['', 'staging', 'Production', 'PRODUCTION', ' production', 'production ', 'prod'])(
    'is open to this machine only with NODE_ENV=%j',
    async (value) => {
      vi.stubEnv('NODE_ENV', value)
      const request = await open(await create())
      expect(isOpen(await request({ host: 'localhost' }))).toBe(true)
      await expectRefused(request({ host: 'shop.example' }))
      await expectRefused(request({ host: 'localhost', [PEER]: '192.168.1.20' }))
      await expectRefused(request({ host: 'localhost', 'x-forwarded-for': '127.0.0.1' }))
    },
  )

  it('cannot be made with NODE_ENV=production, whatever hosts says', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    await expect(create()).rejects.toThrow(/NODE_ENV is production: expected an authorize function/)
    await expect(create({ hosts: ['localhost'] })).rejects.toThrow(/authorize/)
    await expect(create({ authorize: () => true })).resolves.toBeDefined()
  })

  it('answers a refused page with a page that says why and what to write, and never with markup of the request', async () => {
    const request = await open(await create())
    const refused = await request({ host: 'dev.example:3000' })
    expect(refused.type).toBe('text/html; charset=utf-8')
    expect(refused.body).toContain('dev.example')
    expect(refused.body).toContain("hosts: ['dev.example']")
    expect((await request({ host: 'dev.example' }, '/api/totals')).type).toBe('text/plain; charset=utf-8')
    expect((await request({ host: '"><script>alert(1)</script>' })).body).not.toContain('<script')
    expect((await request({ host: 'localhost', [PEER]: '192.168.1.20' })).body).toContain('192.168.1.20')
    expect((await request({ host: 'localhost', via: '1.1 <b>' })).body).toContain('via')
  })
})

describe.each(frameworks)('with hosts, in %s', (_framework, create) => {
  it('is open under the names listed, in any spelling, and under loopback names', async () => {
    const hosts = [
      'Dev.Example',
      'münchen.example',
      'ported.example:8080',
      '192.168.1.20',
      '[2001:DB8::1]',
      '::2',
    ]
    const request = await open(await create({ hosts }))
    const listed = [
      'dev.example',
      'DEV.example:3000',
      'dev.example.',
      'xn--mnchen-3ya.example',
      'ported.example:8080',
      '192.168.1.20:3000',
      '[2001:db8:0::1]:3000',
      '[::2]',
      'localhost:3000',
    ]
    for (const host of listed) expect([host, isOpen(await request({ host }))]).toEqual([host, true])
    for (const host of ['sub.dev.example', 'example', 'ported.example', 'ported.example:80', '192.168.1.2']) {
      await expectRefused(request({ host }))
    }
  })

  it('is open to the published port of a container under a listed name, and to no other name', async () => {
    const bridge = { [PEER]: '172.17.0.1' }
    const request = await open(await create({ hosts: ['localhost'] }))
    for (const path of EVERYTHING) {
      expect(isOpen(await request({ host: 'localhost:3000', ...bridge }, path))).toBe(true)
    }
    await expectRefused(request({ host: '127.0.0.1:3000', ...bridge }))
    await expectRefused(request({ host: 'evil.example', ...bridge }))
  })

  it('is open through a forwarded port that names a listed host, and to no other', async () => {
    const host = 'shop-3000.app.github.dev'
    const request = await open(await create({ hosts: [host] }))
    const proxied = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' }
    const accepted: Headers[] = [
      { host },
      { host, ...proxied },
      { host: 'localhost:3000', 'x-forwarded-host': host, ...proxied },
      { host: 'localhost:3000', forwarded: `for=203.0.113.9;host="${host}:443";proto=https` },
    ]
    for (const headers of accepted) expect(isOpen(await request(headers))).toBe(true)
    const refused: Headers[] = [
      { host: 'localhost:3000', ...proxied },
      { host: 'localhost:3000', 'x-forwarded-host': 'evil.example' },
      { host: 'localhost:3000', forwarded: 'for=203.0.113.9;host=evil.example' },
      { host, 'x-forwarded-host': 'evil.example' },
      { host, 'x-forwarded-host': `${host}, evil.example` },
      // A page on a name that was pointed here can set every header but Host.
      { host: 'evil.example', 'x-forwarded-host': host },
      { host: 'evil.example', forwarded: `host=${host}` },
    ]
    for (const headers of refused) await expectRefused(request(headers))
  })

  it('takes no name that was not listed', async () => {
    const request = await open(await create({ hosts: ['dev.example'] }))
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.domain(),
          fc.ipV4(),
          fc.ipV6().map((ip) => `[${ip}]`),
        ),
        async (host) => {
          const isLoopback = /^127\.|\.localhost$|^\[(0*:)*0*1\]$|^\[::(ffff:)?127/i.test(host)
          fc.pre(!isLoopback && host.toLowerCase() !== 'dev.example')
          expect((await request({ host }, '/api/totals')).status).toBe(403)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe.each(frameworks)('with authorize, in %s', (_framework, create) => {
  it('asks it alone: Host, peer and proxies are not checked', async () => {
    const yes = await open(await create({ authorize: () => true }))
    const no = await open(await create({ authorize: () => false, hosts: ['localhost'] }))
    const requests: Headers[] = [
      { host: 'localhost' },
      { host: 'shop.example' },
      { host: 'shop.example', [PEER]: '203.0.113.9' },
      { host: 'shop.example', 'x-forwarded-for': '203.0.113.9', 'x-forwarded-host': 'shop.example' },
    ]
    for (const headers of requests) {
      for (const path of EVERYTHING) {
        expect(isOpen(await yes(headers, path))).toBe(true)
        expect((await no(headers, path)).status).toBe(403)
      }
    }
  })
})

describe.each(frameworks)('to another site, in %s', (_framework, create) => {
  it.each([['authorize'], ['nothing']])('gives no data, with %s', async (option) => {
    const request = await open(await create(option === 'authorize' ? { authorize: () => true } : {}))
    for (const site of ['cross-site', 'same-site', 'other', '', 'Same-Origin', 'same-origin, none']) {
      const headers = { host: 'localhost', 'sec-fetch-site': site }
      for (const path of DATA) {
        const { status, body } = await request(headers, path)
        expect([site, path, status]).toEqual([site, path, 403])
        expect(body).toContain('Sec-Fetch-Site')
      }
      // A link on another site may lead to the page, which has no data in it.
      expect((await request(headers)).status).toBe(200)
    }
    for (const site of ['same-origin', 'none']) {
      for (const path of EVERYTHING) {
        expect(isOpen(await request({ host: 'localhost', 'sec-fetch-site': site }, path))).toBe(true)
      }
    }
  })
})

it('is closed to the peer of a Unix socket, which has no address: it is most often a proxy', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'reqtrack-socket-'))
  const socketPath = join(directory, 'server')
  const tracking = trackingTo(await segmentServer())
  const app = express().use('/__reqtrack', inspector(tracking))
  app.use('/listed', inspector(tracking, { hosts: ['localhost'] }))
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(socketPath, resolve))
  onTestFinished(() => {
    server.close()
    rmSync(directory, { recursive: true })
  })
  const headers = { host: 'localhost' }
  await expectRefused(ask({ socketPath, path: '/__reqtrack', headers }), 'no network address')
  expect((await ask({ socketPath, path: '/listed', headers })).status).toBe(200)
})

describe('over HTTP/2', () => {
  type Http2Headers = Record<string, string>

  async function openHttp2(listener: RequestListener): Promise<(headers: Http2Headers) => Promise<number>> {
    const server = createHttp2Server((req: Http2ServerRequest, res) =>
      Reflect.apply(listener, undefined, [req, res]),
    )
    await new Promise<void>((resolve) => server.listen(0, '::', resolve))
    const { port }: AddressInfo = Object(server.address())
    const session = connect(`http://localhost:${port}`)
    onTestFinished(() => {
      session.destroy()
      server.close()
    })
    return (headers) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': '/__reqtrack/api/totals', ...headers })
        stream.on('response', ({ ':status': status = 0 }) => {
          stream.close()
          resolve(status)
        })
        stream.on('error', reject)
        stream.end()
      })
  }

  it('checks :authority, and Host where both are sent', async () => {
    const tracking = trackingTo(await segmentServer())
    const app = new Koa()
    app.use(koaTracking(tracking))
    app.use(koaInspector(tracking, { hosts: ['dev.example'] }))
    const request = await openHttp2(app.callback())
    expect(await request({})).toBe(200)
    expect(await request({ ':authority': 'LOCALHOST:3000' })).toBe(200)
    expect(await request({ ':authority': '[::1]:3000' })).toBe(200)
    expect(await request({ ':authority': 'dev.example' })).toBe(200)
    expect(await request({ ':authority': 'evil.example' })).toBe(403)
    expect(await request({ ':authority': 'localhost', host: 'evil.example' })).toBe(403)
    expect(await request({ ':authority': 'evil.example', host: 'localhost' })).toBe(403)
    expect(await request({ ':authority': 'localhost', 'x-forwarded-for': '127.0.0.1' })).toBe(403)
    expect(await request({ ':authority': 'localhost', 'sec-fetch-site': 'cross-site' })).toBe(403)
  })
})

describe('options', () => {
  it.each<[unknown, RegExp]>([
    [
      { hosts: 'dev.example' },
      /hosts is "dev.example"; expected a list of host names, such as \['dev.example'\]/,
    ],
    [{ hosts: [1] }, /hosts\[0\] is 1; expected a host name/],
    [
      { hosts: ['localhost', 'https://dev.example'] },
      /hosts\[1\] is "https:\/\/dev.example"; expected a host name/,
    ],
    [{ hosts: ['dev.example/path'] }, /hosts\[0\]/],
    [{ hosts: ['*.example'] }, /hosts\[0\]/],
    [{ hosts: [''] }, /hosts\[0\]/],
    [{ authorize: true }, /authorize is true; expected a function/],
    [{ authorise: () => true }, /unknown option authorise, did you mean authorize\?/],
    [{ host: ['dev.example'] }, /unknown option host, did you mean hosts\?/],
    [{ zoom: 1 }, /unknown option zoom; known are authorize, capacity, hosts/],
    [null, /options are null; expected an object/],
  ])('%j are refused', async (options, message) => {
    const tracking = trackingTo(await segmentServer())
    expect(() => Reflect.apply(inspector, undefined, [tracking, options])).toThrow(message)
    expect(() => Reflect.apply(koaInspector, undefined, [tracking, options])).toThrow(message)
  })

  it('are refused at once where the list of hosts has a length of billions and nothing in it', async () => {
    const tracking = trackingTo(await segmentServer())
    const options = { hosts: Object.assign([], { length: 4e9 }) }
    for (const mount of [inspector, koaInspector])
      expect(() => mount(tracking, options)).toThrow(
        /hosts is a list of very many; expected a list of host names/,
      )
  })

  it('of Koa have a path, which begins with a slash', async () => {
    const tracking = trackingTo(await segmentServer())
    expect(() => koaInspector(tracking, { path: '__reqtrack' })).toThrow(
      /path is "__reqtrack"; expected .*"\/__reqtrack"/,
    )
    expect(() => Reflect.apply(inspector, undefined, [tracking, { path: '/a' }])).toThrow(
      /unknown option path/,
    )
    expect(() =>
      koaInspector(tracking, { path: undefined, hosts: undefined, authorize: undefined }),
    ).not.toThrow()
  })
})
