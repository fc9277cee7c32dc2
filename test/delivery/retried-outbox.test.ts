import { describe, expect, it, vi } from 'vitest'
import type { OpenOutbox, Outbox } from '../../src/index.js'
import { checkOutbox } from '../../src/testing/index.js'
import { changed } from '../support/outboxes.js'
import { segmentServer } from '../support/servers.js'
import { emptyTable, tableOutbox } from '../support/table-outbox.js'
import { arrived, delivering, expectBalance, keptLog, upTo } from './delivering.js'

const METHODS = ['write', 'take', 'settle'] as const

/** An outbox that says `isRetried`, some methods of which reject while its engine is away. */
function awayable(methods: readonly (keyof OpenOutbox)[] = METHODS) {
  const table = emptyTable()
  let isAway = false
  let failures = 0
  const failing = () => {
    failures++
    throw new Error('connect ECONNREFUSED')
  }
  const make = (): Outbox => ({
    ...changed(
      tableOutbox(table),
      (kept) => {
        const { write, take, settle, setAside } = kept
        const when = (name: keyof OpenOutbox) => isAway && methods.includes(name)
        return {
          write: async (calls, room) => (when('write') ? failing() : write(calls, room)),
          // One that throws rather than rejects.
          take: (most) => (when('take') ? failing() : take(most)),
          settle: async (receipts) => (when('settle') ? failing() : settle(receipts)),
          setAside: async (...given) => (when('setAside') ? failing() : setAside(...given)),
        }
      },
      async () => {
        if (isAway) failing()
      },
    ),
    isRetried: true,
  })
  return {
    table,
    make,
    leave() {
      isAway = true
    },
    comeBack() {
      isAway = false
    },
    get failures() {
      return failures
    },
  }
}

describe('an outbox that says isRetried', () => {
  it('is waited for while its engine is away: nothing is lost or sent twice, and that is said once', async () => {
    const segment = await segmentServer()
    const engine = awayable()
    const { lines, logger } = keptLog()
    const { tracking, trackMany } = await delivering(segment, {
      logger,
      delivery: { outbox: engine.make() },
    })
    await trackMany(10)
    await tracking.flush()
    engine.leave()
    await trackMany(20, (index) => ({ index: 10 + index }))
    await segment.waitFor(30)
    expect(tracking.health().lastError).toContain('ECONNREFUSED')
    expect(lines.filter(({ message }) => message.includes('the outbox does not answer'))).toHaveLength(1)
    const { failures } = engine
    expect(failures).toBeGreaterThan(0)
    engine.comeBack()
    await trackMany(10, (index) => ({ index: 30 + index }))
    await segment.waitFor(40)
    await tracking.flush()
    await vi.waitUntil(() => engine.table.rows.length === 0)
    expect(arrived(segment).sort((one, other) => Number(one) - Number(other))).toEqual(upTo(40))
    expect(segment.duplicates).toEqual([])
    expect(await tracking.shutdown()).toMatchObject({ pending: 0, timedOut: false })
    expectBalance(tracking)
  })

  it('is opened later where its engine is away at the start, and stores what waits then', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const engine = awayable()
    engine.leave()
    const { tracking, trackMany } = await delivering(segment, { delivery: { outbox: engine.make() } })
    await trackMany(5)
    await vi.waitUntil(() => tracking.health().lastError?.includes('ECONNREFUSED') === true)
    engine.comeBack()
    await vi.waitUntil(() => engine.table.sessions.size === 1)
    await trackMany(5, (index) => ({ index: 5 + index }))
    await vi.waitUntil(() => engine.table.rows.length >= 5)
    await segment.start()
    await segment.waitFor(10)
    await tracking.flush()
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(10)))
    expect(await tracking.shutdown()).toMatchObject({ pending: 0 })
    expectBalance(tracking)
  })

  it('stores only what still has to be stored when its engine is back', async () => {
    const segment = await segmentServer()
    const engine = awayable(['write'])
    const { tracking, trackMany } = await delivering(segment, { delivery: { outbox: engine.make() } })
    await trackMany(1)
    await tracking.flush()
    engine.leave()
    await trackMany(10, (index) => ({ index: 1 + index }))
    await segment.waitFor(11)
    await vi.waitUntil(() => tracking.stats().calls.delivered === 11)
    const written = engine.table.next
    engine.comeBack()
    await trackMany(1, () => ({ index: 11 }))
    await segment.waitFor(12)
    await tracking.flush()
    expect(engine.table.next - written).toBeLessThanOrEqual(1)
    expect(segment.duplicates).toEqual([])
    await tracking.shutdown()
  })

  it('holds no shutdown up while its engine is away', async () => {
    const segment = await segmentServer()
    const engine = awayable()
    const { tracking, trackMany } = await delivering(segment, { delivery: { outbox: engine.make() } })
    await trackMany(5)
    engine.leave()
    await trackMany(5, (index) => ({ index: 5 + index }))
    const { durationMs, pending } = await tracking.shutdown()
    expect(durationMs).toBeLessThan(3_000)
    expect(pending).toBe(0)
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(10)))
    expectBalance(tracking)
  })

  it('is tried no more after a shutdown', async () => {
    const segment = await segmentServer()
    const engine = awayable()
    engine.leave()
    const { tracking, trackMany } = await delivering(segment, { delivery: { outbox: engine.make() } })
    await trackMany(5)
    await vi.waitUntil(() => engine.failures > 0)
    expect(await tracking.shutdown()).toMatchObject({ delivered: 5, pending: 0 })
    engine.comeBack()
    // Longer than the pause that it has come to by now.
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    expect(engine.table.sessions.size).toBe(0)
  })

  it('is asked once to set a call aside: what it cannot keep must not pile up', async () => {
    const segment = await segmentServer()
    const engine = awayable(['setAside'])
    const { lines, logger } = keptLog()
    const { tracking, trackMany } = await delivering(segment, {
      logger,
      delivery: { outbox: engine.make() },
    })
    engine.leave()
    segment.respondWith({ status: 400 })
    await trackMany(1)
    await vi.waitUntil(() => tracking.stats().calls.failed.rejected === 1)
    await tracking.flush()
    expect(engine.failures).toBe(1)
    expect(lines.filter(({ message }) => message.includes('could not be set aside'))).toHaveLength(1)
    await tracking.shutdown()
  })

  it('keeps the contract through a fault', async () => {
    const engine = awayable()
    const options = { takeoverMs: 2_000, settleMs: 30, answerMs: 5_000 }
    const fault = { begin: () => engine.leave(), end: () => engine.comeBack() }
    const { kept } = await checkOutbox(engine.make, { ...options, fault })
    expect(kept).toContain('takes no failure for a success, and goes on after it')
    expect(engine.failures).toBeGreaterThan(0)
  })
})
