import { describe, expect, it, vi } from 'vitest'
import type { Tracker, TrackingConfig } from '../../src/index.js'
import type { ReceivedCall } from '../../src/testing/index.js'
import { requestsOf, segmentServer, serve, trackingTo, visitor } from '../support/servers.js'

async function started(config: Omit<TrackingConfig, 'settings'> = {}) {
  const segment = await segmentServer()
  const tracking = trackingTo(segment, config)
  return { segment, tracking, inRequest: await requestsOf(tracking) }
}

function namesOf({ calls }: { calls: readonly { readonly type: string }[] }): unknown[] {
  return calls.map((call) => ('event' in call ? call.event : call.type))
}

function named(event: string) {
  return (call: ReceivedCall) => call.type === 'track' && call.event === event
}

const byHandler: Omit<TrackingConfig, 'settings'> = { consent: { analytics: true } }

describe('tracker.flush()', () => {
  it('sends what has an identity and a granted consent, and waits until it has arrived', async () => {
    const { segment, inRequest } = await started(byHandler)
    let during: unknown[] = []
    await inRequest(async (tracker) => {
      tracker.consent({ analytics: true })
      tracker.track('order complete')
      await tracker.flush()
      during = namesOf(segment)
      tracker.track('order ship')
    }, visitor('a-1'))
    expect(during).toEqual(['order complete'])
    await segment.waitFor(named('order ship'))
    expect(namesOf(segment)).toEqual(['order complete', 'order ship'])
  })

  it.each<[string, Omit<TrackingConfig, 'settings'>, Record<string, string>, (tracker: Tracker) => void]>([
    ['an unknown consent', byHandler, visitor('a-1'), (tracker) => tracker.consent({ analytics: true })],
    ['no identity', {}, {}, (tracker) => tracker.user({ id: 'u-1' })],
    ['a dispatch option that only the end can answer', { dispatch: 'success' }, visitor('a-1'), () => {}],
  ])('keeps the rest for the end, in order: %s', async (_name, config, headers, grant) => {
    const { segment, tracking, inRequest } = await started(config)
    let during: unknown
    await inRequest(async (tracker) => {
      tracker.track('order complete')
      tracker.track('order ship')
      await tracker.flush()
      during = [namesOf(segment), tracking.stats().events]
      grant(tracker)
      tracker.track('order receive')
    }, headers)
    expect(during).toMatchObject([[], { tracked: 2, open: 2, dispatched: 0 }])
    await segment.waitFor(named('order receive'))
    expect(namesOf(segment)).toEqual(['order complete', 'order ship', 'order receive'])
  })

  it('does not ask for less at the end: a refusal after it stops what was kept', async () => {
    const { segment, tracking, inRequest } = await started(byHandler)
    await inRequest(async (tracker) => {
      tracker.track('order complete')
      await tracker.flush()
      tracker.consent({ analytics: false })
    }, visitor('a-1'))
    await tracking.flush()
    expect(namesOf(segment)).toEqual([])
    expect(tracking.stats().events).toMatchObject({ tracked: 1, open: 0, dropped: { consent: 1 } })
  })

  it('leaves nothing behind that discard() does not reach', async () => {
    const { segment, tracking, inRequest } = await started({
      ...byHandler,
      request: { consent: () => new Promise((resolve) => setTimeout(resolve, 30, {})) },
    })
    await inRequest(async (tracker) => {
      tracker.track('order complete')
      const flushed = tracker.flush()
      await new Promise((resolve) => setTimeout(resolve, 10))
      tracker.discard()
      await flushed
      tracker.track('order ship')
      await tracker.flush()
      tracker.discard()
    }, visitor('a-1'))
    await tracking.flush()
    expect(namesOf(segment)).toEqual([])
    expect(tracking.stats().events).toMatchObject({ tracked: 2, open: 0, dropped: { discarded: 2 } })
  })

  it('loses nothing when the request ends while it is asking', async () => {
    let answer: (state: Record<string, boolean>) => void = () => {}
    const { segment, tracking, inRequest } = await started({
      ...byHandler,
      request: {
        consent: () =>
          new Promise((resolve) => {
            answer = resolve
          }),
      },
    })
    let flushed: Promise<void> | undefined
    await inRequest(async (tracker) => {
      tracker.track('order complete')
      flushed = tracker.flush()
      await vi.waitFor(() => expect(tracking.stats().events.open).toBe(1))
      await new Promise((resolve) => setImmediate(resolve))
    }, visitor('a-1'))
    answer({})
    await new Promise((resolve) => setTimeout(resolve, 20))
    answer({ analytics: true })
    await flushed
    await segment.waitFor(named('order complete'))
    expect(tracking.stats().events).toMatchObject({ tracked: 1, open: 0, dispatched: 1 })
  })

  it('never rejects, and does not wait for longer than it may', async () => {
    const { segment, inRequest } = await started({ logger: { handler: () => {} } })
    segment.respondWith({ hang: true })
    const startedAt = performance.now()
    await inRequest(async (tracker) => {
      tracker.track('order complete')
      await tracker.flush({ timeout: 100 })
    }, visitor('a-1'))
    expect(performance.now() - startedAt).toBeLessThan(2_000)
  })

  it.each(['tracking', 'tracker'] as const)(
    'of a %s waits for what was tracked before it, and for nothing that comes after',
    async (whose) => {
      const { segment, tracking } = await started(byHandler)
      const consent = () =>
        new Promise<{ analytics: boolean }>((resolve) => setTimeout(resolve, 60, { analytics: true }))
      const sender = { user: { id: 'u-1' }, consent }
      const others = setInterval(() => tracking.run(sender, (tracker) => tracker.track('other run')), 5)
      const endless = tracking.forSender(sender)
      const more = setInterval(() => endless.track('message send'), 5)
      try {
        await segment.waitFor(named('other run'))
        const startedAt = performance.now()
        await tracking.run(sender, async (tracker) => {
          tracker.track('order complete')
          if (whose === 'tracker') await tracker.flush()
        })
        endless.track('message last')
        await tracking.flush()
        expect(performance.now() - startedAt).toBeLessThan(2_500)
        expect(namesOf(segment)).toEqual(expect.arrayContaining(['order complete', 'message last']))
      } finally {
        clearInterval(others)
        clearInterval(more)
      }
    },
  )

  it('waits for no event that was discarded meanwhile', async () => {
    const { tracking } = await started()
    const tracker = tracking.forSender({ user: { id: 'u-1' } })
    for (let event = 0; event < 600; event++) tracker.track('message send')
    const flushed = tracking.flush({ timeout: 60_000 })
    tracker.discard()
    await flushed
    expect(tracking.stats().events).toMatchObject({ tracked: 600, open: 0, dropped: { discarded: 600 } })
  })

  it('of the whole tracking never sends what an open request has collected', async () => {
    const { segment, tracking, inRequest } = await started()
    let during: unknown[] = ['not asked']
    await inRequest(async (tracker) => {
      tracker.track('order complete')
      await tracking.flush()
      during = namesOf(segment)
      tracker.discard()
    }, visitor('a-1'))
    expect(during).toEqual([])
  })
})

describe('a response that stays open', () => {
  it('sends its events after five seconds, and later ones within a second or so', {
    timeout: 20_000,
  }, async () => {
    const { segment, tracking } = await started(byHandler)
    let tracker: Tracker | undefined
    const { url } = await serve((req, res) => {
      tracker = tracking.handle(req, res)
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.flushHeaders()
      tracker.track('stream open')
    })
    const startedAt = performance.now()
    const response = await fetch(url, { headers: visitor('a-1') })
    tracker?.consent({ analytics: true })
    await segment.waitFor(named('stream open'), 10_000)
    expect(performance.now() - startedAt).toBeGreaterThan(4_500)
    tracker?.track('chunk send')
    await segment.waitFor(named('chunk send'), 4_000)
    expect(tracking.stats().events.open).toBe(0)
    await response.body?.cancel()
  })
})
