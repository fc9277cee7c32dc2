// Mappings and whole events, checked by the application's events.
import {
  createTracking,
  type Rule,
  type RuleEvent,
  type Rules,
  segmentEcommerce,
  type Tracker,
} from 'reqtrack'

const settings = { writeKey: 'KEY' }

export const mapping: Rules = {
  order: {
    complete: [
      {
        name: 'Large Order',
        condition: (event, context) => event.data.total + context.event.data.total > 2000,
        data: { map: { revenue: 'data.total', coupon: { key: 'data.coupon', value: 'none' } } },
      },
      {
        data: {
          map: {
            cents: { fn: (_, { event }) => event.data.total * 100 },
            coupon: { condition: (_, { event }) => event.data.coupon !== undefined, key: 'data.coupon' },
            items: { loop: ['nested', { fn: (_, { event }) => event.data.total }] },
          },
        },
        policy: { 'data.total': { fn: async (_, { event }) => Math.round(event.data.total) } },
        settings: { identify: { map: { traits: { fn: (_, { event }) => ({ spent: event.data.total }) } } } },
        sample: 0.5,
      },
    ],
    refund: {
      condition: (event) => event.data.at.startsWith('2025') && event.data.amounts.length > 0,
      data: { fn: (_, { event }) => event.data.reason satisfies 'damaged' | 'late' },
    },
    '*': { condition: (event) => 'total' in event.data && event.data.total > 1 },
  },
  Checkout: {
    'Step Viewed': { condition: (event) => event.data.step > 1 },
    'Step Completed': { condition: (event) => event.data.method === null },
    Step: { condition: (event) => event.data.step > 1 },
    '*': {},
  },
  Subscribed: { '*': { condition: (event) => event.data.list !== '' } },
  '*': { complete: { condition: (event) => event.data.total > 1 }, '*': { ignore: true } },
}

createTracking({ settings, mapping })
createTracking({ settings, mapping: segmentEcommerce() })
createTracking({
  settings,
  mapping: {
    ...segmentEcommerce(),
    order: { ...segmentEcommerce().order, complete: { condition: (event) => event.data.total > 1 } },
  },
})

const perEvent: Rule<{ total: number }> = { condition: (event) => event.data.total > 1 }
const event: RuleEvent<{ total: number }> = { data: { total: 1 }, name: 'order complete' }
createTracking({ settings, mapping: { order: { complete: perEvent } } })
export const total: number = event.data.total

createTracking({
  settings,
  mapping: {
    // @ts-expect-error: no such action
    order: { compelte: { name: 'Order Completed' } },
  },
})
createTracking({
  settings,
  mapping: {
    // @ts-expect-error: no such entity
    orders: { complete: {} },
  },
})
createTracking({
  settings,
  mapping: {
    // @ts-expect-error: a single word has no action
    Subscribed: { now: {} },
  },
})
createTracking({
  settings,
  mapping: {
    // @ts-expect-error: no such action of any entity
    '*': { begin: {} },
  },
})
export const wrong: Rules = {
  order: {
    complete: {
      // @ts-expect-error: no such property
      condition: (event) => event.data.sum > 1,
      // @ts-expect-error: no such field
      renamed: 'Order Completed',
      data: {
        map: {
          // @ts-expect-error: no such property
          cents: { fn: (_, { event }) => event.data.cents },
          // @ts-expect-error: it is a number
          text: { fn: (_, { event }) => event.data.total.trim() },
        },
      },
    },
    refund: {
      // @ts-expect-error: a date has become a string
      condition: (event) => event.data.at.getTime() > 0,
    },
    // @ts-expect-error: not every event of the entity has it
    '*': { condition: (event) => event.data.total > 1 },
  },
}

export function whole(tracker: Tracker): void {
  tracker.track({ name: 'order complete', data: { total: 42 }, context: { stage: ['checkout', 0] } })
  tracker.track({ name: 'order refund', data: { at: new Date(), amounts: new Set([1]), reason: 'late' } })
  tracker.track({ name: 'session start' })
  tracker.track({ name: 'session start', data: {}, timestamp: new Date(), integrations: { All: false } })
  // @ts-expect-error: no such event
  tracker.track({ name: 'order completed', data: { total: 42 } })
  // @ts-expect-error: the data is missing
  tracker.track({ name: 'order complete' })
  // @ts-expect-error: a property is missing
  tracker.track({ name: 'order complete', data: { coupon: 'SUMMER' } })
  // @ts-expect-error: a property is of another type
  tracker.track({ name: 'order complete', data: { total: '42' } })
  // @ts-expect-error: no such property
  tracker.track({ name: 'session start', data: { by: 'passkey' } })
  // @ts-expect-error: no such member
  tracker.track({ name: 'session start', properties: {} })
  // @ts-expect-error: the name is missing
  tracker.track({ data: { total: 42 } })
}

export function withOptions(tracker: Tracker): void {
  const options = { integrations: { Mixpanel: false }, timestamp: new Date() }
  tracker.identify({ plan: 'pro' }, options)
  tracker.identify('u-1', { plan: 'pro' }, options)
  tracker.identify('u-1', undefined, options)
  tracker.group('G-1', { size: 1 }, options)
  tracker.page('Home', options)
  tracker.screen({ name: 'Cart' }, options)
  tracker.alias('u-0', options)
  // @ts-expect-error: these are no options
  tracker.identify({ plan: 'pro' }, { email: 'a@example.org' })
  // @ts-expect-error: no such option
  tracker.page('Home', { integration: {} })
}
