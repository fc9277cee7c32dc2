import { readdirSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { fileOutbox, type Outbox } from '../../src/delivery/outbox/file.js'
import type { Tracking } from '../../src/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { expectBalance } from '../support/books.js'
import { segmentServer, trackingTo } from '../support/servers.js'
import { temporaryDirectory } from './delivering.js'

interface Delivery {
  directory: string
  maxPending?: number
  reading?: HeldReading
}

function outboxIn({ directory, reading }: Delivery): Outbox {
  const outbox = fileOutbox({ directory, commitInterval: 0 })
  return {
    ...outbox,
    async open(session) {
      const opened = await outbox.open(session)
      const take = opened.take.bind(opened)
      const write = opened.write.bind(opened)
      opened.take = async (...how) => {
        await reading?.until
        return take(...how)
      }
      opened.write = async (calls, room) => {
        const taken = await write(calls, room)
        if (reading) reading.written += calls.length
        return taken
      }
      return opened
    },
  }
}

function delivering(segment: SegmentServer, given: Delivery): Tracking {
  const { maxPending } = given
  return trackingTo(segment, {
    logger: { handler: () => {} },
    settings: { flushAt: 1 },
    delivery: { outbox: outboxIn(given), ...(maxPending !== undefined && { maxPending }) },
  })
}

/** Tracks one event after the other, each in a run of its own, and resolves when their calls are made. */
async function track(tracking: Tracking, keys: readonly (string | undefined)[]): Promise<void> {
  for (const key of keys) {
    tracking.run({ user: { id: 'u-1' } }, (tracker) => tracker.track('order complete', {}, { key }))
    await vi.waitUntil(() => tracking.stats().events.open === 0, { interval: 1 })
  }
}

/** How many calls Segment has taken in all, repetitions included. */
function taken(segment: SegmentServer): number {
  return segment.batches.reduce((all, batch) => all + (batch.taken ? batch.calls.length : 0), 0)
}

async function arriveOnce(segment: SegmentServer, tracking: Tracking, count: number): Promise<void> {
  await segment.start()
  await segment.waitFor(count, 30_000)
  await tracking.flush({ timeout: 20_000 })
  expect(segment.received).toBe(count)
  expect(segment.duplicates).toEqual([])
  expect(taken(segment)).toBe(count)
  expect(tracking.stats().calls.pending).toBe(0)
  expectBalance(tracking.stats())
}

/** Nothing is read back until it is let. */
interface HeldReading {
  readonly until: Promise<void>
  readonly readBack: () => void
  written: number
}

function heldReading(): HeldReading {
  let readBack = () => {}
  const until = new Promise<void>((resolve) => {
    readBack = resolve
  })
  return { until, readBack: () => readBack(), written: 0 }
}

async function segmentAway(): Promise<SegmentServer> {
  const segment = await segmentServer()
  await segment.stop()
  return segment
}

describe('a second event of a key', () => {
  it('is counted while the first is in the outbox, and goes once', async () => {
    const segment = await segmentAway()
    const tracking = delivering(segment, { directory: temporaryDirectory() })
    await track(tracking, ['A-1', 'A-2', 'A-1', 'A-1'])
    expect(tracking.stats().calls).toMatchObject({ made: 2, pending: 2, deduplicated: 2 })
    await arriveOnce(segment, tracking, 2)
  })

  it('is counted while only the outbox holds the first', async () => {
    const segment = await segmentAway()
    const tracking = delivering(segment, { directory: temporaryDirectory(), maxPending: 2 })
    await track(tracking, [undefined, undefined, 'A-1', 'A-2', 'A-1', 'A-2', 'A-3'])
    expect(tracking.stats().calls).toMatchObject({ made: 5, pending: 5, deduplicated: 2 })
    await arriveOnce(segment, tracking, 5)
    await track(tracking, ['A-1'])
    await tracking.flush()
    expect(segment.duplicates).toMatchObject([{ count: 1 }])
    expect(tracking.stats().calls).toMatchObject({ made: 6, delivered: 6, deduplicated: 2 })
  })

  it('is found when it is read back, beyond those that memory knows', async () => {
    const segment = await segmentAway()
    const reading = heldReading()
    const tracking = delivering(segment, { directory: temporaryDirectory(), maxPending: 1, reading })
    const many = Array.from({ length: 30 }, (_, index) => `A-${index}`)
    await track(tracking, [undefined, ...many, ...many])
    const { made, deduplicated } = tracking.stats().calls
    // Ten for each call that memory may hold.
    expect({ made, deduplicated }).toEqual({ made: 51, deduplicated: 10 })
    await vi.waitUntil(() => reading.written === 51)
    reading.readBack()
    await arriveOnce(segment, tracking, 31)
    expect(tracking.stats().calls).toMatchObject({ delivered: 31, deduplicated: 10, relayed: 20 })
  })

  it.each([
    ['has been read', true],
    ['is still to be read', false],
  ])('is counted after a restart, where the first %s', async (_when, isRead) => {
    const segment = await segmentAway()
    const directory = temporaryDirectory()
    const before = delivering(segment, { directory })
    await track(before, ['A-1', 'A-2'])
    expect(await before.shutdown()).toMatchObject({ kept: 2 })

    const after = delivering(segment, { directory })
    if (isRead) await vi.waitUntil(() => after.stats().calls.pending === 2)
    await track(after, ['A-1', 'A-3'])
    await vi.waitUntil(() => after.stats().calls.deduplicated === 1)
    await vi.waitUntil(() => after.stats().calls.pending === 3)
    expect(after.stats().calls).toMatchObject({ made: 3, deduplicated: 1 })
    await arriveOnce(segment, after, 3)
    expect(await after.shutdown()).toMatchObject({ kept: 0 })
    expect(readdirSync(directory)).toEqual([])
  })
})
