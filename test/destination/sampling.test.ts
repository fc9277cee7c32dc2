import { describe, expect, it } from 'vitest'
import type { DroppedEvent, Rule, Settings, TrackingConfig } from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

async function started(
  rule: Rule,
  config: Omit<TrackingConfig, 'settings'> & { settings?: Partial<Settings> } = {},
) {
  const segment = await segmentServer()
  const drops: DroppedEvent[] = []
  const tracking = trackingTo(segment, {
    request: { context: false },
    mapping: { order: { complete: rule } },
    on: { dropped: (dropped) => drops.push(dropped) },
    ...config,
  })
  return { segment, tracking, inRequest: await requestsOf(tracking), drops }
}

const visitors = Array.from({ length: 400 }, (_, index) => `visitor-${index}`)

/** The visitors, of many, whose events are kept. */
async function keptOf(sample: number): Promise<Set<unknown>> {
  const { segment, tracking, inRequest } = await started({ sample })
  await inRequest((tracker) => {
    for (const session of visitors) tracker.track({ name: 'order complete', user: { session } })
  })
  await tracking.flush()
  const { events } = tracking.stats()
  expect(events).toMatchObject({ tracked: 400, open: 0 })
  expect(events.dispatched + events.dropped.sampled).toBe(400)
  expect(segment.calls).toHaveLength(events.dispatched)
  return new Set(segment.calls.map(({ anonymousId }) => anonymousId))
}

describe('a rule with a sample', () => {
  it('keeps about that share of visitors, and of them those of a smaller sample', async () => {
    const tenth = await keptOf(0.1)
    const half = await keptOf(0.5)
    expect(tenth.size).toBeGreaterThan(20)
    expect(tenth.size).toBeLessThan(65)
    expect(half.size).toBeGreaterThan(160)
    expect(half.size).toBeLessThan(240)
    expect([...tenth].every((id) => half.has(id))).toBe(true)
  })

  it('keeps nobody with 0, everybody with 1, and the same visitors every time', async () => {
    expect((await keptOf(0)).size).toBe(0)
    expect((await keptOf(1)).size).toBe(400)
    expect(await keptOf(0.3)).toEqual(await keptOf(0.3))
  })

  it('decides by the SHA-256 of the id, so that every machine and version decides alike', async () => {
    // The first 48 bits of their hashes are 0.0016 and 0.9952 of their range.
    const { segment, tracking, inRequest } = await started({ sample: 0.01 })
    await inRequest((tracker) => {
      for (const session of ['visitor-57', 'visitor-191'])
        tracker.track({ name: 'order complete', user: { session } })
    })
    await tracking.flush()
    expect(segment.calls.map(({ anonymousId }) => anonymousId)).toEqual(['visitor-57'])
  })

  it('adds its rate to the context of every call that is kept', async () => {
    const { segment, tracking, inRequest } = await started(
      { sample: 1, settings: { page: true } },
      {
        settings: {
          context: { map: { sampling: { value: { by: 'us' } }, app: { value: { name: 'shop' } } } },
        },
      },
    )
    await inRequest((tracker) => {
      tracker.track('order complete')
      tracker.track('order view')
    }, visitor('s1'))
    await tracking.flush()
    const [page, track, unsampled] = segment.calls.map(({ context }) => context)
    expect([page, track]).toMatchObject(
      Array(2).fill({ sampling: { by: 'us', rate: 1 }, app: { name: 'shop' } }),
    )
    expect(unsampled?.sampling).toEqual({ by: 'us' })
  })

  it('is not flipped by a login: the anonymousId decides where there is one', async () => {
    const { segment, tracking, inRequest } = await started({ sample: 0.5 })
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) {
      for (const session of ['visitor-57', 'visitor-191']) {
        await inRequest((tracker) => tracker.track({ name: 'order complete', user: { id, session } }))
      }
    }
    await tracking.flush()
    expect(segment.calls.map(({ anonymousId }) => anonymousId)).toEqual(Array(8).fill('visitor-57'))
  })

  it('takes the userId where there is no anonymousId, also the one that `identify` gives', async () => {
    const { segment, tracking, inRequest } = await started({
      sample: 0.01,
      settings: { identify: { map: { userId: 'data.account' } } },
    })
    await inRequest((tracker) => {
      tracker.track({ name: 'order complete', user: { id: 'visitor-57' } })
      tracker.track({ name: 'order complete', user: { id: 'visitor-191' } })
      tracker.track({ name: 'order complete', data: { account: 'visitor-57' }, user: { id: 'visitor-191' } })
      tracker.track({ name: 'order complete', data: { account: 'visitor-191' }, user: { id: 'visitor-57' } })
    })
    await tracking.flush()
    const tracks = segment.calls.filter(({ type }) => type === 'track')
    expect(tracks.map(({ userId }) => userId)).toEqual(['visitor-57', 'visitor-57'])
    expect(tracking.stats().events.dropped.sampled).toBe(2)
  })

  it('comes before de-duplication: who is left out is told about by the next event', async () => {
    const { segment, tracking, inRequest } = await started(
      { sample: 0 },
      { settings: { identify: { map: { traits: { map: { plan: 'user.plan' } } } } } },
    )
    await inRequest((tracker) => {
      tracker.user({ id: 'alice', plan: 'team' })
      tracker.track('order complete')
      tracker.track('order view')
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ type: 'identify' }, { type: 'track', event: 'order view' }])
    expect(tracking.stats().calls.deduplicated).toBe(0)
  })

  it('drops who is nobody as such, and what its own consent denies as denied', async () => {
    const { drops, tracking, inRequest } = await started({ sample: 0, consent: { marketing: true } })
    await inRequest((tracker) => {
      tracker.track('order complete')
      tracker.track({ name: 'order complete', consent: { marketing: true } })
      tracker.track({ name: 'order complete', consent: { marketing: true }, user: { id: 'alice' } })
    })
    await tracking.flush()
    expect(drops.map(({ reason }) => reason)).toEqual(['consent', 'identity', 'sampled'])
  })
})
