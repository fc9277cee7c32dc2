import { readdirSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { fileOutbox, type Outbox } from '../../src/delivery/outbox/file.js'
import { changed } from '../support/outboxes.js'
import { segmentServer } from '../support/servers.js'
import { arrived, delivering, expectBalance, keptLog, temporaryDirectory, upTo } from './delivering.js'

type Operation = 'open' | 'write' | 'take' | 'settle'

/** An outbox one of whose operations hangs from some time on, until it is let go on. */
function hanging(outbox: Outbox, operation: Operation) {
  let release = () => {}
  let gate: Promise<void> = Promise.resolve()
  const hang = () => {
    gate = new Promise((resolve) => {
      release = resolve
    })
  }
  if (operation === 'open') hang()
  return {
    hang,
    goOn: () => release(),
    outbox: changed(
      outbox,
      ({ write, take, settle }) => ({
        async write(calls, room) {
          if (operation === 'write') await gate
          return write(calls, room)
        },
        async take(most, options) {
          if (operation === 'take') await gate
          return take(most, options)
        },
        async settle(receipts) {
          if (operation === 'settle') await gate
          return settle(receipts)
        },
      }),
      async () => {
        if (operation === 'open') await gate
      },
    ),
  }
}

const NAMES_IT = 'the outbox does not answer'

describe('an outbox whose disk hangs', () => {
  it.each(['open', 'write'] as const)(
    'at %s says so after two seconds, and delivers from memory',
    async (operation) => {
      const segment = await segmentServer()
      const { lines, logger } = keptLog()
      const disk = hanging(fileOutbox({ directory: temporaryDirectory() }), operation)
      const { tracking, trackMany } = await delivering(segment, { logger, delivery: { outbox: disk.outbox } })
      if (operation === 'write') {
        await trackMany(5)
        await tracking.flush()
        disk.hang()
        segment.clear()
      }
      await trackMany(20)
      await segment.waitFor(20)
      expect(tracking.health().lastError).toContain(NAMES_IT)
      expect(lines.filter(({ message }) => message.includes(NAMES_IT))).toHaveLength(1)
      await trackMany(10, (index) => ({ index: 20 + index }))
      await segment.waitFor(30)
      expect(new Set(arrived(segment))).toEqual(new Set(upTo(30)))
      await tracking.flush()
      const { durationMs } = await tracking.shutdown()
      // It has waited for the outbox once, which takes two seconds.
      expect(durationMs).toBeLessThan(2_000)
      expectBalance(tracking)
      expect(tracking.stats().calls.pending).toBe(0)
      disk.goOn()
    },
  )

  it('is used again when it answers: what waits in memory is stored, and nothing is sent twice', async () => {
    const segment = await segmentServer()
    const directory = temporaryDirectory()
    const disk = hanging(fileOutbox({ directory }), 'write')
    const { tracking, trackMany } = await delivering(segment, { delivery: { outbox: disk.outbox } })
    disk.hang()
    await trackMany(20)
    await vi.waitUntil(() => tracking.health().lastError?.includes(NAMES_IT))
    await segment.waitFor(20)
    await segment.stop()
    await trackMany(15, (index) => ({ index: 20 + index }))
    disk.goOn()
    await vi.waitUntil(() => !tracking.health().lastError?.includes(NAMES_IT))
    await trackMany(5, (index) => ({ index: 35 + index }))
    expect(await tracking.shutdown()).toMatchObject({ kept: 20, delivered: 20 })
    await segment.start()
    const next = await delivering(segment, { delivery: { outbox: fileOutbox({ directory }) } })
    await segment.waitFor(40)
    expect(await next.tracking.shutdown()).toMatchObject({ delivered: 20, kept: 0 })
    expect(next.tracking.stats().calls.failed.damaged).toBe(0)
    expect(new Set(arrived(segment))).toEqual(new Set(upTo(40)))
    expect(segment.duplicates).toEqual([])
    expect(readdirSync(directory)).toEqual([])
  })

  it.each(['take', 'settle'] as const)(
    'at %s takes calls in memory, and has every one when it answers',
    async (operation) => {
      const segment = await segmentServer()
      const directory = temporaryDirectory()
      const disk = hanging(fileOutbox({ directory }), operation)
      const { tracking, trackMany } = await delivering(segment, {
        delivery: { maxPending: 20, outbox: disk.outbox },
      })
      disk.hang()
      await segment.stop()
      for (let load = 0; load < 3; load++) await trackMany(20, (index) => ({ index: load * 20 + index }))
      await segment.start()
      await vi.waitUntil(() => tracking.health().lastError?.includes(NAMES_IT))
      disk.goOn()
      await vi.waitUntil(() => !tracking.health().lastError?.includes(NAMES_IT))
      await tracking.flush()
      expect(await tracking.shutdown()).toMatchObject({ delivered: 60, kept: 0 })
      expect(new Set(arrived(segment))).toEqual(new Set(upTo(60)))
      expectBalance(tracking)
      expect(readdirSync(directory)).toEqual([])
    },
    20_000,
  )

  it('bounds what goes on in memory', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const disk = hanging(fileOutbox({ directory: temporaryDirectory() }), 'open')
    const { tracking, trackMany } = await delivering(segment, {
      delivery: { maxPending: 50, outbox: disk.outbox },
    })
    await vi.waitUntil(() => tracking.health().lastError?.includes(NAMES_IT))
    for (let load = 0; load < 4; load++) await trackMany(40)
    expect(tracking.health().pending).toBeLessThanOrEqual(50)
    expect(tracking.health().pending).toBeGreaterThan(0)
    expectBalance(tracking)
  })

  it('from the start lets a short shutdown deliver', async () => {
    const segment = await segmentServer()
    const disk = hanging(fileOutbox({ directory: temporaryDirectory() }), 'open')
    const { tracking, trackMany } = await delivering(segment, { delivery: { outbox: disk.outbox } })
    // Loads the SDK, which would be a part of the time.
    expect(tracking.segment).toBeDefined()
    await trackMany(10)
    const report = await tracking.shutdown({ timeout: 1_500 })
    expect(report).toMatchObject({ delivered: 10, kept: 0 })
    expect(report.durationMs).toBeLessThan(2_000)
  })

  it('is none where a directory can never be made', async () => {
    const segment = await segmentServer()
    const { tracking, trackMany } = await delivering(segment, {
      delivery: { outbox: fileOutbox({ directory: '/proc/x' }) },
    })
    await trackMany(10)
    await segment.waitFor(10)
    expect(tracking.health().lastError).toContain('outbox could not be opened')
  })
})
