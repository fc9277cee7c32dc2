import { describe, expect, it, vi } from 'vitest'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import { ConfigError, createRelay } from '../../src/relay/index.js'
import { arrived, delivering, keptLog, temporaryDirectory, upTo } from '../delivery/delivering.js'
import { hasRedis } from '../support/redis.js'
import { segmentServer } from '../support/servers.js'
import { expectBalance, fleet } from './relaying.js'

describe.skipIf(!hasRedis)('a relay', () => {
  it('sends what others have written, and leaves nothing behind', async () => {
    const { segment, app, write, relay: open } = await fleet()
    await write(60)
    expect(segment.calls).toEqual([])
    const relay = await open()
    await relay.flush()
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(60)))
    expect(segment.duplicates).toEqual([])
    expect(relay.stats()).toMatchObject({
      events: { tracked: 0, open: 0 },
      calls: { made: 60, delivered: 60, pending: 0, relayed: 0 },
      requests: { failed: 0, retried: 0 },
    })
    expect(relay.stats().requests.made).toBe(segment.batches.length)
    expect(relay.health()).toMatchObject({ state: 'ok', outbox: 'ok', pending: 0 })
    const [key] = (await app.send('KEYS', 'reqtrack:*:calls')) as string[]
    expect(Number(await app.send('XLEN', key ?? ''))).toBe(0)
    expectBalance(relay)
  })

  it('flush() waits for what waits in the outbox, however much it is, and also while it waits for more', async () => {
    const { segment, write, relay: open } = await fleet()
    const relay = await open({ delivery: { maxInFlight: 2 } })
    for (let round = 0; round < 5; round++) {
      const from = round * 300
      await write(300, from)
      await relay.flush()
      expect(segment.calls.length).toBe(from + 300)
    }
    expect(relay.stats().calls).toMatchObject({ made: 1_500, delivered: 1_500, pending: 0 })
  })

  it('flush() ends at once where nothing waits, also before the outbox is open', async () => {
    const { relay: open } = await fleet()
    const relay = await open()
    const began = performance.now()
    await relay.flush({ timeout: 20_000 })
    expect(performance.now() - began).toBeLessThan(10_000)
    expect(relay.stats().calls.made).toBe(0)
  })

  it('flush() ends after its time where Segment is away', async () => {
    const { segment, write, relay: open } = await fleet()
    await segment.stop()
    await write(10)
    const relay = await open()
    const began = performance.now()
    await relay.flush({ timeout: 200 })
    expect(performance.now() - began).toBeLessThan(2_000)
    await vi.waitUntil(() => relay.health().state === 'retrying')
    expect(relay.stats().calls).toMatchObject({ made: 10, pending: 10 })
    expect(relay.stats().requests.failed).toBeGreaterThan(0)
    await segment.start()
    await relay.flush()
    expect(relay.stats().calls).toMatchObject({ delivered: 10, pending: 0 })
    expect(relay.stats().requests.retried).toBeGreaterThan(0)
  })

  it('counts what waits, of all processes, and since when', async () => {
    const { segment, write, relay: open } = await fleet()
    const before = Date.now()
    segment.respondWith({ status: 503 })
    await write(700)
    const relay = await open()
    await vi.waitUntil(() => relay.health().state === 'retrying')
    const waiting = await relay.waiting()
    expect(waiting?.calls).toBe(700)
    expect(waiting?.oldestAt).toBeGreaterThanOrEqual(before)
    expect(waiting?.oldestAt).toBeLessThanOrEqual(Date.now())
    segment.respondWith('ok')
    await relay.flush({ timeout: 15_000 })
    expect(await relay.waiting()).toEqual({ calls: 0, oldestAt: undefined })
  })

  it('gives back at its end what it has not sent: another takes it at once, and no claim time is waited', async () => {
    const { segment, write, relay: open } = await fleet()
    segment.respondWith({ status: 503 })
    await write(50)
    // Its defaults: a minute would pass before anybody took what a dead process has.
    const one = await open()
    await vi.waitUntil(() => one.stats().calls.pending === 50)
    const report = await one.shutdown()
    expect(report).toMatchObject({ delivered: 0, failed: 0, pending: 0, kept: 50, timedOut: false })
    expect(one.health().state).toBe('closed')
    expectBalance(one)
    segment.respondWith('ok')
    const other = await open()
    await segment.waitFor(50, 10_000)
    await other.flush()
    expect(other.stats().calls).toMatchObject({ made: 50, delivered: 50 })
    expect(segment.duplicates).toEqual([])
  })

  it('takes at once, while it runs, what another gives back', async () => {
    const { segment, write, relay: open } = await fleet()
    segment.respondWith({ status: 503 })
    await write(20)
    const one = await open()
    await vi.waitUntil(() => one.stats().calls.pending === 20)
    const other = await open()
    await other.flush()
    expect(await one.shutdown({ timeout: 5_000 })).toMatchObject({ delivered: 0, kept: 20 })
    await vi.waitUntil(() => other.stats().calls.pending === 20)
    segment.respondWith('ok')
    await other.flush()
    expect(other.stats().calls).toMatchObject({ made: 20, delivered: 20 })
  })

  it('gives back, too, what a waiting read gets while it ends', async () => {
    const { segment, write, relay: open } = await fleet()
    const rounds = 6
    for (let round = 0; round < rounds; round++) {
      const relay = await open({ closesLate: 60 })
      await relay.flush()
      // Its read waits by now, or is about to.
      await Promise.all([write(5, round * 5), relay.shutdown()])
    }
    const last = await open()
    await segment.waitFor(rounds * 5, 10_000)
    await last.flush()
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(rounds * 5)))
  })

  it('shares the work with others', async () => {
    const { segment, write, relay: open } = await fleet()
    segment.respondWith({ delay: 30 })
    const relays = [
      await open({ delivery: { maxInFlight: 1, maxBatch: 20 } }),
      await open({ delivery: { maxInFlight: 1, maxBatch: 20 } }),
    ]
    await write(1_000)
    await segment.waitFor(1_000, 15_000)
    await Promise.all(relays.map((relay) => relay.flush()))
    const delivered = relays.map((relay) => relay.stats().calls.delivered)
    expect(delivered[0]).toBeGreaterThan(0)
    expect(delivered[1]).toBeGreaterThan(0)
    expect((delivered[0] ?? 0) + (delivered[1] ?? 0)).toBe(1_000)
    expect(segment.duplicates).toEqual([])
  })

  it('sends no calls of another write key', async () => {
    const { segment, write, relay: open } = await fleet()
    await write(10)
    const foreign = await open({ settings: { writeKey: 'another-key' } })
    await foreign.flush()
    expect(segment.calls).toEqual([])
    const relay = await open()
    await relay.flush()
    expect(segment.calls).toHaveLength(10)
    expect(foreign.stats().calls.made).toBe(0)
  })

  it('tells what arrived and what was given up, where it happens', async () => {
    const { segment, write, web, relay: open } = await fleet()
    await write(3)
    const poison = new Set<unknown>()
    segment.respondWith(({ messageIds }) => {
      poison.add(messageIds[1])
      return messageIds.some((id) => id === [...poison][0]) ? { status: 400 } : undefined
    })
    const delivered: unknown[] = []
    const failed: unknown[] = []
    const { lines, logger } = keptLog()
    const relay = await open({
      logger,
      on: {
        delivered: ({ call }) => delivered.push(call.params.messageId),
        failed: ({ call, reason }) => failed.push([call.params.messageId, reason]),
      },
    })
    await relay.flush()
    expect(delivered).toHaveLength(2)
    expect(failed).toEqual([[[...poison][0], 'rejected']])
    expect(web.tracking.stats().calls).toMatchObject({ made: 3, relayed: 3 })
    expect(relay.stats().calls).toMatchObject({ made: 3, delivered: 2, failed: { rejected: 1 } })
    await relay.shutdown()
    expect(lines.map(({ message }) => message)).toContain('the relay was shut down')
    expect(JSON.stringify(lines)).not.toContain('u-1')
  })

  it('survives a Redis that is away when it starts, and one that goes later', async () => {
    const { redis, segment, write, relay: open } = await fleet({ redis: ['--appendonly', 'yes'] })
    await write(5)
    const relay = await open()
    await relay.flush()
    await redis.crash()
    await vi.waitUntil(() => relay.health().outbox === 'away')
    expect(await relay.waiting()).toBeUndefined()
    expect(relay.health().lastError).toContain('the outbox does not answer')
    await redis.restart()
    await vi.waitUntil(() => relay.health().outbox === 'ok')
    await write(5, 5)
    await segment.waitFor(10, 10_000)
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(10)))
  })

  it('shuts down once, takes nothing more, and answers the same', async () => {
    const { segment, write, relay: open } = await fleet()
    const relay = await open()
    const first = relay.shutdown()
    expect(relay.shutdown()).toBe(first)
    await first
    await write(5)
    await relay.flush({ timeout: 300 })
    expect(segment.calls).toEqual([])
    expect(relay.stats().calls.made).toBe(0)
  })

  it('has methods that can be taken off it', async () => {
    const { write, relay: open } = await fleet()
    const { stats, health, flush, shutdown, waiting } = await open()
    await write(3)
    await flush()
    expect(stats().calls.delivered).toBe(3)
    expect(health().state).toBe('ok')
    expect(await waiting()).toMatchObject({ calls: 0 })
    expect(await shutdown()).toMatchObject({ delivered: 3 })
  })
})

describe('a relay of a directory', () => {
  it('sends what an ended process has left in it', async () => {
    const segment = await segmentServer()
    const directory = temporaryDirectory()
    await segment.stop()
    const { tracking, trackMany } = await delivering(segment, {
      delivery: { outbox: fileOutbox({ directory }) },
    })
    await trackMany(20)
    expect(await tracking.shutdown({ timeout: 10_000 })).toMatchObject({ kept: 20 })
    await segment.start()
    const relay = createRelay({
      settings: { writeKey: 'test-key', host: segment.url, flushInterval: 50 },
      outbox: fileOutbox({ directory }),
    })
    await relay.flush()
    expect(segment.calls).toHaveLength(20)
    expect(await relay.waiting()).toBeUndefined()
    expect(await relay.shutdown()).toMatchObject({ delivered: 20, kept: 0 })
  })
})

describe('the configuration of a relay', () => {
  const outbox = fileOutbox({ directory: '/nonexistent' })
  const problemsOf = (config: object): Record<string, string> => {
    try {
      createRelay(config as Parameters<typeof createRelay>[0])
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      expect(error.message).toContain('the configuration of createRelay has')
      return Object.fromEntries(error.problems.map(({ path, message }) => [path, message]))
    }
    return {}
  }

  it.each<[string, object, string, RegExp]>([
    ['no settings', { outbox }, 'settings.writeKey', /expected the write key/],
    [
      'a blank write key',
      { settings: { writeKey: ' ' }, outbox },
      'settings.writeKey',
      /expected the write key/,
    ],
    ['no outbox', { settings: { writeKey: 'k' } }, 'outbox', /expected an outbox/],
    [
      'no outbox, but something else',
      { settings: { writeKey: 'k' }, outbox: {} },
      'outbox',
      /expected an outbox/,
    ],
    [
      'an outbox in delivery',
      { settings: { writeKey: 'k' }, outbox, delivery: { outbox } },
      'delivery.outbox',
      /unknown key/,
    ],
    [
      'send',
      { settings: { writeKey: 'k' }, outbox, delivery: { send: false } },
      'delivery.send',
      /unknown key/,
    ],
    [
      'a typing error',
      { settings: { writeKey: 'k' }, outbox, delivery: { maxInFligt: 2 } },
      'delivery.maxInFligt',
      /did you mean maxInFlight/,
    ],
    ['a mapping', { settings: { writeKey: 'k' }, outbox, mapping: {} }, 'mapping', /web processes/],
    [
      'a write key at the top',
      { settings: { writeKey: 'k' }, outbox, writeKey: 'k' },
      'writeKey',
      /settings.writeKey/,
    ],
    [
      'a relay that sends nothing',
      { settings: { writeKey: 'k', disable: true }, outbox },
      'settings.disable',
      /would lose/,
    ],
    [
      'a callback of events',
      { settings: { writeKey: 'k' }, outbox, on: { dropped() {} } },
      'on.dropped',
      /unknown key/,
    ],
  ])('refuses %s', (_name, config, path, message) => {
    expect(problemsOf(config)[path]).toMatch(message)
  })

  it('quotes no secret', () => {
    expect(
      JSON.stringify(problemsOf({ settings: { writeKey: 'S3CRET', host: 'S3CRET' }, outbox: 'S3CRET' })),
    ).not.toContain('S3CRET')
  })
})
