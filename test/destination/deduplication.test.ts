import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Deduplication } from '../../src/destination/deduplication.js'
import type { TrackingConfig } from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

const identifyByEmail = { identify: { map: { traits: { map: { email: 'user.email', plan: 'data.plan' } } } } }
const groupByCompany = { group: { map: { groupId: 'data.company', traits: { map: { name: 'data.name' } } } } }

async function started(settings: object, config: Omit<TrackingConfig, 'settings'> = {}) {
  const segment = await segmentServer()
  const tracking = trackingTo(segment, { ...config, settings })
  const inRequest = await requestsOf(tracking)
  const callsOf = (type: string) => segment.calls.filter((call) => call.type === type)
  return { tracking, inRequest, callsOf, segment }
}

describe('identify, once per person and on change', () => {
  it('makes two calls for ten events of two alternating users', async () => {
    const { tracking, inRequest, callsOf } = await started(identifyByEmail)
    for (let event = 0; event < 10; event++) {
      const id = event % 2 === 0 ? 'alice' : 'bob'
      await inRequest((tracker) =>
        tracker.track('page view', {}, { user: { id, email: `${id}@example.com` } }),
      )
    }
    await tracking.flush()
    expect(callsOf('identify').map(({ userId }) => userId)).toEqual(['alice', 'bob'])
    expect(callsOf('track')).toHaveLength(10)
    expect(tracking.stats().calls.deduplicated).toBe(8)
  })

  it('identifies anonymous visitors apart although their traits are the same', async () => {
    const { tracking, inRequest, callsOf } = await started(identifyByEmail)
    for (const session of ['s1', 's2', 's1']) {
      await inRequest((tracker) => tracker.track('page view', { plan: 'free' }), visitor(session))
    }
    await tracking.flush()
    expect(callsOf('identify').map(({ anonymousId }) => anonymousId)).toEqual(['s1', 's2'])
  })

  it('identifies a known user again on a new device, and not again on the old one', async () => {
    const { tracking, inRequest, callsOf } = await started(identifyByEmail)
    const user = { id: 'alice', email: 'alice@example.com' }
    for (const device of ['phone', 'laptop', 'phone', 'laptop']) {
      await inRequest((tracker) => tracker.track('page view', {}, { user }), visitor(device))
    }
    await tracking.flush()
    expect(callsOf('identify').map(({ anonymousId }) => anonymousId)).toEqual(['phone', 'laptop'])
  })

  it('identifies again when the traits change, and not when they come in another order', async () => {
    const segment = await segmentServer()
    const tracking = trackingTo(segment, { settings: { identify: { map: { traits: 'user.traits' } } } })
    const inRequest = await requestsOf(tracking)
    for (const traits of [
      { plan: 'free', city: 'Bonn' },
      { city: 'Bonn', plan: 'free' },
      { city: 'Bonn', plan: 'paid' },
    ]) {
      await inRequest((tracker) => tracker.track('page view', {}, { user: { id: 'alice', traits } }))
    }
    await tracking.flush()
    const identifies = segment.calls.filter(({ type }) => type === 'identify')
    expect(identifies.map((call) => 'traits' in call && call.traits)).toEqual([
      { plan: 'free', city: 'Bonn' },
      { city: 'Bonn', plan: 'paid' },
    ])
  })

  it('makes no bare identify where the mapping resolves to nothing', async () => {
    const { tracking, inRequest, callsOf } = await started(identifyByEmail)
    await inRequest((tracker) => tracker.track('page view'), visitor('s1'))
    await tracking.flush()
    expect(callsOf('identify')).toEqual([])
    expect(callsOf('track')).toHaveLength(1)
  })

  it('always makes the call of tracker.identify(), which spares the next mapped one', async () => {
    const { tracking, inRequest, callsOf } = await started({ identify: { map: { traits: 'user.traits' } } })
    const traits = { plan: 'free' }
    await inRequest((tracker) => {
      tracker.identify('alice', traits)
      tracker.identify('alice', traits)
      tracker.track('page view', {}, { user: { id: 'alice', traits } })
    })
    await tracking.flush()
    expect(callsOf('identify')).toHaveLength(2)
    expect(tracking.stats().calls.deduplicated).toBe(1)
  })

  it('forgets an identify that Segment did not get', async () => {
    const lines: string[] = []
    const { tracking, inRequest, callsOf, segment } = await started(
      { ...identifyByEmail, maxRetries: 0 },
      { logger: { handler: (_level, message) => void lines.push(message) } },
    )
    const track = () =>
      inRequest((tracker) =>
        tracker.track('page view', {}, { user: { id: 'alice', email: 'a@example.com' } }),
      )
    segment.respondWith({ status: 400 })
    await track()
    await tracking.flush()
    expect(tracking.stats().calls.failed.rejected).toBe(2)
    expect(lines).toEqual(['a call was not delivered to Segment'])
    segment.respondWith('ok')
    await track()
    await tracking.flush()
    expect(callsOf('identify')).toHaveLength(1)
  })
})

describe('group, once per person and group and on change', () => {
  it('makes a call for each of two users of one company', async () => {
    const { tracking, inRequest, callsOf } = await started(groupByCompany)
    for (const id of ['alice', 'bob', 'alice', 'bob']) {
      const data = { company: 'acme', name: 'Acme' }
      await inRequest((tracker) => tracker.track('page view', data, { user: { id } }))
    }
    await tracking.flush()
    expect(callsOf('group').map(({ userId }) => userId)).toEqual(['alice', 'bob'])
  })

  it('makes a call for each group of a user, and again when its traits change', async () => {
    const { tracking, inRequest, callsOf } = await started(groupByCompany)
    for (const [company, name] of [
      ['acme', 'Acme'],
      ['beta', 'Beta'],
      ['acme', 'Acme'],
      ['acme', 'Acme Inc.'],
    ]) {
      await inRequest((tracker) => tracker.track('page view', { company, name }, { user: { id: 'alice' } }))
    }
    await tracking.flush()
    expect(callsOf('group').map((call) => 'groupId' in call && call.groupId)).toEqual([
      'acme',
      'beta',
      'acme',
    ])
  })
})

describe('the memory', () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')

  it('stays bounded for 1,000,000 users', () => {
    const deduplication = new Deduplication()
    const traits = { email: 'somebody@example.com', plan: 'free', city: 'Bonn' }
    const remember = (from: number, to: number) => {
      for (let user = from; user < to; user++)
        deduplication.identify({ userId: `user-${user}`, anonymousId: `a-${user}` }, traits)
    }
    const used = () => {
      collect()
      return process.memoryUsage().heapUsed
    }
    remember(0, 100_000)
    const filled = used()
    remember(100_000, 1_000_000)
    expect(used() - filled).toBeLessThan(8 * 1024 * 1024)
    expect(deduplication.identify({ userId: 'user-999999', anonymousId: 'a-999999' }, traits)).toBeUndefined()
    expect(deduplication.identify({ userId: 'user-0', anonymousId: 'a-0' }, traits)).toBeDefined()
  })
})
