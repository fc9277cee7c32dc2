import { describe, expect, it } from 'vitest'
import type { Settings, Tracker } from '../../src/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

const settings: Partial<Settings> = {
  integrations: { All: true, Mixpanel: false, Braze: { tier: 'gold', tags: ['a'] } },
}

async function callsOf(track: (tracker: Tracker) => void, given: Partial<Settings> = settings) {
  const segment = await segmentServer()
  const errors: string[] = []
  const tracking = trackingTo(segment, {
    settings: given,
    logger: { handler: (_level, message) => errors.push(message) },
  })
  const inRequest = await requestsOf(tracking)
  await inRequest(track, { ...visitor('s1') })
  await tracking.flush()
  return { calls: segment.calls, errors, stats: tracking.stats() }
}

const own = { integrations: { Mixpanel: true, Braze: { tier: 'free' }, Slack: false } }
const merged = { All: true, Mixpanel: true, Braze: { tier: 'free' }, Slack: false }

const methods: [string, (tracker: Tracker, options: object) => void][] = [
  [
    'track(name, data, options)',
    (tracker, options) => tracker.track('order complete', { total: 1 }, options),
  ],
  ['track(event)', (tracker, options) => tracker.track({ name: 'order complete', ...options })],
  ['identify(traits, options)', (tracker, options) => tracker.identify({ plan: 'team' }, options)],
  [
    'identify(userId, traits, options)',
    (tracker, options) => tracker.identify('u-2', { plan: 'team' }, options),
  ],
  ['identify(userId, undefined, options)', (tracker, options) => tracker.identify('u-2', undefined, options)],
  ['group(groupId, traits, options)', (tracker, options) => tracker.group('acme', { size: 2 }, options)],
  ['group(groupId, undefined, options)', (tracker, options) => tracker.group('acme', undefined, options)],
  ['page(name, options)', (tracker, options) => tracker.page('Home', options)],
  ['page(page, options)', (tracker, options) => tracker.page({ name: 'Home' }, options)],
  ['screen(undefined, options)', (tracker, options) => tracker.screen(undefined, options)],
  [
    'alias(previousId, options)',
    (tracker, options) => {
      tracker.user({ id: 'u-1' })
      tracker.alias('u-0', options)
    },
  ],
]

/** Those that read the options themselves; the other one is given an event that has been put together. */
const withOptions = methods.filter(([method]) => method !== 'track(event)')

describe('integrations of an event', () => {
  it.each(methods)('lie over those of the settings: %s', async (_method, track) => {
    const { calls } = await callsOf((tracker) => track(tracker, own))
    expect(calls).toHaveLength(1)
    expect(calls[0]?.integrations).toEqual(merged)
  })

  it('are of this event alone', async () => {
    const { calls } = await callsOf((tracker) => {
      tracker.track('order complete', {}, own)
      tracker.track('order view')
    })
    expect(calls.map(({ integrations }) => integrations)).toEqual([merged, settings.integrations])
  })

  it('need none in the settings', async () => {
    const { calls } = await callsOf((tracker) => tracker.track('order complete', {}, own), {})
    expect(calls[0]?.integrations).toEqual(own.integrations)
  })

  it('are copied when the event is tracked', async () => {
    const { calls } = await callsOf((tracker) => {
      const integrations = { Braze: { tier: 'free' } }
      tracker.track('order complete', {}, { integrations })
      integrations.Braze.tier = 'changed'
    }, {})
    expect(calls[0]?.integrations).toEqual({ Braze: { tier: 'free' } })
  })

  it.each([
    ['a string', 'none', undefined],
    ['a list', [true], undefined],
    ['a choice that is a number', { Mixpanel: 1, Slack: false }, { Slack: false }],
    ['an own __proto__', JSON.parse('{"__proto__":{"x":1},"Slack":true}'), { Slack: true }],
  ])('are left out as far as they are %s, and said', async (_what, integrations, expected) => {
    const { calls, errors } = await callsOf((tracker) => {
      tracker.track('order complete', {}, { integrations })
    }, {})
    expect(calls[0]?.integrations ?? {}).toEqual(expected ?? {})
    if (!JSON.stringify(integrations).includes('__proto__'))
      expect(errors.join()).toContain('integrations: expected')
  })

  it('cost their own event alone where they throw', async () => {
    const hostile = {
      get integrations(): never {
        throw new Error('secret')
      },
    }
    const { calls, stats } = await callsOf((tracker) => {
      for (const [, track] of withOptions) track(tracker, hostile)
      tracker.track('order view')
    })
    expect(calls).toMatchObject([{ event: 'order view' }])
    expect(stats.events).toMatchObject({
      tracked: withOptions.length + 1,
      dropped: { error: withOptions.length },
    })
  })

  it('count towards the size of the event', async () => {
    const { stats } = await callsOf((tracker) =>
      tracker.track('order complete', {}, { integrations: { Braze: { big: 'x'.repeat(40_000) } } }),
    )
    expect(stats.events.dropped['too-large']).toBe(1)
  })
})

describe('the options of a method', () => {
  it.each(methods)('say when it happened: %s', async (_method, track) => {
    const { calls } = await callsOf((tracker) => {
      for (const timestamp of [86_400_000, new Date(86_400_000), '1970-01-02T01:00:00+01:00']) {
        track(tracker, { timestamp })
      }
    })
    expect(calls.map(({ timestamp }) => timestamp)).toEqual(Array(3).fill('1970-01-02T00:00:00.000Z'))
  })

  it.each([
    ['a string', 'u-2'],
    ['a list', [1]],
    ['a number', 42],
    ['traits, by mistake', { plan: 'team' }],
  ])('are refused and told of where they are %s', async (_what, options) => {
    const { calls, errors, stats } = await callsOf((tracker) => {
      // @ts-expect-error: what JavaScript lets through.
      tracker.identify('u-2', { plan: 'team' }, options)
      // @ts-expect-error: what JavaScript lets through.
      tracker.group('acme', {}, options)
      // @ts-expect-error: what JavaScript lets through.
      tracker.page('Home', options)
      // @ts-expect-error: what JavaScript lets through.
      tracker.alias('u-0', options)
      // @ts-expect-error: what JavaScript lets through.
      tracker.identify({ plan: 'team' }, options)
    })
    expect(calls).toEqual([])
    expect(stats.events).toMatchObject({ tracked: 5, dropped: { invalid: 5 } })
    expect(errors.join()).toContain('as its options: expected integrations and timestamp')
  })

  it.each([[undefined], [{}]])('may be nothing: %j', async (options) => {
    const { calls } = await callsOf((tracker) => {
      tracker.identify({ plan: 'team' }, options)
      tracker.identify('u-2', {}, options)
      tracker.page('Home', options)
    })
    expect(calls).toMatchObject([
      { type: 'identify', traits: { plan: 'team' }, anonymousId: 's1' },
      { type: 'identify', userId: 'u-2' },
      { type: 'page', name: 'Home' },
    ])
  })
})
