import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createTracking, type Sender, type TrackingConfig } from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

const ada: Sender = { user: { id: 'u-1' } }

/** A platform that is told what to wait for. */
async function platform(config: Omit<TrackingConfig, 'settings'> = {}) {
  const segment = await segmentServer()
  const waited: { readonly work: Promise<unknown>; isSettled: boolean }[] = []
  const tracking = trackingTo(segment, {
    logger: { handler: () => {} },
    // Without the platform's waiting nothing would be sent for as long.
    settings: { flushInterval: 60_000 },
    waitUntil(work) {
      const known = { work, isSettled: false }
      waited.push(known)
      void work.then(() => {
        known.isSettled = true
      })
    },
    ...config,
  })
  return { segment, tracking, waited, inRequest: await requestsOf(tracking) }
}

describe('config.waitUntil', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is called once a request, at its first event, and settles when its calls have arrived', async () => {
    const { segment, waited, inRequest } = await platform()
    await inRequest(async (tracker) => {
      expect(waited).toEqual([])
      tracker.track('order complete')
      expect(waited).toHaveLength(1)
      tracker.track('order ship')
      tracker.identify({ plan: 'free' })
      await nextTurn()
      expect(waited).toMatchObject([{ isSettled: false }])
    }, visitor('a-1'))
    await waited[0]?.work
    expect(segment.calls.map(({ type }) => type)).toEqual(['track', 'track', 'identify'])
    expect(waited).toHaveLength(1)
  })

  it('is called in the handler’s own context, as the platform’s own function has to be', async () => {
    const storage = new AsyncLocalStorage<string>()
    const contexts: unknown[] = []
    const { inRequest, tracking } = await platform({ waitUntil: () => contexts.push(storage.getStore()) })
    await inRequest(
      (tracker) => storage.run('invocation 1', () => tracker.track('order complete')),
      visitor('a-1'),
    )
    tracking.run(ada, (tracker) => storage.run('invocation 2', () => tracker.track('order complete')))
    expect(contexts).toEqual(['invocation 1', 'invocation 2'])
  })

  it('is not called for a request that tracks nothing, or nothing that can be', async () => {
    const { waited, inRequest } = await platform()
    await inRequest((tracker) => {
      tracker.track('')
      tracker.group('')
      tracker.consent({ analytics: true })
    }, visitor('a-1'))
    expect(waited).toEqual([])
  })

  it('settles as soon as everything that was tracked is dropped', async () => {
    const { segment, waited, inRequest } = await platform({ consent: { analytics: true } })
    await inRequest((tracker) => tracker.track('order complete'), visitor('a-1'))
    await inRequest((tracker) => {
      tracker.track('order complete')
      tracker.discard()
    }, visitor('a-1'))
    await Promise.all(waited.map(({ work }) => work))
    expect([waited.length, segment.calls.length]).toEqual([2, 0])
  })

  it('settles, and never rejects, when Segment refuses', async () => {
    const { segment, tracking, waited, inRequest } = await platform()
    segment.respondWith({ status: 400 })
    await inRequest((tracker) => tracker.track('order complete'), visitor('a-1'))
    await expect(waited[0]?.work).resolves.toBeUndefined()
    expect(tracking.stats().calls.failed.rejected).toBe(1)
  })

  it('settles five seconds after the end, when Segment hangs', async () => {
    const { segment, waited, inRequest } = await platform()
    segment.respondWith({ hang: true })
    await inRequest((tracker) => tracker.track('order complete'), visitor('a-1'))
    const endedAt = performance.now()
    expect(waited).toMatchObject([{ isSettled: false }])
    await waited[0]?.work
    expect(performance.now() - endedAt).toBeGreaterThan(4_500)
    expect(performance.now() - endedAt).toBeLessThan(8_000)
  })

  it('is called for a run, and for each event that goes at once', async () => {
    const { segment, tracking, waited } = await platform()
    const late = await tracking.run(ada, async (tracker) => {
      tracker.track('report begin')
      tracker.track('report end')
      return tracker
    })
    await waited[0]?.work
    expect(segment.calls).toHaveLength(2)
    late.track('report late')
    await waited[1]?.work
    expect(segment.calls).toHaveLength(3)
    tracking.forSender(ada).track('socket open')
    await waited[2]?.work
    expect(segment.calls).toHaveLength(4)
    expect(waited).toHaveLength(3)
  })

  const broken = (): never => {
    throw new Error('outside of an invocation')
  }
  it.each<[string, (work: Promise<unknown>) => unknown]>([
    ['throws', broken],
    ['rejects', async () => broken()],
  ])('that %s costs no event, and is told', async (_how, waitUntil) => {
    const errors: unknown[] = []
    const { segment, inRequest, tracking } = await platform({
      waitUntil,
      on: { error: (error) => errors.push(error) },
    })
    await inRequest((tracker) => tracker.track('order complete'), visitor('a-1'))
    await tracking.flush()
    expect(segment.calls).toHaveLength(1)
    expect(errors.map(String)).toEqual(['Error: outside of an invocation'])
  })

  it.each([true, 'after', {}])('has to be a function: %j', (waitUntil) => {
    const config = { settings: { writeKey: 'test' }, waitUntil: waitUntil as never }
    expect(() => createTracking(config)).toThrow(/waitUntil/)
  })
})
