import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { ReceivedCall } from 'reqtrack/testing'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { problemsOf } from '../../scripts/demo/check.js'
import { journeys } from '../../scripts/demo/journeys.js'
import { tryShop } from '../../scripts/demo/once.js'
import { runShop } from '../../scripts/demo/running-shop.js'
import { type Shop, shops } from '../../scripts/demo/shops.js'
import { travel } from '../../scripts/demo/travel.js'
import { freePort } from '../../scripts/free-port.js'
import type { RequestSummary, RequestView } from '../../src/inspector/view.js'
import { segmentServer } from '../support/servers.js'
import { listen, run } from './running.js'

const frameworks = Object.keys(shops)

describe('npm run demo -- --once', () => {
  it.each(frameworks)('uses the %s shop, prints each call on a line, and exits with 0', async (name) => {
    const demo = run('scripts/demo.ts', [name, '--once'])
    expect(await demo.exit, demo.output()).toBe(0)
    const lines = demo.output().split('\n')
    const expected = journeys.flatMap(({ steps }) => steps.flatMap(({ calls }) => calls))
    expect(lines.filter((line) => /^(track|identify|group|page) /.test(line))).toHaveLength(expected.length)
    expect(demo.output()).toContain(`All ${expected.length} expected calls arrived`)
    expect(demo.errors()).toBe('')
  })

  it('exits with 1 and names the call when one does not arrive', async () => {
    // The demo's own request for an order goes astray; nothing else is touched.
    const astray = `const { fetch } = globalThis
      globalThis.fetch = (url, init) => fetch(String(url).replace(/\\/orders$/, '/lost'), init)`
    const demo = run('scripts/demo.ts', ['express', '--once'], {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(astray)}`,
    })
    expect(await demo.exit).toBe(1)
    expect(demo.output()).toContain('6 problems:')
    expect(demo.output()).toContain('POST /orders of Ada: answered 404, not 201')
    expect(demo.output()).toContain('missing: track Order Completed user=ada {"total":698} of Ada')
  })

  it('finds fault with a shop that does not track', async () => {
    const shop = await shopOf('express')
    const silent: Shop = {
      ...shop,
      createTracking: (config) => shop.createTracking({ ...config, disabled: true }),
    }
    const lines: string[] = []
    expect(await tryShop(silent, (line) => lines.push(line))).toBe(false)
    expect(lines).toContain('  missing: track Signed Out user=ada of Ada')
  })
})

describe('the check of what arrived', () => {
  let calls: readonly ReceivedCall[] = []

  beforeAll(async () => {
    const { url, server, segment, tracking } = await runShop(await shopOf('express'), 0, () => undefined)
    await Promise.all(journeys.map((journey) => travel(url, journey, AbortSignal.timeout(5_000))))
    await tracking.shutdown()
    calls = [...segment.calls]
    server.closeAllConnections()
    server.close()
    await segment.close()
  })

  it('is content with every call of every visitor', () => {
    expect(problemsOf(journeys, calls)).toEqual([])
  })

  it('misses each single call', () => {
    for (const lost of calls) {
      const problems = problemsOf(
        journeys,
        calls.filter((call) => call !== lost),
      )
      expect(problems.some((problem) => problem.startsWith('missing: '))).toBe(true)
    }
  })

  it('notices a call that nobody expects', () => {
    const [first] = calls
    if (!first) throw new Error('no call arrived')
    expect(problemsOf(journeys, [...calls, first])).toEqual([expect.stringMatching(/^not expected: /)])
  })

  it.each([
    ['userId', { userId: 'mallory' }],
    ['anonymousId', { anonymousId: 'somebody-else' }],
    ['no anonymousId', { anonymousId: null }],
    ['no consent', { context: {} }],
  ])('notices a call with another %s', (_, change) => {
    for (const changed of calls) {
      const problems = problemsOf(
        journeys,
        calls.map((call) => (call === changed ? { ...call, ...change } : call)),
      )
      expect(problems.length, `${changed.type} of ${changed.anonymousId}`).toBeGreaterThan(0)
    }
  })
})

describe('npm run demo', () => {
  it.each(frameworks)('opens the %s shop, prints what it tracks, and ends on SIGINT', async (name) => {
    const port = await freePort()
    const demo = run('scripts/demo.ts', [name], { PORT: String(port), NODE_ENV: 'production' })
    await demo.prints('Ctrl-C ends the demo.')
    const curls = [...demo.output().matchAll(/^ {2}curl .*$/gm)].map(([line]) => line)
    expect(curls).toHaveLength(3)
    expect(curls.every((line) => line.includes(`http://localhost:${port}/`))).toBe(true)

    const order = await fetch(`http://localhost:${port}/orders`, {
      method: 'POST',
      body: new URLSearchParams({ product: 'tent', quantity: '2' }),
    })
    expect(order.status).toBe(201)
    await demo.prints('track     Order Completed  anon=')
    await (await fetch(`http://localhost:${port}/`)).text()
    await demo.prints('dropped   page view  no consent to analytics')
    const [inspector = ''] = /http:\/\/\S+\/__reqtrack\//.exec(demo.output()) ?? []
    expect(await (await fetch(inspector)).text()).toContain('<title>reqtrack inspector</title>')
    expect(await (await fetch(`${inspector}api/requests`)).json()).toMatchObject([
      { method: 'POST', path: '/orders' },
      { method: 'GET', path: '/' },
    ])
    const foreign = get({ host: 'localhost', port, path: '/__reqtrack/', headers: { host: 'evil.example' } })
    const [refused]: IncomingMessage[] = await once(foreign, 'response')
    expect(refused?.resume().statusCode).toBe(403)

    if (name === 'express') {
      await (await fetch(`http://localhost:${port}/stock`)).text()
      await demo.prints('event "stock request" is against the plan: product is missing, expected a string')
      const list: RequestSummary[] = JSON.parse(await (await fetch(`${inspector}api/requests`)).text())
      const view: RequestView = JSON.parse(
        await (await fetch(`${inspector}api/requests/${list.at(-1)?.number}`)).text(),
      )
      expect(view.events).toMatchObject([{ plan: { violations: [{ problem: 'product is missing' }] } }])
    }

    demo.kill('SIGINT')
    expect(await demo.exit).toBe(0)
    const delivered = name === 'express' ? 2 : 1
    expect(demo.output()).toMatch(
      new RegExp(
        `\\nShut down in \\d+ ms: ${delivered} calls delivered, 0 failed, 0 pending; 1 events dropped\\.\\n$`,
      ),
    )
    expect(demo.errors()).toBe('')
  })

  it('says that the port is taken and how to choose another', async () => {
    const taken = createServer()
    onTestFinished(() => void taken.close())
    const port = await listen(taken)
    const demo = run('scripts/demo.ts', ['express'], { PORT: String(port) })
    expect(await demo.exit).toBe(1)
    expect(demo.errors()).toBe(`Port ${port} is taken. Choose another one: PORT=${port + 1} npm run demo\n`)
    expect(demo.output()).toBe('')
  })

  it.each([
    [['express'], { PORT: 'many' }, 'PORT is many: expected a number from 0 to 65535.'],
    [['express', '--twice'], {}, 'The demo does not know "--twice"'],
  ])('refuses %j with %j in one line', async (parameters, env, message) => {
    const demo = run('scripts/demo.ts', parameters, env)
    expect(await demo.exit).toBe(1)
    expect(demo.errors()).toContain(message)
    expect(demo.errors().trimEnd()).not.toContain('\n')
  })
})

describe.each(frameworks)('examples/%s/server.ts', (name) => {
  it('serves on PORT, tracks to SEGMENT_HOST, and delivers before it ends on SIGTERM', async () => {
    const segment = await segmentServer()
    const port = await freePort()
    const server = run(`examples/${name}/server.ts`, [], {
      PORT: String(port),
      SEGMENT_HOST: segment.url,
      SEGMENT_WRITE_KEY: 'test-key',
    })
    await server.prints(`http://localhost:${port}`)
    const body = new URLSearchParams({ product: 'mug' })
    await fetch(`http://localhost:${port}/orders`, { method: 'POST', body })
    server.kill('SIGTERM')
    expect(await server.exit, server.errors()).toBe(0)
    expect(segment.calls).toMatchObject([{ event: 'Order Completed', properties: { total: 18 } }])
  })
})

async function shopOf(name: string): Promise<Shop> {
  const load = shops[name]
  if (!load) throw new Error(`there is no shop ${name}`)
  return load()
}
