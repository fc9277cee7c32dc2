import { once } from 'node:events'
import { QueueEvents } from 'bullmq'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createApp } from '../../examples/express/app.js'
import { QUEUE } from '../../examples/worker/invoices.js'
import { tryShop } from '../../scripts/demo/once.js'
import { workerShop } from '../../scripts/demo/worker-shop.js'
import { freePort } from '../../scripts/free-port.js'
import { hasRedis, redisServer } from '../support/redis.js'
import { segmentServer } from '../support/servers.js'
import { run } from './running.js'

// Several processes each, which on a busy machine take their time to start.
vi.setConfig({ testTimeout: 60_000 })

describe.skipIf(!hasRedis)('npm run demo:worker -- --once', () => {
  it('prints each order, and the invoice of its job with the same visitor and consent, and exits with 0', async () => {
    const demo = run('scripts/demo.ts', ['worker', '--once'])
    expect(await demo.exit, demo.output() + demo.errors()).toBe(0)
    const lines = demo.output().split('\n')
    const ofEvent = (event: string) =>
      lines
        .filter((line) => line.startsWith(`track     ${event} `))
        .map((line) => ({
          order: /"order_id":"(A-\d+)","total":\d+/.exec(line)?.[0],
          who: /(?:user=\S+ )?anon=\S+/.exec(line)?.[0],
          consent: /consent: .*/.exec(line)?.[0],
        }))
        .sort((a, b) => String(a.order).localeCompare(String(b.order)))
    const orders = ofEvent('Order Completed')
    expect(ofEvent('Invoice Sent')).toEqual(orders)
    expect(orders.map(({ who, consent }) => `${who} ${consent}`).sort()).toEqual([
      expect.stringMatching(/^anon=\S+ consent: Analytics=false Advertising=false$/),
      'user=ada anon=ada-laptop consent: Analytics=true Advertising=false',
      expect.stringMatching(/^user=grace anon=\S+ consent: Analytics=true Advertising=true$/),
    ])
    expect(demo.output()).toContain('All 17 expected calls arrived')
    expect(demo.errors()).toBe('')
  })

  it('finds fault with a shop that requests no invoice', async () => {
    const lines: string[] = []
    const shop = { ...workerShop(), createListener: createApp }
    expect(await tryShop(shop, (line) => lines.push(line))).toBe(false)
    expect(lines.filter((line) => line.startsWith('  missing: '))).toEqual([
      '  missing: track Invoice Sent user=ada {"total":698} of Ada',
      '  missing: track Invoice Sent user=grace {"total":42} of Grace',
      '  missing: track Invoice Sent {"total":18} of the guest',
    ])
  })
})

describe('npm run demo:worker', () => {
  it('says in one line how to get a Redis where there is none', async () => {
    const demo = run('scripts/demo.ts', ['worker', '--once'], { PATH: '/nowhere', REDIS_SERVER_PATH: '' })
    expect(await demo.exit).toBe(1)
    expect(demo.errors()).toMatch(/^There is no redis-server here: install it .*\n$/)
    expect(demo.output()).toBe('')
  })

  it.skipIf(!hasRedis)('opens the shop, prints the invoice after the order, and ends on SIGINT', async () => {
    const port = await freePort()
    const demo = run('scripts/demo.ts', ['worker'], { PORT: String(port) })
    await demo.prints('Ctrl-C ends the demo.')
    await fetch(`http://localhost:${port}/orders`, {
      method: 'POST',
      body: new URLSearchParams({ product: 'tent' }),
    })
    await demo.prints('track     Invoice Sent  anon=')
    demo.kill('SIGINT')
    expect(await demo.exit).toBe(0)
    expect(demo.errors()).toBe('')
  })
})

describe.skipIf(!hasRedis)('examples/worker', () => {
  it('tracks a job for the visitor of the request, and delivers before it ends on SIGTERM', async () => {
    const [segment, redis, port] = await Promise.all([segmentServer(), redisServer(), freePort()])
    const env = {
      PORT: String(port),
      REDIS_URL: redis.url,
      SEGMENT_HOST: segment.url,
      SEGMENT_WRITE_KEY: 'test-key',
    }
    const worker = run('examples/worker/worker.ts', [], env)
    const server = run('examples/worker/server.ts', [], env)
    await Promise.all([worker.prints('waits for orders'), server.prints(`http://localhost:${port}`)])
    const events = new QueueEvents(QUEUE, { connection: { url: redis.url } })
    onTestFinished(() => events.close())
    await events.waitUntilReady()
    const completed = once(events, 'completed')
    await fetch(`http://localhost:${port}/orders`, {
      method: 'POST',
      headers: { cookie: `ajs_anonymous_id=a-1; consent=${encodeURIComponent('{"analytics":true}')}` },
      body: new URLSearchParams({ product: 'mug' }),
    })
    await completed
    // Neither has sent anything: the batch of ten seconds is what they end with.
    expect(segment.calls).toEqual([])
    server.kill('SIGTERM')
    worker.kill('SIGTERM')
    expect([await server.exit, await worker.exit], server.errors() + worker.errors()).toEqual([0, 0])
    const consent = { categoryPreferences: { Analytics: true, Advertising: false } }
    expect(segment.calls.map((call) => 'event' in call && call.event).sort()).toEqual([
      'Invoice Sent',
      'Order Completed',
    ])
    const theirs = { anonymousId: 'a-1', properties: { order_id: 'A-1001' }, context: { consent } }
    expect(segment.calls).toMatchObject([theirs, theirs])
  })
})
