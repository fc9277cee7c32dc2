import { describe, expect, it, vi } from 'vitest'
import { redisOutbox } from '../../src/redis/index.js'
import { delivering } from '../delivery/delivering.js'
import { clientOf } from '../redis/clients.js'
import { waiting } from '../redis/fleet.js'
import { hasRedis } from '../support/redis.js'
import { expectBalance, fleet } from './relaying.js'

/** Two processes that only write, each of which can track the payment of the same key. */
async function twoWriters() {
  const { redis, segment, app, web, relay } = await fleet()
  const { client } = await clientOf(redis.url)
  const outbox = redisOutbox({ client, commitInterval: 5 })
  const other = await delivering(segment, { delivery: { outbox, send: false } })
  const pay = async ({ tracking }: typeof web, attempt: number) => {
    tracking.run({ user: { id: 'u-1' } }, (tracker) => {
      tracker.track('payment receive', { attempt }, { key: 'payment-1' })
    })
    await tracking.flush()
  }
  return { segment, app, web, other, relay, pay }
}

describe.skipIf(!hasRedis)('the same key in two processes that only write', () => {
  it('is one call where a relay has sent the first before it reads the second', async () => {
    const { segment, app, web, other, relay: open, pay } = await twoWriters()
    const relay = await open()
    await pay(web, 1)
    await segment.waitFor(1)
    await relay.flush()
    await pay(other, 2)
    await vi.waitUntil(async () => (await waiting(app)) === 0)
    await relay.flush()
    expect(segment.calls).toHaveLength(1)
    expect(segment.calls[0]).toMatchObject({ properties: { attempt: 1 } })
    expect(segment.duplicates).toEqual([])
    expectBalance(relay)
  }, 30_000)

  it('is one call where a relay reads both at once', async () => {
    const { segment, app, web, other, relay: open, pay } = await twoWriters()
    await pay(web, 1)
    await pay(other, 2)
    expect(await waiting(app)).toBe(2)
    const relay = await open()
    await relay.flush()
    expect(segment.calls).toHaveLength(1)
    expect(segment.duplicates).toEqual([])
    expect(relay.stats().calls).toMatchObject({ delivered: 1, pending: 0 })
    expect(await waiting(app)).toBe(0)
    expectBalance(relay)
  }, 30_000)

  it('is the same message once more where another relay has sent the first', async () => {
    const { segment, app, web, other, relay: open, pay } = await twoWriters()
    const first = await open()
    await pay(web, 1)
    await segment.waitFor(1)
    await first.flush()
    await first.shutdown()
    const second = await open()
    await pay(other, 2)
    await vi.waitUntil(() => second.stats().calls.delivered === 1)
    expect(segment.duplicates).toMatchObject([{ count: 1 }])
    expect(await waiting(app)).toBe(0)
    expectBalance(second)
  }, 30_000)
})
