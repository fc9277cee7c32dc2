import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { fileOutbox, type Outbox } from '../../src/delivery/outbox/file.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { changed } from '../support/outboxes.js'
import { segmentServer } from '../support/servers.js'
import { arrived, delivering, expectBalance, keptLog, upTo } from './delivering.js'

/** A directory of its own for an outbox, removed when the test ends. */
function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), 'outbox-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, 'outbox')
}

/** Leaves calls in an outbox, as a process does that ends while Segment is away. */
async function leave(
  count: number,
  segment: SegmentServer,
  directory: string,
  data: (index: number) => Record<string, unknown> = (index) => ({ index }),
): Promise<void> {
  await segment.stop()
  const { tracking, trackMany } = await delivering(segment, {
    delivery: { outbox: fileOutbox({ directory }) },
  })
  for (let from = 0; from < count; from += 2_000) {
    await trackMany(Math.min(2_000, count - from), (index) => data(from + index))
    await tracking.flush({ timeout: 50 })
  }
  expect(await tracking.shutdown()).toMatchObject({ kept: count })
  await segment.start()
}

/** An outbox that tells how many calls it has written. */
function counting(outbox: Outbox): { outbox: Outbox; written: () => number } {
  let written = 0
  const counted = changed(outbox, ({ write }) => ({
    async write(calls, room) {
      const taken = await write(calls, room)
      written += calls.length
      return taken
    },
  }))
  return { outbox: counted, written: () => written }
}

/** An outbox that hands out what others left only when it is let. */
function slowToAdopt(outbox: Outbox): { outbox: Outbox; written: () => number; goOn: () => void } {
  let isAllowed = false
  let ready = () => {}
  const { outbox: counted, written } = counting(outbox)
  const slow = changed(counted, ({ take }) => ({
    take: (most, options) => take(most, { ...options, ...(!isAllowed && { onlyOwn: true }) }),
  }))
  return {
    written,
    goOn() {
      isAllowed = true
      ready()
    },
    outbox: {
      ...slow,
      open(session) {
        ready = () => session.ready()
        return slow.open(session)
      },
    },
  }
}

/** The files below a folder that this process has open, deleted ones included. Only Linux tells; elsewhere there are none. */
function openFilesIn(directory: string): string[] {
  if (!existsSync('/proc/self/fd')) return []
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const file = readlinkSync(`/proc/self/fd/${fd}`)
      return file.startsWith(directory) ? [file] : []
    } catch {
      // It was closed meanwhile: the one that lists them is among them.
      return []
    }
  })
}

/** Lets the store of a receipt refuse to remove calls. */
function breakStoreOf(receipt: unknown): void {
  const store: unknown = typeof receipt === 'object' && receipt !== null && Reflect.get(receipt, 'store')
  if (typeof store !== 'object' || store === null) throw new Error('this is no receipt of a store')
  Reflect.set(store, 'remove', () => Promise.reject(new Error('the disk fails')))
}

describe('an outbox', () => {
  it('delivers as without one, and leaves nothing behind', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    const { tracking, trackMany } = await delivering(segment, {
      delivery: { outbox: fileOutbox({ directory }) },
    })
    await trackMany(100)
    await tracking.flush()
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(100)))
    expect(await tracking.shutdown()).toMatchObject({ delivered: 100, pending: 0, kept: 0, timedOut: false })
    expect(readdirSync(directory)).toEqual([])
  })

  it('keeps what Segment does not take at the shutdown, and sends it at the next start, oldest first', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    await segment.stop()
    const delivery = () => ({ outbox: fileOutbox({ directory }) })
    const first = await delivering(segment, { delivery: delivery() })
    const before = Date.now()
    await first.trackMany(100)
    await vi.waitUntil(() => first.tracking.health().state === 'retrying')
    const report = await first.tracking.shutdown()
    expect(report).toMatchObject({ delivered: 0, failed: 0, pending: 0, kept: 100, timedOut: false })
    expect(report.durationMs).toBeLessThan(2_000)
    expect(first.tracking.stats().calls).toMatchObject({ made: 100, pending: 100 })
    const after = Date.now()

    const [store = ''] = readdirSync(directory)
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    for (const file of readdirSync(join(directory, store))) {
      expect(statSync(join(directory, store, file)).mode & 0o777, file).toBe(0o600)
    }

    await segment.start()
    const second = await delivering(segment, { delivery: delivery() })
    await segment.waitFor(100)
    await second.tracking.flush()
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(100)))
    expect(segment.duplicates).toEqual([])
    for (const call of segment.calls) {
      expect(Date.parse(call.timestamp ?? '')).toBeGreaterThanOrEqual(before)
      expect(Date.parse(call.timestamp ?? '')).toBeLessThanOrEqual(after)
    }
    expect(await second.tracking.shutdown()).toMatchObject({ delivered: 100, kept: 0 })
    expect(readdirSync(directory)).toEqual([])
    expectBalance(second.tracking)
  })

  it('goes on from the disk when memory holds no more, in order', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const { tracking, trackMany } = await delivering(segment, {
      delivery: { maxPending: 50, outbox: fileOutbox({ directory: temporary() }) },
    })
    for (let load = 0; load < 5; load++) await trackMany(200, (index) => ({ index: load * 200 + index }))
    expect(tracking.stats().calls).toMatchObject({ made: 1_000, pending: 1_000 })
    expect(tracking.health().pending).toBe(1_000)
    await segment.start()
    await tracking.flush({ timeout: 15_000 })
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(1_000)))
    expect(tracking.stats().calls).toMatchObject({ delivered: 1_000, pending: 0 })
    expect(segment.duplicates).toEqual([])
  })

  it('loses track of nothing that is being written while it reads', async () => {
    const segment = await segmentServer()
    const { lines, logger } = keptLog()
    const outbox = fileOutbox({ directory: temporary(), commitInterval: 0 })
    let written: Promise<void> = Promise.resolve()
    let trackMore: (() => Promise<void>) | undefined
    const { tracking, trackMany } = await delivering(segment, {
      delivery: {
        maxPending: 5,
        outbox: changed(outbox, ({ write, take }) => {
          let begun = () => {}
          return {
            async write(calls, room) {
              begun()
              await written
              return write(calls, room)
            },
            async take(most, options) {
              const calls = await take(most, options)
              if (!trackMore) return calls
              const writing = new Promise<void>((resolve) => {
                begun = resolve
              })
              let release = () => {}
              written = new Promise((resolve) => {
                release = resolve
              })
              await trackMore()
              trackMore = undefined
              await writing
              // What was taken is known before any more is written.
              setImmediate(release)
              return calls
            },
          }
        }),
      },
      logger,
    })
    trackMore = () => trackMany(10, (index) => ({ index: 20 + index }))
    await trackMany(20)
    await segment.waitFor(30)
    await tracking.flush()
    expect(lines.filter(({ message }) => message.includes('cannot be read'))).toEqual([])
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(30)))
    expect(tracking.stats().calls).toMatchObject({ made: 30, delivered: 30, pending: 0 })
  })

  it('gives the oldest up as `overflow` when the disk holds no more', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const disk = counting(fileOutbox({ directory: temporary(), maxBytes: 100_000, commitInterval: 0 }))
    const { tracking, trackMany } = await delivering(segment, {
      // What is on its way to Segment cannot go: a batch that grows would be all that fits.
      settings: { flushAt: 15 },
      delivery: { outbox: disk.outbox },
    })
    for (let load = 0; load < 20; load++) {
      await trackMany(20, (index) => ({ index: load * 20 + index, text: 'x'.repeat(800) }))
      // A group that is just being written can make no room.
      await vi.waitUntil(() => disk.written() === 20 * (load + 1))
    }
    const { made, pending, failed } = tracking.stats().calls
    expect(made).toBe(400)
    expect(failed.overflow).toBeGreaterThan(250)
    expect(pending).toBe(400 - failed.overflow)
    await segment.start()
    await tracking.flush({ timeout: 10_000 })
    expect(arrived(segment)).toContain(399)
    expect(arrived(segment)).not.toContain(100)
  })

  it('bounds what waits for a disk that hangs, and goes on when it answers', async () => {
    const segment = await segmentServer()
    const outbox = fileOutbox({ directory: temporary(), maxBytes: 1_000_000_000 })
    let goOn = () => {}
    const answers = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const hanging = changed(outbox, ({ write }) => ({
      async write(calls, room) {
        await answers
        return write(calls, room)
      },
    }))
    const { tracking, trackMany } = await delivering(segment, {
      delivery: { maxBytes: 100_000, outbox: hanging },
    })
    for (let load = 0; load < 4; load++) await trackMany(50, () => ({ text: 'x'.repeat(1_000) }))
    const { pending, failed } = tracking.stats().calls
    expect(failed.overflow).toBeGreaterThan(100)
    expect(pending).toBe(200 - failed.overflow)
    goOn()
    await tracking.flush({ timeout: 10_000 })
    expect(tracking.stats().calls).toMatchObject({ delivered: pending, pending: 0 })
  })

  it('takes no call that is larger than Segment takes', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    const { tracking, trackMany } = await delivering(segment, {
      delivery: { outbox: fileOutbox({ directory }) },
    })
    // The data alone fits; with the rest of the call it does not.
    await trackMany(1, () => ({ text: 'x'.repeat(32 * 1024 - 100) }))
    expect(tracking.stats().calls).toMatchObject({ made: 1, pending: 0, failed: { 'too-large': 1 } })
    await tracking.shutdown()
    expect(segment.rejected).toEqual([])
    expect(readdirSync(directory)).toEqual([])
  })

  it('keeps poisoned and expired calls aside', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    const poison = new Set<string>()
    segment.respondWith(({ index, messageIds }) => {
      if (index === 0) poison.add(messageIds[3] ?? '')
      return messageIds.some((id) => poison.has(id)) ? { status: 400 } : undefined
    })
    const { tracking, trackMany } = await delivering(segment, {
      delivery: { outbox: fileOutbox({ directory }) },
    })
    await trackMany(15)
    await tracking.flush()
    await tracking.shutdown()
    expect(tracking.stats().calls).toMatchObject({ delivered: 14, failed: { rejected: 1 } })
    const lines = readFileSync(join(directory, 'aside.jsonl'), 'utf8').trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        reason: 'rejected',
        detail: '[400] Bad Request',
        messageId: [...poison][0],
        params: expect.objectContaining({ event: 'order complete', properties: { index: 3 } }),
      }),
    ])
    expect(statSync(join(directory, 'aside.jsonl')).mode & 0o777).toBe(0o600)
  })

  it('sets aside what has become too old on disk, and does not send it', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    const delivery = () => ({ maxAge: 1_000, outbox: fileOutbox({ directory }) })
    await segment.stop()
    const first = await delivering(segment, { delivery: delivery() })
    await first.trackMany(5)
    await first.tracking.flush({ timeout: 100 })
    expect(await first.tracking.shutdown()).toMatchObject({ kept: 5 })
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await segment.start()
    const second = await delivering(segment, { delivery: delivery() })
    await vi.waitUntil(() => second.tracking.stats().calls.failed.expired === 5)
    await second.tracking.shutdown()
    expect(segment.calls).toEqual([])
    expect(readdirSync(directory)).toEqual(['aside.jsonl'])
    expect(readFileSync(join(directory, 'aside.jsonl'), 'utf8').match(/"reason":"expired"/g)).toHaveLength(5)
  })

  it('in a place that is no directory says so, and goes on in memory', async () => {
    const segment = await segmentServer()
    const { lines, logger } = keptLog()
    const outbox = fileOutbox({ directory: join(import.meta.filename, 'outbox') })
    const { tracking, trackMany } = await delivering(segment, { logger, delivery: { outbox } })
    await trackMany(20)
    await tracking.flush()
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(20)))
    expect(tracking.health()).toMatchObject({
      lastError: expect.stringContaining('outbox could not be opened'),
    })
    expect(lines.filter(({ message }) => message.includes('outbox'))).toHaveLength(1)
    expect(await tracking.shutdown()).toMatchObject({ delivered: 20, kept: 0 })
  })

  it('whose directory has vanished keeps nothing, and the report says so', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    await segment.stop()
    const { lines, logger } = keptLog()
    const { tracking, trackMany } = await delivering(segment, {
      logger,
      delivery: { maxPending: 50, outbox: fileOutbox({ directory }) },
    })
    await trackMany(80)
    // A store that is only opened then would make its directory anew.
    await expect.poll(() => existsSync(directory)).toBe(true)
    await tracking.flush({ timeout: 500 })
    rmSync(directory, { recursive: true })
    expect(await tracking.shutdown({ timeout: 1_000 })).toMatchObject({
      kept: 0,
      pending: 80,
      timedOut: true,
    })
    expect(tracking.stats().calls).toMatchObject({ made: 80, pending: 0, failed: { closed: 80 } })
    expect(tracking.health()).toMatchObject({
      pending: 0,
      lastError: expect.stringContaining('directory has vanished'),
    })
    expect(lines.filter(({ message }) => message.includes('the outbox cannot be used'))).toHaveLength(1)
    expect(openFilesIn(directory)).toEqual([])
  })

  it('with a damaged table sends the rest, and keeps what cannot be read', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    await leave(9_000, segment, directory, (index) => ({ index, text: `${index} `.repeat(180) }))
    const [name = ''] = readdirSync(directory)
    // The engine moves calls to tables, which nothing replays at the next start, when it likes: now.
    const store = new ClassicLevel(join(directory, name))
    await store.compactRange('0', '9')
    await store.close()
    const sizeOf = (file: string) => statSync(join(directory, name, file)).size
    const tables = readdirSync(join(directory, name)).filter((file) => file.endsWith('.ldb'))
    const [table = ''] = tables.sort((one, other) => sizeOf(other) - sizeOf(one))
    truncateSync(join(directory, name, table), sizeOf(table) >> 1)

    const { lines, logger } = keptLog()
    const next = await delivering(segment, {
      logger,
      settings: { flushAt: 200 },
      delivery: { outbox: fileOutbox({ directory }) },
    })
    await vi.waitUntil(() => lines.some(({ context }) => JSON.stringify(context).includes('*.broken')), {
      timeout: 15_000,
    })
    expect(segment.calls.length).toBeGreaterThan(2_000)
    expect(next.tracking.health().lastError).toContain('*.broken')
    expectBalance(next.tracking)
    expect(await next.tracking.shutdown()).toMatchObject({ delivered: segment.calls.length, kept: 0 })
    expect(readdirSync(directory)).toEqual([`${name}.broken`])
  })

  it('passes over a call that cannot be read, and sends all behind it', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    await leave(300, segment, directory)
    const [name = ''] = readdirSync(directory)
    const store = new ClassicLevel(join(directory, name))
    const [, key = ''] = await store.keys({ limit: 2 }).all()
    await store.put(key, 'nonsense')
    await store.close()
    const next = await delivering(segment, { delivery: { outbox: fileOutbox({ directory }) } })
    await segment.waitFor(299)
    expect(await next.tracking.shutdown()).toMatchObject({ delivered: 299, kept: 0 })
    expect(next.tracking.stats().calls).toMatchObject({ made: 300, failed: { damaged: 1 } })
    // What is no record of this version may be one of a newer one.
    expect(readdirSync(directory)).toEqual([name])
  })

  it('that is full makes room by its own calls, not by those of an earlier process', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    await leave(150, segment, directory)
    await segment.stop()
    const disk = counting(fileOutbox({ directory, maxBytes: 50_000, commitInterval: 0 }))
    const { tracking, trackMany } = await delivering(segment, { delivery: { outbox: disk.outbox } })
    await vi.waitUntil(() => tracking.stats().calls.made === 150)
    for (let load = 0; load < 10; load++) {
      await trackMany(20, (index) => ({ index: 1_000 + index, text: 'x'.repeat(800) }))
      await vi.waitUntil(() => disk.written() === 20 * (load + 1))
    }
    expect(tracking.stats().calls.failed.overflow).toBeGreaterThan(100)
    await segment.start()
    await tracking.flush({ timeout: 10_000 })
    await tracking.shutdown()
    expect(arrived(segment)).toEqual(expect.arrayContaining(upTo(150)))
    expectBalance(tracking)
  })

  it('writes before it has looked for what others left, and knows then how old the oldest call is', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    await leave(5, segment, directory)
    const leftAt = Date.now()
    await new Promise((resolve) => setTimeout(resolve, 100))
    await segment.stop()
    const slow = slowToAdopt(fileOutbox({ directory }))
    const { tracking, trackMany } = await delivering(segment, { delivery: { outbox: slow.outbox } })
    await trackMany(3)
    await vi.waitUntil(() => slow.written() === 3)
    slow.goOn()
    await vi.waitUntil(() => tracking.stats().calls.made === 8)
    const ageMs = Date.now() - leftAt
    expect(tracking.health().oldestPendingMs).toBeGreaterThanOrEqual(ageMs)
  })

  it('takes calls of ended processes off the disk although that fails with its own', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    await leave(5, segment, directory)
    const [left = ''] = readdirSync(directory)
    const slow = slowToAdopt(fileOutbox({ directory, commitInterval: 500 }))
    const outbox = changed(slow.outbox, ({ settle }) => {
      const failing = new Set<unknown>()
      return {
        async settle(receipts) {
          for (const receipt of receipts) {
            // The first three are its own.
            if (failing.size < 3) failing.add(receipt)
          }
          for (const receipt of failing) breakStoreOf(receipt)
          await settle(receipts)
        },
      }
    })
    const { tracking, trackMany } = await delivering(segment, { delivery: { outbox } })
    await trackMany(3)
    await segment.waitFor(3)
    slow.goOn()
    await vi.waitUntil(() => tracking.stats().calls.delivered === 8)
    expect(await tracking.shutdown()).toMatchObject({ delivered: 8, kept: 0 })
    expect(readdirSync(directory)).not.toContain(left)
    expect(tracking.health().lastError).toContain('may be sent again')
  })

  it('leaves alone what an ended process left while it cannot be opened, and takes it when it can', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    await leave(20, segment, directory)
    const [name = ''] = readdirSync(directory)
    // The engine then fails as it does where a disk is full: the files cannot be used, and nothing is wrong with them.
    const lock = join(directory, name, 'LOCK')
    rmSync(lock)
    mkdirSync(lock)
    const { lines, logger } = keptLog()
    const second = await delivering(segment, { logger, delivery: { outbox: fileOutbox({ directory }) } })
    await vi.waitUntil(() => lines.some(({ message }) => message.includes('cannot be opened at the moment')))
    await second.tracking.shutdown()
    expect(readdirSync(directory)).toEqual([name])

    rmSync(lock, { recursive: true })
    const third = await delivering(segment, { delivery: { outbox: fileOutbox({ directory }) } })
    await segment.waitFor(20)
    await third.tracking.shutdown()
    expect(readdirSync(directory)).toEqual([])
  })

  it('at a shutdown finishes what it has read of an earlier process', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    await leave(50, segment, directory)
    segment.respondWith({ delay: 100 })
    const next = await delivering(segment, { delivery: { outbox: fileOutbox({ directory }) } })
    await vi.waitUntil(() => next.tracking.stats().calls.made === 50)
    expect(await next.tracking.shutdown()).toMatchObject({ delivered: 50, kept: 0, timedOut: false })
    expect(readdirSync(directory)).toEqual([])
  })

  it('at a shutdown leaves to the next process what it has not read of an earlier one', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    await leave(2_000, segment, directory)
    segment.respondWith({ delay: 100 })
    const second = await delivering(segment, { delivery: { outbox: fileOutbox({ directory }) } })
    await vi.waitUntil(() => second.tracking.stats().calls.made > 0)
    await second.trackMany(5, (index) => ({ index: 2_000 + index }))
    expect(await second.tracking.shutdown()).toMatchObject({ kept: 0, timedOut: false })
    expect(second.tracking.stats().calls).toMatchObject({ pending: 0 })
    expect(arrived(segment)).toEqual(expect.arrayContaining(upTo(5).map((index) => 2_000 + index)))
    expect(segment.calls.length).toBeLessThan(2_000)

    segment.respondWith('ok')
    const third = await delivering(segment, { delivery: { outbox: fileOutbox({ directory }) } })
    await segment.waitFor(2_005, 15_000)
    await third.tracking.shutdown()
    expect(segment.duplicates).toEqual([])
    expect(readdirSync(directory)).toEqual([])
  })

  it('is shared by two trackings: each call is sent by one of them', async () => {
    const segment = await segmentServer()
    const directory = temporary()
    const one = await delivering(segment, { delivery: { outbox: fileOutbox({ directory }) } })
    const other = await delivering(segment, { delivery: { outbox: fileOutbox({ directory }) } })
    await Promise.all([one.trackMany(100), other.trackMany(100)])
    await Promise.all([one.tracking.flush(), other.tracking.flush()])
    expect(segment.calls).toHaveLength(200)
    expect(segment.duplicates).toEqual([])
  })
})
