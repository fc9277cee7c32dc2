import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import { createTracking, type SegmentCall, type TrackingConfig } from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'
import { requestsOf, segmentServer, visitor } from '../support/servers.js'

function dry(config: Omit<TrackingConfig, 'settings'> & { settings?: object } = {}) {
  const delivered: SegmentCall[] = []
  const lines: string[] = []
  const tracking = createTracking({
    ...config,
    dryRun: true,
    logger: { handler: (_level, message) => lines.push(message) },
    on: { delivered: ({ call }) => delivered.push(call) },
  } as TrackingConfig)
  onTestFinished(async () => void (await tracking.shutdown()))
  return { tracking, delivered, lines }
}

describe('a dry run', () => {
  it('does all but the requests, without a write key', async () => {
    const segment = await segmentServer()
    const { tracking, delivered, lines } = dry({
      settings: { host: segment.url, identify: { map: { traits: { map: { email: 'user.email' } } } } },
      mapping: { order: { complete: { name: 'Order Completed' } }, debug: { '*': { ignore: true } } },
    })
    const inRequest = await requestsOf(tracking)
    await inRequest((tracker) => {
      tracker.track('order complete', { total: 42 })
      tracker.track('debug dump')
    }, visitor('a-1'))
    tracking.segment.track({ event: 'Direct', userId: 'u-1' })
    await tracking.flush()
    expect(delivered.map(({ type }) => type)).toEqual(['track'])
    expect(delivered[0]?.params).toMatchObject({ event: 'Order Completed', anonymousId: 'a-1' })
    expect(tracking.stats()).toMatchObject({
      events: { tracked: 2, dispatched: 1, dropped: { ignored: 1 } },
      calls: { made: 1, delivered: 1, pending: 0 },
    })
    expect(tracking.health()).toMatchObject({ state: 'ok', pending: 0 })
    expect(await tracking.shutdown()).toMatchObject({ delivered: 1, failed: 0, pending: 0, timedOut: false })
    expect(segment.calls).toEqual([])
    expect(lines).toEqual([])
  })

  it('opens no outbox, asks no OAuth server and leaves a client of the application alone', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'reqtrack-dry-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const oauthClient = { makeRequest: vi.fn() }
    const track = vi.fn()
    const { tracking, delivered } = dry({
      settings: { oauthSettings: { clientId: 'c', clientKey: 'k', keyId: 'i', httpClient: oauthClient } },
      delivery: { outbox: fileOutbox({ directory }) },
      env: { analytics: { track } as never },
    })
    tracking.run({ user: { id: 'u-1' } }, (tracker) => tracker.track('order complete'))
    await tracking.flush()
    expect(delivered).toHaveLength(1)
    expect(await readdir(directory)).toEqual([])
    expect(oauthClient.makeRequest).not.toHaveBeenCalled()
    expect(track).not.toHaveBeenCalled()
  })

  it('tells a shared memory of nobody, and neither does a recording', async () => {
    const open = vi.fn()
    const settings = { identify: { map: { traits: 'user.traits' } } }
    const user = { id: 'u-1', traits: { plan: 'free' } }
    const recorded = recordTracking({ settings, memory: { open } })
    for (const tracking of [dry({ settings, memory: { open } }).tracking, recorded]) {
      tracking.run({ user }, (tracker) => tracker.track('order complete'))
      await tracking.flush()
      expect(tracking.stats().calls).toMatchObject({ made: 2, delivered: 2 })
    }
    expect(open).not.toHaveBeenCalled()
  })

  it('refuses what Segment would, and an invalid configuration', async () => {
    const { tracking } = dry()
    tracking.run({ user: { id: 'u-1' } }, (tracker) => tracker.track('big one', { text: 'x'.repeat(32_300) }))
    await tracking.flush()
    expect(tracking.stats().calls.failed).toMatchObject({ 'too-large': 1 })
    expect(() => createTracking({ dryRun: true, settings: { flushat: 1 } } as never)).toThrow(
      /did you mean flushAt/,
    )
    expect(() => createTracking({ dryRun: 'yes' } as never)).toThrow(
      /dryRun: given a string, expected true or false/,
    )
  })

  it('is warned of in production', () => {
    vi.stubEnv('NODE_ENV', 'production')
    onTestFinished(() => void vi.unstubAllEnvs())
    expect(dry().lines).toEqual([expect.stringContaining('[REQTRACK_DRY_RUN')])
  })
})
