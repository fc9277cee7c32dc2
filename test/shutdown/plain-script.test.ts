import { describe, expect, it } from 'vitest'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import { temporaryDirectory } from '../delivery/delivering.js'
import { segmentServer, trackingTo } from '../support/servers.js'
import { startChild } from './child.js'
import type { PlainScriptOptions } from './fixtures/plain-script.js'

const LOST =
  /the process ended before everything was sent: await tracking\.flush\(\) or tracking\.shutdown\(\) before process\.exit\(\) \{ events: (\d+), calls: (\d+), kept: (\d+) \}/

/** Runs a script to its end: its exit code, and what its log says is lost. */
async function run(options: PlainScriptOptions) {
  const script = startChild('plain-script.ts', options)
  const { code } = await script.exited
  const [, events, calls, kept] = LOST.exec(script.stderr()) ?? []
  const lost =
    events === undefined ? undefined : { events: Number(events), calls: Number(calls), kept: Number(kept) }
  return { code, lost, stderr: script.stderr() }
}

const everyWay = ['on the client', 'in a run', 'for a sender'] as const

describe('a plain script that flushes and exits', () => {
  it('has delivered what it tracked, on the client, in runs and for senders', async () => {
    const segment = await segmentServer()
    segment.respondWith({ delay: 200 })
    const script = await run({ segment: segment.url, tracks: everyWay, flush: 5_000, ends: 'exit()' })
    expect(script).toEqual({ code: 0, lost: undefined, stderr: '' })
    expect(segment.calls).toHaveLength(30)
  })

  it('says what is lost while Segment is away, in the log and by its exit code', async () => {
    const segment = await segmentServer()
    await segment.stop()
    const script = await run({ segment: segment.url, tracks: everyWay, flush: 300, ends: 'exit()' })
    expect(script).toMatchObject({ code: 1, lost: { events: 0, calls: 30, kept: 0 } })
    expect(script.stderr).not.toContain('u-1')
  })

  it('has lost nothing while Segment is away, where an outbox keeps it', async () => {
    const segment = await segmentServer()
    segment.respondWith({ status: 503 })
    const directory = temporaryDirectory()
    const options = { segment: segment.url, flush: 1_000, ends: 'exit()', outbox: directory } as const
    expect(await run({ ...options, tracks: ['in a run'] })).toMatchObject({ code: 0, lost: undefined })
    segment.respondWith({})
    trackingTo(segment, { delivery: { outbox: fileOutbox({ directory }) } })
    await segment.waitFor(10)
  })
})

describe('a plain script that exits without flushing', () => {
  it('says what is lost, in the log and by its exit code', async () => {
    const segment = await segmentServer()
    const { code, lost } = await run({ segment: segment.url, tracks: everyWay, ends: 'exit()' })
    const { events = 0, calls = 0 } = lost ?? {}
    expect(code).toBe(1)
    expect(events + calls).toBeGreaterThan(0)
    expect(events + calls + segment.received).toBeGreaterThanOrEqual(30)
  })

  it.each([
    ['exit(0)', 0],
    ['exitCode 4', 4],
    ['throws', 1],
  ] as const)('keeps the exit code that the application has said: %s', async (ends, expected) => {
    const segment = await segmentServer()
    const { code, lost } = await run({ segment: segment.url, tracks: ['on the client'], ends })
    expect([code, lost !== undefined]).toEqual([expected, true])
  })
})
