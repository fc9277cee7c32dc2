import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { segmentServer } from '../support/servers.js'
import { arrived, delivering, expectBalance, keptLog, upTo } from './delivering.js'

describe('calls that wait', () => {
  it('wait out an outage, whatever maxRetries says, and keep messageId, timestamp and order', async () => {
    const segment = await segmentServer()
    const failed = vi.fn()
    const { tracking, trackMany } = await delivering(segment, { settings: { maxRetries: 0 }, on: { failed } })
    await segment.stop()
    await trackMany(100)
    const made = Date.now()
    await vi.waitUntil(() => tracking.health().state === 'retrying')
    expect(tracking.stats().calls).toMatchObject({ made: 100, delivered: 0, pending: 100 })
    expect(tracking.health()).toMatchObject({
      pending: 100,
      lastError: expect.stringContaining('ECONNREFUSED'),
    })
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    await segment.start()
    await tracking.flush({ timeout: 10_000 })

    expect(new Set(arrived(segment))).toEqual(new Set(upTo(100)))
    expect(segment.duplicates).toEqual([])
    for (const { calls } of segment.batches) {
      const numbers = calls.map((call) => (call.type === 'track' ? Number(call.properties?.index) : -1))
      expect(numbers).toEqual([...numbers].sort((one, other) => one - other))
    }
    for (const [index, call] of segment.calls.entries()) {
      expect(Date.parse(call.timestamp ?? ''), `call ${index}`).toBeLessThanOrEqual(made)
    }
    // The time of the request that arrived, which the outage has kept away for longer, and not of the first one.
    for (const { sentAt } of segment.batches) expect(Date.parse(sentAt ?? '')).toBeGreaterThan(made + 1_000)
    expect(tracking.health()).toMatchObject({ state: 'ok', pending: 0, oldestPendingMs: 0 })
    expect(failed).not.toHaveBeenCalled()
  })

  it('are bounded in number: the newest are refused as `overflow`, in one line of the log', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const { lines, logger } = keptLog()
    const failed = vi.fn<(failed: { reason: string }) => void>()
    const { tracking, trackMany } = await delivering(segment, {
      delivery: { maxPending: 50 },
      logger,
      on: { failed },
    })
    await trackMany(80)
    expect(tracking.stats().calls).toMatchObject({ made: 80, pending: 50, failed: { overflow: 30 } })
    expect(failed).toHaveBeenCalledTimes(30)
    expect(failed.mock.calls[0]?.[0].reason).toBe('overflow')
    expect(lines.filter(({ message }) => message.includes('not delivered'))).toHaveLength(1)
    await segment.start()
    await tracking.flush({ timeout: 10_000 })
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(50)))
  })

  it('are bounded in bytes', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const { tracking, trackMany } = await delivering(segment, { delivery: { maxBytes: 100_000 } })
    await trackMany(30, () => ({ text: 'ü'.repeat(5_000) }))
    const { pending, failed } = tracking.stats().calls
    expect(pending).toBe(9)
    expect(failed.overflow).toBe(21)
    expectBalance(tracking)
  })

  it('are given up as `expired` when they have waited too long, wherever they are', async () => {
    const segment = await segmentServer()
    segment.respondWith({ status: 503 })
    const { tracking, trackMany } = await delivering(segment, { delivery: { maxAge: 400 } })
    await trackMany(100)
    await tracking.flush({ timeout: 5_000 })
    expect(tracking.stats().calls).toMatchObject({ pending: 0, failed: { expired: 100 } })
  })

  it('are made smaller than Segment refuses: a call of more than 32 KB fails as `too-large`', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment)
    await trackMany(3, (index) => ({ text: 'x'.repeat([32_000, 32_300, 32_700][index] ?? 0) }))
    await tracking.flush()
    const { delivered, failed } = tracking.stats().calls
    expect(segment.rejected).toEqual([])
    expect(delivered).toBe(segment.calls.length)
    expect(failed['too-large']).toBe(3 - delivered)
    expect(failed['too-large']).toBeGreaterThan(0)
  })

  it('go within the interval when they fill no batch, and at once when they do', async () => {
    const segment = await segmentServer()
    const { trackMany } = await delivering(segment, { settings: { flushAt: 10, flushInterval: 4_000 } })
    const start = performance.now()
    await trackMany(12)
    await segment.waitFor(10)
    expect(performance.now() - start).toBeLessThan(3_500)
    await segment.waitFor(12)
    expect(performance.now() - start).toBeGreaterThanOrEqual(3_990)
    expect(segment.batches.map(({ calls }) => calls.length)).toEqual([10, 2])
  })

  it('are waited for by any number of callers, each of which costs the same', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const { tracking, trackMany } = await delivering(segment)
    await trackMany(5)
    const cpuOf = async (count: number) => {
      const before = process.cpuUsage()
      await Promise.all(Array.from({ length: count }, () => tracking.flush({ timeout: 500 })))
      const { user, system } = process.cpuUsage(before)
      return (user + system) / count
    }
    await cpuOf(1_000)
    const few = await cpuOf(4_000)
    expect(await cpuOf(40_000)).toBeLessThan(2 * few)
  })

  it('balance at every moment, whatever Segment answers', async () => {
    const faults = fc.constantFrom(
      'ok' as const,
      { status: 503 },
      { status: 400 },
      { status: 413 },
      { status: 301 },
      { reset: true } as const,
      { reset: true, record: true } as const,
      { half: true } as const,
      { status: 429, retryAfter: 0 },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(faults, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 20, max: 200 }),
        async (script, loads, flushAt, maxPending) => {
          const segment = await segmentServer()
          segment.respondWith(script)
          const check = () => expectBalance(tracking)
          const { tracking, trackMany } = await delivering(segment, {
            settings: { flushAt, flushInterval: 5 },
            delivery: { maxPending },
            on: {
              delivered: check,
              failed: check,
              error: (error) => {
                throw error
              },
            },
          })
          for (const load of loads) await trackMany(load)
          check()
          expect(tracking.stats().calls.pending).toBeLessThanOrEqual(maxPending)
          await tracking.flush({ timeout: 15_000 })
          const { made, pending, delivered, failed } = tracking.stats().calls
          expect(pending).toBe(0)
          expect(made).toBe(loads.reduce((all, load) => all + load, 0))
          expect(delivered + failed.rejected + failed.overflow).toBe(made)
          expect(segment.calls.length).toBeGreaterThanOrEqual(delivered)
          await segment.close()
        },
      ),
      { numRuns: 15 },
    )
  }, 120_000)
})
