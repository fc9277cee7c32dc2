import { setImmediate as nextTurn } from 'node:timers/promises'
import { Analytics } from '@segment/analytics-node'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Sender, Tracker, Tracking } from '../src/index.js'
import { expectBalance } from './support/books.js'
import { segmentServer, trackingTo } from './support/servers.js'

/** Does some work for a sender outside of a request. */
type Track = <T>(tracking: Tracking, sender: Sender, work: (tracker: Tracker) => T) => T

const ways: [string, Track][] = [
  ['run()', (tracking, sender, work) => tracking.run(sender, work)],
  ['forSender()', (tracking, sender, work) => work(tracking.forSender(sender))],
  [
    'resume()',
    (tracking, sender, work) => {
      // Through JSON, as the queue of another process has it.
      const carried = JSON.parse(JSON.stringify(tracking.run(sender, (tracker) => tracker.carry())))
      return tracking.resume(carried, work)
    },
  ],
]

const broken = (): never => {
  throw new Error('broken')
}

describe.each(ways)('%s', (_name, track) => {
  it('promise 1: is never in the way of the work, whatever fails', async () => {
    const segment = await segmentServer()
    segment.respondWith({ hang: true })
    // Where lines go whose handler failed.
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => printed.mockRestore())
    const ambient = { run: broken, get: broken }
    const tracking = trackingTo(segment, {
      settings: { userId: { fn: broken }, identify: { fn: broken } },
      policy: { 'data.x': { condition: broken } },
      data: { fn: broken },
      dispatch: broken,
      waitUntil: broken,
      ambient,
      logger: { handler: broken },
      on: { dropped: broken, delivered: broken, failed: broken, error: broken, shutdown: broken },
    })
    const sender: Sender = { user: { id: 'u-1' }, consent: broken }
    const error = new Error('of the work')
    const tracked = (tracker: Tracker) => {
      tracker.track('order complete', { total: 1n })
      tracker.track('')
      tracker.track('order complete', {
        get total() {
          return broken()
        },
      })
      return 'done'
    }
    const startedAt = performance.now()
    expect(track(tracking, sender, (tracker) => tracked(tracker))).toBe('done')
    await expect(track(tracking, sender, async (tracker) => tracked(tracker))).resolves.toBe('done')
    expect(() =>
      track(tracking, sender, (tracker) => {
        tracked(tracker)
        throw error
      }),
    ).toThrow(error)
    const failing = track(tracking, sender, async (tracker) => {
      tracked(tracker)
      throw error
    })
    await expect(failing).rejects.toBe(error)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    await tracking.flush({ timeout: 100 })
    expectBalance(tracking.stats())
    expect(tracking.stats().events).toMatchObject({ tracked: 12, open: 0 })
  })

  it('promise 1: does nothing for Segment before the work has gone on', async () => {
    const segment = await segmentServer()
    const order: string[] = []
    const tracking = trackingTo(segment, {
      data: { fn: () => void order.push('mapped') },
    })
    await track(tracking, { user: { id: 'u-1' } }, async (tracker) => {
      tracker.track('order complete')
      order.push('tracked')
    })
    order.push('done')
    await tracking.flush()
    expect(order).toEqual(['tracked', 'done', 'mapped'])
  })

  it('promise 2: never mixes people up', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, {
      settings: {
        consent: { marketing: 'Advertising' },
        identify: { map: { traits: { map: { plan: 'data.plan' } } } },
      },
    })
    await Promise.all(
      Array.from({ length: 100 }, async (_, person) => {
        const sender: Sender = {
          user: { id: `u-${person}`, session: `a-${person}` },
          consent: { marketing: person % 2 === 1 },
          context: { userAgent: `agent ${person}` },
        }
        await track(tracking, sender, async (tracker) => {
          for (let step = 0; step < 3; step++) {
            await nextTurn()
            tracker.track('step done', { person, plan: 'free' })
          }
        })
      }),
    )
    await segment.waitFor(400)
    for (const call of segment.calls) {
      const person = Number(call.userId?.slice(2))
      expect(call).toMatchObject({
        anonymousId: `a-${person}`,
        context: {
          userAgent: `agent ${person}`,
          consent: { categoryPreferences: { Advertising: person % 2 === 1 } },
        },
      })
      if (call.type === 'track') expect(call.properties).toMatchObject({ person })
    }
    // The memory of who was identified is kept per person.
    expect(segment.calls.filter(({ type }) => type === 'identify')).toHaveLength(100)
  })

  it('promise 3: sends nothing that is refused or unknown, and the whole state with what it sends', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, {
      consent: { analytics: true },
      settings: { consent: { analytics: 'Analytics', marketing: 'Advertising' } },
    })
    for (const consent of [
      { analytics: true, marketing: false },
      { analytics: false, marketing: true },
      undefined,
    ]) {
      track(tracking, { user: { id: 'u-1' }, ...(consent && { consent }) }, (tracker) => {
        tracker.track('order complete')
        tracker.identify('u-2', { plan: 'team' })
      })
    }
    track(tracking, { user: { id: 'u-1' }, consent: { analytics: true } }, (tracker) => {
      tracker.consent({ analytics: false })
      tracker.track('order complete')
    })
    await tracking.flush()
    expect(segment.calls).toHaveLength(2)
    for (const { context } of segment.calls) {
      expect(context?.consent).toEqual({ categoryPreferences: { Analytics: true, Advertising: false } })
    }
    expect(tracking.stats().events.dropped.consent).toBe(5)
  })

  it('promise 4: has one client with all requests, runs and senders', async () => {
    const tracked = vi.spyOn(Analytics.prototype, 'track')
    const segment = await segmentServer()
    const tracking = trackingTo(segment)
    for (let time = 0; time < 3; time++) {
      track(tracking, { user: { id: `u-${time}` } }, (tracker) => tracker.track('order complete'))
    }
    await segment.waitFor(3)
    expect(new Set(tracked.mock.contexts)).toEqual(new Set([tracking.segment]))
    tracked.mockRestore()
  })

  it('promise 5: lets nothing vanish silently', async () => {
    const segment = await segmentServer()
    const told: string[] = []
    const tracking = trackingTo(segment, {
      logger: { handler: () => {} },
      settings: { maxRetries: 0 },
      consent: { analytics: true },
      mapping: { order: { ignore: { ignore: true } } },
      on: {
        delivered: ({ call }) => told.push(`delivered ${call.type}`),
        dropped: ({ reason }) => told.push(`dropped ${reason}`),
        failed: ({ call, reason }) => told.push(`failed ${call.type} ${reason}`),
      },
    })
    const granted = { consent: { analytics: true } }
    const last = track(tracking, { user: { id: 'u-1' }, ...granted }, (tracker) => {
      tracker.track('order complete')
      tracker.track('order ignore')
      tracker.track('')
      tracker.track('order complete', { text: 'x'.repeat(40_000) })
      tracker.track('order complete', {}, { consent: { analytics: false } })
      expectBalance(tracking.stats())
      return tracker
    })
    track(tracking, granted, (tracker) => tracker.track('order complete'))
    track(tracking, { user: { id: 'u-1' }, ...granted }, (tracker) => {
      tracker.track('order complete')
      tracker.discard()
    })
    await tracking.flush()
    segment.respondWith({ status: 400 })
    track(tracking, { user: { id: 'u-1' }, ...granted }, (tracker) => tracker.track('order complete'))
    await tracking.flush()
    await tracking.shutdown()
    last.track('order complete')
    const reasons = ['invalid', 'too-large', 'identity', 'ignored', 'consent', 'discarded', 'closed']
    expect(told.sort()).toEqual(
      ['delivered track', ...reasons.map((reason) => `dropped ${reason}`), 'failed track rejected'].sort(),
    )
    const stats = tracking.stats()
    expectBalance(stats)
    expect(stats.events).toMatchObject({ tracked: 9, open: 0, dispatched: 2 })
    expect(stats.calls).toMatchObject({ made: 2, delivered: 1, pending: 0, failed: { rejected: 1 } })
  })

  it('promise 6: shuts down clean', async () => {
    const segment = await segmentServer()
    const reports: unknown[] = []
    const tracking = trackingTo(segment, {
      settings: { flushInterval: 60_000 },
      on: { shutdown: (report) => reports.push(report) },
    })
    let finish: () => void = () => {}
    const work = track(tracking, { user: { id: 'u-1' } }, async (tracker) => {
      tracker.track('order complete')
      const going = new Promise<void>((resolve) => {
        finish = resolve
      })
      tracker.waitUntil(going.then(() => tracker.track('order ship')))
      await going
    })
    const shutdown = tracking.shutdown()
    finish()
    await work
    const report = await shutdown
    expect(report).toMatchObject({ delivered: 2, failed: 0, dropped: 0, pending: 0, timedOut: false })
    expect(reports).toEqual([report])
    expect(segment.calls).toMatchObject([{ event: 'order complete' }, { event: 'order ship' }])
  })
})
