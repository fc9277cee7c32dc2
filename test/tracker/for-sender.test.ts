import { AsyncLocalStorage } from 'node:async_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Sender } from '../../src/index.js'
import { type RecordingConfig, recordTracking } from '../../src/testing/index.js'
import { requestsOf, segmentServer, trackingTo } from '../support/servers.js'

const ada: Sender = { user: { id: 'u-1', session: 'a-1' }, consent: { analytics: true } }

function recorded(config: RecordingConfig = {}) {
  const errors: unknown[] = []
  const tracking = recordTracking({
    consent: { analytics: true },
    logger: { handler: () => {} },
    ...config,
    on: { error: (error) => errors.push(error) },
  })
  return { tracking, errors }
}

function namesOf({ calls }: { readonly calls: readonly object[] }): unknown[] {
  return calls.map((call) => ('event' in call ? call.event : undefined))
}

describe('the tracker of forSender()', () => {
  it('sends each event at once, and keeps no shutdown waiting', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment)
    const tracker = tracking.forSender(ada)
    tracker.track('message send')
    await segment.waitFor(1)
    tracker.track('message edit')
    await segment.waitFor(2)
    expect(segment.calls).toMatchObject([
      { event: 'message send', userId: 'u-1', anonymousId: 'a-1' },
      { event: 'message edit', userId: 'u-1', anonymousId: 'a-1' },
    ])
    expect(await tracking.shutdown()).toMatchObject({ delivered: 2, timedOut: false })
    tracker.track('message late')
    expect(tracking.stats().events.dropped.closed).toBe(1)
  })

  it('keeps the order of its events, also where some wait for an answer', async () => {
    const answers: ((state: Record<string, boolean>) => void)[] = []
    const { tracking } = recorded()
    const tracker = tracking.forSender({
      ...ada,
      consent: () => new Promise((resolve) => answers.push(resolve)),
    })
    for (const name of ['message one', 'message two', 'message three']) tracker.track(name)
    for (const answer of answers.reverse()) answer({ analytics: true })
    await tracking.settled()
    expect(namesOf(tracking)).toEqual(['message one', 'message two', 'message three'])
  })

  it('is changed by user() and consent() from then on, and not before', async () => {
    const { tracking } = recorded()
    const tracker = tracking.forSender({ consent: { marketing: false } })
    tracker.track('nobody known')
    tracker.user({ id: 'u-1' })
    tracker.track('consent unknown')
    tracker.consent({ analytics: true })
    tracker.track('message send')
    tracker.user({ id: 'u-2' })
    tracker.track('message edit')
    tracker.consent({ analytics: false })
    tracker.track('message delete')
    await tracking.settled()
    expect(tracking.calls).toMatchObject([
      { event: 'message send', userId: 'u-1' },
      { event: 'message edit', userId: 'u-2' },
    ])
    expect(tracking.drops.map(({ event, reason }) => [event.name, reason])).toEqual([
      ['nobody known', 'consent'],
      ['consent unknown', 'consent'],
      ['message delete', 'consent'],
    ])
    expect(tracking.events.map(({ user, consent }) => ({ ...user, ...consent }))).toEqual([
      { marketing: false },
      { id: 'u-1', marketing: false },
      { id: 'u-1', marketing: false, analytics: true },
      { id: 'u-2', marketing: false, analytics: true },
      { id: 'u-2', marketing: false, analytics: false },
    ])
  })

  it('drops what has not gone yet: discard()', async () => {
    const { tracking } = recorded()
    const tracker = tracking.forSender(ada)
    tracker.track('message send')
    tracker.discard()
    tracker.track('message edit')
    await tracker.flush()
    expect(namesOf(tracking)).toEqual(['message edit'])
    expect(tracking.stats().events.dropped.discarded).toBe(1)
  })

  it('carries what is known now', () => {
    const { tracking } = recorded()
    const tracker = tracking.forSender({ ...ada, consent: () => ({ analytics: true, marketing: false }) })
    tracker.consent({ marketing: true })
    expect(tracker.carry()).toMatchObject({
      userId: 'u-1',
      anonymousId: 'a-1',
      consent: { analytics: true, marketing: true },
    })
  })

  it('is not ambient', () => {
    const { tracking } = recorded()
    tracking.forSender(ada)
    expect(tracking.current()).toBeUndefined()
  })
})

describe('a consent function', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is asked for every event, when it is tracked', async () => {
    const choices = [true, false, true]
    const consent = vi.fn(() => ({ analytics: choices.shift() ?? false }))
    const { tracking } = recorded()
    const tracker = tracking.forSender({ ...ada, consent })
    for (const name of ['message one', 'message two', 'message three']) tracker.track(name)
    expect(consent).toHaveBeenCalledTimes(3)
    await tracking.settled()
    expect(namesOf(tracking)).toEqual(['message one', 'message three'])
    expect(consent).toHaveBeenCalledTimes(3)
  })

  it('is asked for none that is refused anyway', () => {
    const consent = vi.fn(() => ({ analytics: true }))
    const { tracking } = recorded()
    tracking.forSender({ ...ada, consent }).track('')
    expect(consent).not.toHaveBeenCalled()
  })

  it('is overruled by what is said with consent()', async () => {
    const { tracking } = recorded()
    const tracker = tracking.forSender({ ...ada, consent: () => ({ analytics: true, marketing: true }) })
    tracker.consent({ analytics: false })
    tracker.track('message send')
    await tracking.settled()
    expect(tracking.drops).toMatchObject([{ reason: 'consent', event: { consent: { marketing: true } } }])
  })

  const throws = (): never => {
    throw new Error('the database is away')
  }
  const bad: [string, () => unknown, RegExp | undefined][] = [
    ['throws', throws, /the database is away/],
    ['rejects', async () => throws(), /the database is away/],
    ['gives nothing', () => undefined, undefined],
    ['gives null', () => null, undefined],
    ['gives a text', () => 'granted', /the consent of a sender is no object/],
    ['promises a list', async () => [true], /the consent of a sender is no object/],
    ['gives choices that are no booleans', () => ({ analytics: 'true' }), /"analytics".*counts as refused/],
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested.
    ['gives a thenable that throws', () => ({ then: throws }), /the database is away/],
    [
      'gives a member that throws',
      () => Object.defineProperty({}, 'analytics', { enumerable: true, get: throws }),
      /"analytics"/,
    ],
  ]

  it.each(bad)('that %s grants nothing, and is told', async (_what, consent, told) => {
    for (const how of ['forSender', 'run'] as const) {
      const { tracking, errors } = recorded()
      const sender: Sender = JSON.parse('{"user":{"id":"u-1"}}')
      Object.assign(sender, { consent })
      if (how === 'run') tracking.run(sender, (tracker) => tracker.track('message send'))
      else tracking.forSender(sender).track('message send')
      await tracking.settled()
      expect(tracking.calls).toEqual([])
      expect(tracking.stats().events).toMatchObject({ tracked: 1, open: 0, dropped: { consent: 1 } })
      expect(errors.map(String)).toEqual(told ? [expect.stringMatching(told)] : [])
    }
  })

  it('that takes longer than two seconds grants nothing, and holds up no other sender', async () => {
    const { tracking, errors } = recorded()
    const slow = tracking.forSender({ ...ada, consent: () => new Promise(() => {}) })
    for (let event = 0; event < 50; event++) slow.track('message slow')
    tracking.forSender(ada).track('message send')
    const askedAt = performance.now()
    await vi.waitFor(() => expect(tracking.stats().events).toMatchObject({ open: 50, dispatched: 1 }))
    await tracking.settled()
    expect(performance.now() - askedAt).toBeGreaterThan(1_500)
    expect(tracking.stats().events).toMatchObject({ open: 0, dropped: { consent: 50 } })
    expect(namesOf(tracking)).toEqual(['message send'])
    expect(errors.map(String)).toContain('Error: no answer within 2000 ms')
  })

  it('of a run is asked at its end, in the context of its work', async () => {
    const storage = new AsyncLocalStorage<{ analytics: boolean }>()
    const consent = vi.fn(() => storage.getStore() ?? {})
    const { tracking } = recorded()
    tracking.run({ ...ada, consent }, (tracker) =>
      storage.run({ analytics: true }, () => {
        tracker.track('report run')
        expect(consent).not.toHaveBeenCalled()
      }),
    )
    await tracking.settled()
    expect(namesOf(tracking)).toEqual(['report run'])
    expect(consent).toHaveBeenCalledTimes(1)
  })
})

describe('what a tracker of forSender() holds', () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')

  it('is nothing but its sender, over 100,000 events', async () => {
    let calls = 0
    const count = () => void calls++
    const analytics = { track: count, identify: count, group: count, page: count, screen: count }
    const tracking = trackingTo(await segmentServer(), { env: { analytics } })
    const tracker = tracking.forSender({ ...ada, consent: () => ({ analytics: true }) })
    const heap: number[] = []
    for (let round = 0; round < 5; round++) {
      for (let turn = 0; turn < 40; turn++) {
        for (let event = 0; event < 500; event++) tracker.track('message send', { event })
        await tracking.flush({ timeout: 30_000 })
      }
      collect()
      heap.push(process.memoryUsage().heapUsed)
    }
    expect(calls).toBe(100_000)
    // A reference that is kept for each of the 80,000 later events would be 640 KB, an event a hundred times as much.
    const [first = 0, ...later] = heap
    expect(Math.min(...later) - first).toBeLessThan(500_000)
  })

  it('is not the request in which it was made', async () => {
    const { tracking } = recorded()
    const inRequest = await requestsOf(tracking)
    const kept: { request?: WeakRef<object>; tracker?: ReturnType<typeof tracking.forSender> } = {}
    const storage = new AsyncLocalStorage<object>()
    await inRequest((_tracker, req) => {
      kept.request = new WeakRef(req)
      storage.run(req, () => {
        kept.tracker = tracking.forSender({ ...ada, consent: () => ({ analytics: true }) })
        kept.tracker.track('socket open')
      })
    })
    await tracking.settled()
    await vi.waitFor(() => {
      collect()
      expect(kept.request?.deref()).toBeUndefined()
    })
    kept.tracker?.track('socket close')
    await tracking.settled()
    expect(namesOf(tracking)).toEqual(['socket open', 'socket close'])
  })
})
