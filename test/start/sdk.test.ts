import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import { temporaryDirectory } from '../delivery/delivering.js'
import { segmentServer, trackingTo } from '../support/servers.js'
import type { Step, StepsOptions, StepsResult } from './fixtures/steps.js'

const fixture = fileURLToPath(new URL('./fixtures/steps.ts', import.meta.url))

async function take(options: StepsOptions): Promise<StepsResult> {
  const env = { ...process.env, FIXTURE: JSON.stringify(options) }
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', fixture], { env })
  return JSON.parse(stdout)
}

describe('the Segment SDK', () => {
  it('is not loaded while there is no call, up to the shutdown', async () => {
    const segment = await segmentServer()
    const steps: Step[] = [
      'a run without events',
      'an event that is dropped',
      'flush',
      'stats, health',
      'shutdown',
    ]
    const { loaded } = await take({ segment: segment.url, steps })
    expect(loaded).toEqual(steps.map(() => false))
  })

  it('is loaded with the first call, before that waits for its batch, and its globals are hidden', async () => {
    const segment = await segmentServer()
    const { loaded, globals, calls } = await take({ segment: segment.url, steps: ['an event', 'flush'] })
    expect(loaded).toEqual([true, true])
    expect(globals).toEqual([])
    expect(calls).toMatchObject({ made: 1, delivered: 1 })
  })

  it('is loaded before the first request of a server that waits for signals', async () => {
    const segment = await segmentServer()
    const { loaded } = await take({ segment: segment.url, steps: ['shutdownOnSignals()'] })
    expect(loaded).toEqual([true])
  })

  it('is loaded for whoever wants the client, which takes no calls when it was closed before', async () => {
    const segment = await segmentServer()
    const early = await take({ segment: segment.url, steps: ['a direct call', 'shutdown'] })
    expect(early.loaded).toEqual([true, true])
    await segment.waitFor(1)
    const late = await take({ segment: segment.url, steps: ['shutdown', 'a direct call', 'flush'] })
    expect(late.loaded).toEqual([false, true, true])
    expect(late.log).toEqual([
      expect.stringMatching(/^a call that was made on tracking.segment was not delivered/),
    ])
    expect(segment.received).toBe(1)
  })
})

describe('without the Segment SDK', () => {
  it('calls fail, and the log says why', async () => {
    const segment = await segmentServer()
    const { calls, failed, log } = await take({
      segment: segment.url,
      steps: ['an event', 'an event', 'flush'],
      isMissing: true,
    })
    expect({ ...calls, ...failed }).toMatchObject({ made: 2, delivered: 0, pending: 0, closed: 2 })
    expect(log.filter((line) => line.startsWith('there is no Segment client'))).toHaveLength(1)
    expect(log.join('\n')).toContain(
      "@segment/analytics-node cannot be loaded: Cannot find module '@segment/analytics-node'",
    )
  })

  it('calls wait in the outbox for a process that has it', async () => {
    const segment = await segmentServer()
    const directory = temporaryDirectory()
    const { calls } = await take({
      segment: segment.url,
      steps: ['an event', 'an event', 'shutdown'],
      isMissing: true,
      outbox: directory,
    })
    expect(calls).toMatchObject({ made: 2, delivered: 0, pending: 2 })
    const next = await take({
      segment: segment.url,
      steps: ['calls of the outbox are taken', 'shutdown'],
      isMissing: true,
      outbox: directory,
    })
    expect(next.calls).toMatchObject({ made: 2, delivered: 0, pending: 2 })
    trackingTo(segment, { delivery: { outbox: fileOutbox({ directory }) } })
    await segment.waitFor(2)
  })
})
