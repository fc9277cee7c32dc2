import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { createSegmentServer, type FaultScript } from '../../src/testing/index.js'
import { segmentServer } from '../support/servers.js'
import { type Child, startChild } from './child.js'
import type { ScriptOptions } from './fixtures/script.js'

const DEADLINE_MS = 5_000
/** A fraction of a second, but for a busy machine. What holds a process, such as a flush interval, holds it for 10 s. */
const SOON_MS = 4_000
/** No server gets this port by chance, as it may that of one that was stopped. */
const NOBODY = 'http://127.0.0.1:1'

type Cleanup = (cleanup: () => void) => void

/** Runs a script to its end. */
async function run(options: ScriptOptions, atEnd: Cleanup = onTestFinished) {
  const script = startChild('script.ts', options, [], atEnd)
  await script.tell('done')
  return outcomeOf(script)
}

/** Waits for a script's end. It measures itself how long it took from its last work to there. */
async function outcomeOf(script: Child) {
  const { code, signal } = await script.exited
  const [[done], [exit]] = await Promise.all([script.tell('done'), script.tell('exit')])
  return { ...script, code, signal, ms: (exit?.uptimeMs ?? 0) - (done?.uptimeMs ?? 0) }
}

describe('a script that ends', () => {
  it('ends at once when it has tracked nothing', async () => {
    const segment = await segmentServer()
    const script = await run({ segment: segment.url, work: 'nothing' })
    expect(script).toMatchObject({ code: 0, signal: null })
    expect(script.ms).toBeLessThan(SOON_MS)
    expect(script.told.map(({ type }) => type)).toEqual(['done', 'exit'])
  })

  it.each(['request', 'direct'] as const)(
    'delivers what it has tracked (%s), then ends, without waiting for a batch to be full',
    async (work) => {
      const segment = await segmentServer()
      segment.respondWith({ delay: 300 })
      const script = await run({ segment: segment.url, work, settings: { flushInterval: 10_000 } })
      expect(script).toMatchObject({ code: 0, signal: null })
      expect(script.ms).toBeGreaterThan(200)
      expect(script.ms).toBeLessThan(300 + SOON_MS)
      expect(segment.calls).toHaveLength(1)
      expect(script.stderr()).toBe('')
    },
  )

  it('is not shut down while it goes on when its event has arrived', async () => {
    const segment = await segmentServer()
    const script = await run({ segment: segment.url, work: 'two steps' })
    expect(script).toMatchObject({ code: 0, signal: null })
    expect(segment.calls).toHaveLength(2)
    const [exit] = await script.tell('exit')
    expect(exit?.stats.events).toMatchObject({ tracked: 2, dispatched: 2, dropped: { closed: 0 } })
  })

  it('delivers what many trackings have, with one listener for all of them', async () => {
    const segment = await segmentServer()
    const script = await run({ segment: segment.url, work: 'many' })
    expect(script).toMatchObject({ code: 0, signal: null })
    expect(segment.calls).toHaveLength(20)
    // The fixture's own listeners are another matter: one for the exit of each tracking.
    expect(script.stderr()).not.toContain('beforeExit')
  })
})

describe('a script that ends while Segment is away', () => {
  const cleanups: (() => unknown)[] = []
  afterAll(async () => {
    for (const cleanup of cleanups) await cleanup()
  })
  /** The URL of a Segment that is away. */
  const urlThat = async (fault: FaultScript | 'gone'): Promise<string> => {
    if (fault === 'gone') return NOBODY
    const segment = await createSegmentServer()
    cleanups.push(() => segment.close())
    segment.respondWith(fault)
    return segment.url
  }
  let previous: Promise<unknown> = Promise.resolve()
  /** Scripts start one after another, since starting takes a whole core, and wait for Segment at the same time. */
  const runAgainst = (fault: FaultScript | 'gone', settings: ScriptOptions['settings']) => {
    const starting = previous.then(async () => {
      const options: ScriptOptions = { segment: await urlThat(fault), work: 'request', settings }
      const script = startChild('script.ts', options, [], (kill) => cleanups.push(kill))
      await script.tell('done')
      return script
    })
    // One that fails is told by its own test.
    previous = starting.catch(() => {})
    const running = starting.then(outcomeOf)
    running.catch(() => {})
    return running
  }
  // These wait: they run while the tests below do.
  const atOnce = { flushAt: 1 }
  const scripts = {
    'never answers': runAgainst({ hang: true }, atOnce),
    'never answers a batch that was not full': runAgainst({ hang: true }, {}),
    'answers 503': runAgainst({ status: 503 }, atOnce),
    'asks to wait for a minute': runAgainst({ status: 429, retryAfter: 60 }, atOnce),
    'refuses the write key': runAgainst({ status: 401 }, atOnce),
    'cannot be reached': runAgainst('gone', atOnce),
  }

  it.each(Object.entries(scripts))(
    'ends within the deadline, and reports what was lost: %s',
    async (_, running) => {
      const script = await running
      expect(script).toMatchObject({ code: 0, signal: null })
      expect(script.ms).toBeLessThan(DEADLINE_MS + SOON_MS)
      const reports = script.told.filter(({ type }) => type === 'shutdown')
      expect(reports).toEqual([
        { type: 'shutdown', pid: script.pid, report: expect.objectContaining({ delivered: 0, pending: 1 }) },
      ])
      expect(script.told).toContainEqual(
        expect.objectContaining({ type: 'log', level: 0, message: 'tracking was shut down with losses' }),
      )
      const [exit] = await script.tell('exit')
      expect(exit?.stats.calls).toMatchObject({ made: 1, delivered: 0, pending: 0, failed: { closed: 1 } })
    },
  )
})
