import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import type { TrackingConfig } from '../../src/index.js'
import { redisMemory, redisOutbox } from '../../src/redis/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { temporaryDirectory } from '../delivery/delivering.js'
import { clientOf } from '../redis/clients.js'
import { hasRedis, redisServer } from '../support/redis.js'
import { segmentServer, trackingTo } from '../support/servers.js'

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

/** Runs `npx reqtrack outbox`. */
async function run(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['--import', 'tsx', CLI, 'outbox', ...args], {
    env: { ...process.env, SEGMENT_WRITE_KEY: undefined, ...environment },
  })
  const code = new Promise<number | null>((resolve) => child.once('close', resolve))
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, out, lines: out.split('\n').slice(0, -1), errors }
}

/** A tracking that keeps what it makes, and what makes people visit. */
function visiting(segment: SegmentServer, config: Parameters<typeof trackingTo>[1]) {
  const tracking = trackingTo(segment, {
    logger: { handler: () => {} },
    ...config,
    settings: {
      identify: { map: { traits: 'user.traits' } },
      flushInterval: 10,
      maxRetries: 0,
      ...config?.settings,
    },
  })
  return {
    tracking,
    visit(user: { id?: string; session?: string }) {
      tracking.run({ user: { ...user, traits: { plan: 'free' } } }, (tracker) =>
        tracker.track('order complete'),
      )
    },
  }
}

const EVERYBODY = [{ id: 'u-1', session: 'a-1' }, { session: 'a-2' }, { id: 'u-3' }]

/** Where calls are kept, each made anew for a test. */
const PLACES: readonly (readonly [name: string, open: () => Promise<Place>])[] = [
  [
    'a directory',
    async () => {
      const directory = temporaryDirectory()
      return { target: directory, outbox: async () => fileOutbox({ directory, commitInterval: 5 }) }
    },
  ],
  ...(hasRedis
    ? [
        [
          'a Redis',
          async () => {
            const redis = await redisServer()
            const outbox = async () =>
              redisOutbox({ client: (await clientOf(redis.url)).client, commitInterval: 5 })
            return { target: redis.url, outbox }
          },
        ] as const,
      ]
    : []),
]

interface Place {
  readonly target: string
  outbox(): Promise<NonNullable<NonNullable<TrackingConfig['delivery']>['outbox']>>
}

/** Calls that wait since Segment is away, and calls that it has refused, of processes that have ended. */
async function filled({ outbox }: Place, segment: SegmentServer) {
  segment.respondWith({ status: 400 })
  const refused = visiting(segment, { delivery: { outbox: await outbox() } })
  refused.visit({ id: 'u-1' })
  refused.visit({ id: 'u-3' })
  await vi.waitUntil(() => refused.tracking.stats().calls.failed.rejected === 4)
  await refused.tracking.shutdown()
  await segment.stop()
  const waiting = visiting(segment, { delivery: { outbox: await outbox() } })
  for (const user of EVERYBODY) waiting.visit(user)
  await vi.waitUntil(() => waiting.tracking.stats().calls.pending === 6)
  expect(await waiting.tracking.shutdown()).toMatchObject({ kept: 6 })
  await segment.start()
  segment.respondWith('ok')
  segment.clear()
}

/** Sends what is left, and tells whose calls came. */
async function sentNow({ outbox }: Place, segment: SegmentServer, count: number) {
  const next = visiting(segment, { delivery: { outbox: await outbox() } })
  await segment.waitFor(count, 10_000)
  await next.tracking.shutdown()
  return segment.calls.map(({ type, userId, anonymousId }) => `${type} ${userId ?? anonymousId}`).sort()
}

describe.each(PLACES)('npx reqtrack outbox, of %s', (_name, open) => {
  it('shows what waits and what was set aside, and of whom only when it is told to', async () => {
    const place = await open()
    const segment = await segmentServer()
    await filled(place, segment)
    const { code, out, lines } = await run([place.target])
    expect(code).toBe(0)
    expect(lines[0]).toMatch(/^6 calls wait in 1 (store|write key), 4 are kept aside$/)
    expect(out).toMatch(/6 calls, \d+\.\d KB, the oldest since \d{4}-.*Z \(0 min\)/)
    expect(out).toMatch(/kept aside: 4 rejected/)
    expect(out).not.toMatch(/u-1|a-1|free/)
    const exported = (await run([place.target, '--export'])).lines.map((line) => JSON.parse(line))
    expect(
      exported
        .map(({ state, type, params }) => `${state} ${type} ${params.userId ?? params.anonymousId}`)
        .sort(),
    ).toEqual(
      [
        ...['u-1', 'a-2', 'u-3'].flatMap((id) => [`waiting identify ${id}`, `waiting track ${id}`]),
        ...['u-1', 'u-3'].flatMap((id) => [`aside identify ${id}`, `aside track ${id}`]),
      ].sort(),
    )
  }, 120_000)

  it('lets what was set aside wait again, as if it were made now', async () => {
    const place = await open()
    const segment = await segmentServer()
    await filled(place, segment)
    const { code, out } = await run([place.target, '--retry'])
    expect([code, out]).toEqual([0, '4 calls that were set aside wait again\n'])
    expect((await run([place.target])).lines[0]).toMatch(/^10 calls wait in .*, 0 are kept aside$/)
    expect(await sentNow(place, segment, 10)).toHaveLength(10)
    expect(segment.duplicates).toEqual([])
  }, 120_000)

  it('erases a user, and a visitor, and nobody else', async () => {
    const place = await open()
    const segment = await segmentServer()
    await filled(place, segment)
    const user = await run([place.target, '--erase', 'u-1'])
    expect([user.code, user.lines[0]]).toEqual([
      0,
      '4 calls of this person were erased (2 that waited, 2 set aside)',
    ])
    const visitor = await run([place.target, '--erase-anonymous', 'a-2'])
    expect(visitor.lines[0]).toBe('2 calls of this person were erased (2 that waited, 0 set aside)')
    const nobody = await run([place.target, '--erase', 'a-2'])
    expect(nobody.lines[0]).toBe('0 calls of this person were erased (0 that waited, 0 set aside)')
    expect((await run([place.target, '--export'])).out).not.toMatch(/u-1|a-2/)
    expect(await sentNow(place, segment, 2)).toEqual(['identify u-3', 'track u-3'])
  }, 120_000)

  it('removes everything, and tells how much that was', async () => {
    const place = await open()
    const segment = await segmentServer()
    await filled(place, segment)
    const { code, out } = await run([place.target, '--purge'])
    expect([code, out]).toEqual([0, '10 calls were removed (6 that waited, 4 set aside)\n'])
    expect((await run([place.target])).lines[0]).toMatch(/^0 calls wait in .*, 0 are kept aside$/)
  }, 120_000)

  it('changes nothing of other write keys than those that are named', async () => {
    const place = await open()
    const segment = await segmentServer()
    await segment.stop()
    for (const writeKey of ['key-a', 'key-b']) {
      const { tracking, visit } = visiting(segment, {
        settings: { writeKey },
        delivery: { outbox: await place.outbox() },
      })
      visit({ id: 'u-1' })
      await vi.waitUntil(() => tracking.stats().calls.pending === 2)
      expect(await tracking.shutdown()).toMatchObject({ kept: 2 })
    }
    const unnamed = await run([place.target, '--erase', 'u-1'])
    expect([unnamed.code, unnamed.errors]).toEqual([1, expect.stringContaining('set SEGMENT_WRITE_KEY')])
    const one = await run([place.target, '--erase', 'u-1'], { SEGMENT_WRITE_KEY: 'key-a' })
    expect(one.lines[0]).toBe('2 calls of this person were erased (2 that waited, 0 set aside)')
    expect((await run([place.target])).lines[0]).toMatch(/^2 calls wait/)
    const other = await run([place.target, '--purge'], { SEGMENT_WRITE_KEY: 'key-a key-b' })
    expect(other.out).toBe('2 calls were removed (2 that waited, 0 set aside)\n')
  }, 120_000)
})

describe('npx reqtrack outbox', () => {
  it('looks at a directory in use, and refuses to change it', async () => {
    const directory = temporaryDirectory()
    const segment = await segmentServer()
    await segment.stop()
    const { tracking, visit } = visiting(segment, {
      delivery: { outbox: fileOutbox({ directory, commitInterval: 5 }) },
    })
    visit({ id: 'u-1' })
    await vi.waitUntil(() => tracking.stats().calls.pending === 2)
    await tracking.flush({ timeout: 200 })
    const look = await run([directory])
    expect(look.lines[0]).toBe(
      '2 calls wait in 1 store, 2 of them in the hands of processes, 0 are kept aside',
    )
    expect(look.out).toContain('a process has it in use')
    for (const change of [['--retry'], ['--erase', 'u-1'], ['--erase-anonymous', 'a-1'], ['--purge']]) {
      const { code, errors, out } = await run([directory, ...change])
      expect([code, out]).toEqual([3, ''])
      expect(errors).toContain('a process has this outbox in use, and nothing was changed')
    }
    expect((await run([directory])).lines[0]).toMatch(/^2 calls wait/)
    // The delivery tries again with pauses, which have grown while the commands ran.
    await segment.start()
    await segment.waitFor(2, 60_000)
  }, 120_000)

  it('says what it does not understand, with the usage', async () => {
    for (const [args, problem] of [
      [[], 'outbox takes one target'],
      [['a', 'b'], 'outbox takes one target'],
      [['a', '--retry', '--purge'], 'outbox takes one at a time'],
      [['a', '--erase', ''], 'an id is no empty text'],
      [['a', '--prefix', 'x:'], '--prefix is for a Redis'],
    ] as const) {
      const { code, errors } = await run(args)
      expect(code).toBe(2)
      expect(errors).toContain(problem)
      expect(errors).toContain('npx reqtrack outbox TARGET')
    }
    expect((await run(['/no/such/directory', '--purge'])).code).toBe(1)
  }, 120_000)
})

describe.skipIf(!hasRedis)('npx reqtrack outbox, of a fleet', () => {
  it('reports what a process holds as not erased, and has the memory forget the person', async () => {
    const redis = await redisServer()
    const segment = await segmentServer()
    const app = await clientOf(redis.url)
    const { client } = await clientOf(redis.url)
    const shared = { memory: redisMemory({ client, prefix: 'shop*:' }) }
    const outbox = async () =>
      redisOutbox({ client: (await clientOf(redis.url)).client, prefix: 'shop*:', commitInterval: 5 })
    await segment.stop()
    const holding = visiting(segment, { ...shared, delivery: { outbox: await outbox() } })
    holding.visit({ id: 'u-1', session: 'a-1' })
    await vi.waitUntil(async () => Number(await app.send('XLEN', await streamOf(app))) === 2)
    const writing = visiting(segment, { ...shared, delivery: { outbox: await outbox(), send: false } })
    writing.visit({ id: 'u-1', session: 'a-9' })
    writing.visit({ session: 'a-9' })
    await writing.tracking.flush()
    // The one that sends takes what is written at once: both are in its hands.
    const all = /6 calls wait in 1 write key, 6 of them in the hands of processes/
    await vi.waitUntil(async () => all.test((await run([redis.url, '--prefix', 'shop*:'])).out), {
      timeout: 30_000,
    })
    const { code, lines } = await run([redis.url, '--prefix', 'shop*:', '--erase', 'u-1'], {
      SEGMENT_WRITE_KEY: 'test-key',
    })
    expect(code).toBe(0)
    expect(lines).toEqual([
      '0 calls of this person were erased (0 that waited, 0 set aside); 4 were not: a process has them in its hands, and may be sending',
      'the memory of people has lost 1 fact about them',
    ])
    const people = [await app.send('KEYS', '*:person:*')].flat()
    expect(people).toHaveLength(1)
    const unnamed = await run([redis.url, '--prefix', 'shop*:', '--erase-anonymous', 'a-9'])
    expect(unnamed.lines[1]).toContain('only with SEGMENT_WRITE_KEY')
    onTestFinished(() => void segment.start())
  }, 120_000)

  it('says that there is no Redis, or nothing in it', async () => {
    const redis = await redisServer()
    expect((await run([redis.url])).lines).toEqual(['0 calls wait in 0 write keys, 0 are kept aside'])
    await redis.stop()
    const { code, errors } = await run([redis.url])
    expect(code).toBe(1)
    expect(errors).toMatch(/^reqtrack: there is no connection to Redis at 127\.0\.0\.1:\d+: .*ECONNREFUSED/)
  }, 120_000)
})

async function streamOf({
  send,
}: {
  send(name: string, ...more: string[]): Promise<unknown>
}): Promise<string> {
  const [key] = [await send('KEYS', '*:calls')].flat().map(String)
  return key ?? 'none'
}
