import { runInNewContext } from 'node:vm'
import type { WalkerOS } from '@walkeros/core'
import { describe, expect, it } from 'vitest'
import {
  type DroppedEvent,
  type FailedCall,
  type Reader,
  strictest,
  type Tracker,
  type TrackingConfig,
} from '../../src/index.js'
import { withFrozenPrototype } from '../support/frozen-prototype.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

async function started(config: Omit<TrackingConfig, 'settings'> = {}, settings = {}) {
  const segment = await segmentServer()
  const drops: DroppedEvent[] = []
  const failures: FailedCall[] = []
  const lines: string[] = []
  const tracking = trackingTo(segment, {
    logger: { handler: (_level, message) => lines.push(message) },
    on: { dropped: (dropped) => drops.push(dropped), failed: (failed) => failures.push(failed) },
    ...config,
    settings,
  })
  return { segment, drops, failures, lines, tracking, inRequest: await requestsOf(tracking) }
}

const upload = { fieldname: 'avatar', buffer: Buffer.alloc(40_000_000) }
/** Twelve accounts of an ORM that know each other. */
const accounts = Array.from({ length: 12 }, (_, id) => ({
  id: `account-${id}`,
  name: `Person ${id}`,
  friends: [] as object[],
}))
for (const account of accounts) account.friends.push(...accounts.filter((other) => other !== account))
const [account = { id: '', friends: [] }] = accounts

/** Each method of a tracker, given something huge where it takes something. */
const methods: [method: string, call: (tracker: Tracker, huge: object) => void][] = [
  ['track(name, data)', (tracker, huge) => tracker.track('avatar upload', huge)],
  ['track(name, data) inside', (tracker, huge) => tracker.track('avatar upload', { list: [{ huge }] })],
  ['track(event)', (tracker, data) => tracker.track({ name: 'avatar upload', data })],
  ['nested', (tracker, data) => tracker.track('avatar upload', {}, { nested: [{ entity: 'file', data }] })],
  ['context', (tracker, huge) => tracker.track('avatar upload', {}, { context: { file: [huge, 0] } })],
  ['globals', (tracker, globals) => tracker.track('avatar upload', {}, { globals })],
  ['custom', (tracker, custom) => tracker.track('avatar upload', {}, { custom })],
  ['user', (tracker, user) => tracker.track('avatar upload', {}, { user })],
  ['source', (tracker, source) => tracker.track('avatar upload', {}, { source })],
  ['trigger', (tracker) => tracker.track('avatar upload', {}, { trigger: 'x'.repeat(1_000_000) })],
  ['identify(traits)', (tracker, huge) => tracker.identify({ huge })],
  ['identify(id, traits)', (tracker, huge) => tracker.identify('u1', huge)],
  ['identify(id)', (tracker) => tracker.identify('x'.repeat(1_000_000))],
  ['group(id, traits)', (tracker, huge) => tracker.group('g1', huge)],
  ['group(id)', (tracker) => tracker.group('x'.repeat(1_000_000))],
  ['page(properties)', (tracker, properties) => tracker.page({ properties })],
  ['page(name)', (tracker) => tracker.page({ name: 'x'.repeat(1_000_000) })],
  ['screen(properties)', (tracker, properties) => tracker.screen({ properties })],
  ['alias(id)', (tracker) => tracker.alias('x'.repeat(1_000_000))],
]

describe.each([
  ['a file', upload],
  ['an ORM graph', account],
  ['a Map', { map: new Map(Array.from({ length: 100_000 }, (_, index) => [index, index])) }],
] as const)('%s', (_, huge) => {
  it.each(methods)('given to %s is dropped as too large, and nothing beside it', async (_method, call) => {
    const { segment, tracking, inRequest, drops, lines } = await started()
    await inRequest((tracker) => {
      call(tracker, huge)
      tracker.track('order complete')
    }, visitor('s1'))
    await tracking.flush()
    expect(drops.map(({ reason }) => reason)).toEqual(['too-large'])
    expect(lines.join()).toContain('32 KB')
    expect(segment.calls).toMatchObject([{ event: 'order complete', anonymousId: 's1' }])
    expect(tracking.stats().events).toMatchObject({ tracked: 2, open: 0 })
  })

  it('given to user() leaves the ids, and says that the details are gone', async () => {
    const { segment, tracking, inRequest, lines } = await started({ include: ['user'] })
    await inRequest((tracker) => {
      tracker.user({ ...huge, id: 'u1', session: 's2' } as WalkerOS.User)
      tracker.track('order complete')
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ userId: 'u1', anonymousId: 's2' }])
    expect(Object.keys(Object(Reflect.get(segment.calls[0] ?? {}, 'properties'))).sort()).toEqual([
      'user_id',
      'user_session',
    ])
    expect(lines).toEqual([expect.stringMatching(/tracker\.user\(\).*32 KB/)])
  })

  it.each<[string, Reader<WalkerOS.User>]>([
    ['at once', () => huge as WalkerOS.User],
    ['later', async () => huge as WalkerOS.User],
  ])('that a reader of the person gives %s is no answer, and is said', async (_when, user) => {
    const { segment, tracking, inRequest, lines } = await started({ include: ['user'], request: { user } })
    await inRequest((tracker) => tracker.track('order complete'), visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ properties: { user_session: 's1' } }])
    expect(JSON.stringify(segment.calls)).not.toContain('Person')
    expect(lines.join()).toContain('reader failed and counts as having no answer')
  })

  it.each([
    ['data', { order: { complete: { data: { fn: () => huge } } } }],
    ['a property', { order: { complete: { data: { map: { a: { fn: () => huge } } } } } }],
    [
      'a list that is looped',
      { order: { complete: { data: { loop: [{ fn: () => [huge] }, { map: { id: 'id' } }] } } } },
    ],
    ['traits', { order: { complete: { settings: { identify: { map: { traits: { fn: () => huge } } } } } } }],
    ['later', { order: { complete: { data: { fn: async () => huge } } } }],
    ['one of two', { order: { complete: { data: [{ fn: () => huge }, { value: 'other' }] } } }],
  ] as const)('that a mapping gives as %s drops the event as too large', async (_what, mapping) => {
    const { segment, tracking, inRequest, drops } = await started({ mapping: mapping as never })
    await inRequest((tracker) => {
      tracker.track('order complete')
      tracker.track('order view')
    }, visitor('s1'))
    await tracking.flush()
    expect(drops).toMatchObject([{ reason: 'too-large' }])
    expect(segment.calls).toMatchObject([{ event: 'order view' }])
  })
})

describe('an id', () => {
  it('is no BigInt whose digits would take minutes to write', async () => {
    const { tracking, inRequest, drops } = await started({ request: { userId: () => 1n << 80_000_000n } })
    const huge = 1n << 80_000_000n
    await inRequest((tracker, req) => {
      Object.assign(req, { user: { id: huge }, session: { id: huge } })
      for (const call of [tracker.identify, tracker.group, tracker.alias])
        Reflect.apply(call, tracker, [huge])
      Reflect.apply(tracker.track, tracker, ['order complete', {}, { user: { id: huge } }])
      Reflect.apply(tracker.user, tracker, [{ id: huge }])
      Reflect.apply(tracker.page, tracker, [{ name: huge }])
      tracker.track('order view')
    }, visitor('s1'))
    await tracking.flush()
    expect(drops.map(({ reason }) => reason)).toEqual(Array(5).fill('invalid'))
    expect(tracking.stats().calls.delivered).toBe(1)
  })

  it('of a reader is none if no call can hold it', async () => {
    const { segment, tracking, inRequest, lines } = await started({
      request: { userId: [() => 'x'.repeat(1_000_000), () => 'u1'] },
    })
    await inRequest((tracker) => tracker.track('order complete'))
    await tracking.flush()
    expect(segment.calls).toMatchObject([{ userId: 'u1' }])
    expect(lines.join()).toContain('failed')
  })
})

describe('an object in place of an event', () => {
  it('is read by the members of an event alone', async () => {
    const { segment, tracking, inRequest } = await started()
    let reads = 0
    const watched = new Proxy(
      { name: 'order complete', data: { total: 1 } },
      {
        ownKeys: () => {
          reads++
          return Array.from({ length: 100_000 }, (_, index) => `k${index}`)
        },
      },
    )
    await inRequest((tracker) => {
      tracker.track(watched)
      tracker.track('order view', { total: 2 }, watched)
    }, visitor('s1'))
    await tracking.flush()
    expect(segment.calls).toMatchObject([
      { event: 'order complete', properties: { total: 1 } },
      { event: 'order view', properties: { total: 2 } },
    ])
    expect(reads).toBe(0)
  })

  it('has a name of at most 255 characters', async () => {
    const { tracking, inRequest, drops, lines } = await started()
    await inRequest((tracker) => {
      tracker.track(`order ${'x'.repeat(249)}`)
      tracker.track(`order ${'x'.repeat(250)}`)
      tracker.track('a b '.repeat(10_000_000))
    }, visitor('s1'))
    await tracking.flush()
    expect(drops.map(({ reason }) => reason)).toEqual(['invalid', 'invalid'])
    expect(lines.join()).toContain('255')
    expect(tracking.stats().calls.delivered).toBe(1)
  })
})

describe('timestamp', () => {
  it('may be a number, a Date of any realm, or ISO text', async () => {
    const { segment, tracking, inRequest, lines } = await started()
    await inRequest((tracker) => {
      const foreign: Date = runInNewContext('new Date(3000)')
      for (const timestamp of [1_000, new Date(2_000), foreign, '1970-01-01T00:00:04Z']) {
        tracker.track('order complete', {}, { timestamp })
      }
    }, visitor('s1'))
    await tracking.flush()
    const sent = segment.calls.map(({ timestamp }) => new Date(String(timestamp)).getTime())
    expect(sent).toEqual([1_000, 2_000, 3_000, 4_000])
    expect(lines).toEqual([])
  })

  it('that is none is said, and the event is sent as of now', async () => {
    const { segment, tracking, inRequest, lines } = await started()
    const before = Date.now()
    const garbage: unknown[] = [Number.NaN, 'yesterday', new Date('x'), {}, null, 1n]
    await inRequest((tracker) => {
      for (const [index, timestamp] of garbage.entries()) {
        tracker.track(`order complete${index}`, {}, { timestamp: timestamp as number })
      }
    }, visitor('s1'))
    await tracking.flush()
    for (const { timestamp } of segment.calls) {
      expect(new Date(String(timestamp)).getTime()).toBeGreaterThanOrEqual(before - 1)
    }
    expect(segment.calls).toHaveLength(garbage.length)
    expect(lines.filter((line) => /timestamp.*ISO 8601/.test(line))).toHaveLength(garbage.length)
    expect(lines.join()).not.toContain('yesterday')
  })
})

describe('where Object.prototype is frozen', () => {
  it.each(['toString', 'constructor', 'valueOf', 'hasOwnProperty', '__defineGetter__'])(
    'a visitor’s `%s` arrives with the event, and nothing is lost',
    async (name) => {
      const { segment, tracking, inRequest, lines } = await started(
        {
          include: ['globals', 'user'],
          mapping: { form: { map: { data: { map: { [name]: `data.${name}`, rest: 'data' } } } } },
          request: { consent: strictest(() => JSON.parse(`{"${name}":true,"marketing":false}`)) },
        },
        { consent: { marketing: name } },
      )
      const body = JSON.parse(`{"${name}":"x","in":{"${name}":1}}`)
      await withFrozenPrototype(async () => {
        await inRequest(
          (tracker) => {
            tracker.consent(JSON.parse(`{"${name}":false}`))
            tracker.user({ [name]: 'x' })
            tracker.track('form send', body, { globals: body })
            tracker.track('form map', body)
            tracker.identify(body)
          },
          { ...visitor('s1'), 'sec-fetch-dest': 'empty', referer: `https://a.example/?utm_${name}=mail` },
        )
        const consent = JSON.parse(`{"${name}":false}`)
        tracking
          .forSender({ user: { id: 'u1', [name]: 'x' }, consent })
          .track('form send', body, { globals: body })
        await tracking.flush()
      })
      expect(lines).toEqual([])
      expect(segment.calls.map(({ type }) => type)).toEqual(['track', 'track', 'identify', 'track'])
      const [sent, mapped, identified] = segment.calls
      expect(JSON.stringify(sent)).toContain(`"user_session":"s1","${name}":"x","in":{"${name}":1}}`)
      expect(JSON.stringify(mapped)).toContain(`"${name}":"x","rest":{"${name}":"x"`)
      expect(JSON.stringify(identified)).toContain(`"traits":{"${name}":"x","in":{"${name}":1}}`)
      for (const { context, userId } of segment.calls) {
        if (/^[a-z][a-z]*$/.test(name) && userId === undefined)
          expect(context?.campaign).toEqual({ [name]: 'mail' })
        expect(context?.consent).toEqual({ categoryPreferences: { [name]: false } })
      }
    },
  )
})
