import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it, vi } from 'vitest'
import { createTracking, type Tracking, type TrackingConfig } from '../../src/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { segmentServer } from '../support/servers.js'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** A tracking that has delivered a call and is used no more. */
async function used(
  segment: SegmentServer,
  config: Partial<TrackingConfig> = {},
): Promise<WeakRef<Tracking>> {
  const { settings, ...rest } = config
  const tracking = createTracking({
    ...rest,
    settings: { writeKey: 'k', host: segment.url, flushInterval: 60_000, ...settings },
    logger: { handler: () => {} },
  })
  tracking.run({ user: { id: 'u-1' } }, (tracker) => tracker.track('order complete'))
  await tracking.flush()
  tracking.segment.track({ userId: 'u-1', event: 'Order Completed' })
  await tracking.flush()
  expect(tracking.stats().calls).toMatchObject({ pending: 0 })
  return new WeakRef(tracking)
}

it.each([
  ['delivered', () => {}],
  ['refused', (segment: SegmentServer) => segment.respondWith({ status: 400 })],
  ['delivered after an outage', (segment: SegmentServer) => segment.respondWith([{ status: 503, times: 2 }])],
] as const)('a tracking whose calls are all %s is held by no timer', async (_name, script) => {
  const segment = await segmentServer()
  script(segment)
  const tracking = await used(segment)
  // Answered connections are kept for a while; the endpoint ends them.
  await segment.stop()
  await vi.waitUntil(
    () => {
      collectGarbage()
      return tracking.deref() === undefined
    },
    { timeout: 10_000, interval: 100 },
  )
})
