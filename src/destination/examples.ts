import type { WalkerOS } from '@walkeros/core'
import type { Rule } from './rule.js'
import type { Env, Settings } from './settings.js'

/** An event, and its calls with a mapping rule and settings. */
export interface StepExample {
  readonly title: string
  readonly description: string
  /** Whether documentation shows it; others are only for tests. Defaults to `true`. */
  readonly public?: boolean
  /** The event as the destination receives it. */
  readonly in: WalkerOS.Event
  /** The rule for the event's entity and action. */
  readonly mapping?: Rule
  /** Settings besides the write key. */
  readonly settings?: Partial<Settings>
  /** The calls in their order: the client's method and its parameters. */
  readonly out: readonly (readonly [callable: string, params: Readonly<Record<string, unknown>>])[]
}

const nothing = () => {}

/** The client that the examples run with, and its methods to observe. */
export const env: { readonly push: Env; readonly simulation: readonly string[] } = {
  push: {
    analytics: {
      track: nothing,
      identify: nothing,
      group: nothing,
      page: nothing,
      screen: nothing,
      alias: nothing,
    },
  },
  simulation: [
    'call:analytics.track',
    'call:analytics.identify',
    'call:analytics.group',
    'call:analytics.page',
    'call:analytics.screen',
  ],
}

const STARTED = Date.UTC(2025, 8, 1, 9, 30)

interface Said {
  data?: WalkerOS.Properties
  user?: WalkerOS.User
  nested?: WalkerOS.Entities
  consent?: WalkerOS.Consent
}

/** A complete walkerOS 4 event, as a collector on a server makes it. */
function event(name: string, second: number, said: Said): WalkerOS.Event {
  const [entity = '', action = ''] = name.split(' ')
  return {
    name,
    data: {},
    context: {},
    globals: {},
    custom: {},
    user: {},
    nested: [],
    consent: {},
    ...said,
    id: `5e9f00d5ca1ab1${second.toString(16).padStart(2, '0')}`,
    trigger: '',
    entity,
    action,
    timestamp: STARTED + second * 1000,
    timing: second,
    source: { type: 'collector', platform: 'server', schema: '4', trace: 'c0ffee5eed5a17edc0ffee5eed5a17ed' },
  }
}

function at(second: number): Date {
  return new Date(STARTED + second * 1000)
}

/** The documented examples of the destination. Each shows its complete configuration. */
export const step: Readonly<Record<string, StepExample>> = {
  anonymousOnly: {
    title: 'Anonymous only',
    description:
      'A visitor who is not signed in is known by the anonymousId alone, which is enough for Segment.',
    in: event('catalogue search', 1, {
      data: { term: 'hiking boots', results: 14 },
      user: { session: 'anon-7f2c' },
    }),
    out: [
      [
        'analytics.track',
        { anonymousId: 'anon-7f2c', timestamp: at(1), event: 'catalogue search', properties: {} },
      ],
    ],
  },

  companyGroup: {
    title: 'Group company',
    description: "A company's change becomes a group call with its traits, and no track call.",
    in: event('company update', 2, {
      data: { id: 'org-311', name: 'Fjord Outfitters', plan: 'team', seats: 12 },
      user: { id: 'ada-12', session: 'anon-7f2c' },
    }),
    mapping: {
      skip: true,
      settings: {
        group: {
          map: {
            groupId: 'data.id',
            traits: { map: { name: 'data.name', plan: 'data.plan', employees: 'data.seats' } },
          },
        },
      },
    },
    out: [
      [
        'analytics.group',
        {
          userId: 'ada-12',
          anonymousId: 'anon-7f2c',
          timestamp: at(2),
          groupId: 'org-311',
          traits: { name: 'Fjord Outfitters', plan: 'team', employees: 12 },
        },
      ],
    ],
  },

  consentForwarding: {
    title: 'Consent forwarding',
    description:
      'Every mapped consent key goes along as a Segment category, refusals included, for Segment to filter by.',
    in: event('newsletter subscribe', 3, {
      data: { list: 'weekly' },
      user: { id: 'ada-12', session: 'anon-7f2c' },
      consent: { analytics: true, marketing: false },
    }),
    settings: { consent: { analytics: 'Analytics', marketing: 'Advertising' } },
    out: [
      [
        'analytics.track',
        {
          userId: 'ada-12',
          anonymousId: 'anon-7f2c',
          timestamp: at(3),
          context: { consent: { categoryPreferences: { Analytics: true, Advertising: false } } },
          event: 'newsletter subscribe',
          properties: {},
        },
      ],
    ],
  },

  defaultTrack: {
    title: 'Default track',
    description:
      'Without a rule an event becomes a track call of its name, with both ids read from the event.',
    in: event('product view', 4, {
      data: { sku: 'HB-42', price: 139.9 },
      user: { id: 'ada-12', session: 'anon-7f2c' },
    }),
    out: [
      [
        'analytics.track',
        {
          userId: 'ada-12',
          anonymousId: 'anon-7f2c',
          timestamp: at(4),
          event: 'product view',
          properties: {},
        },
      ],
    ],
  },

  destinationIdentify: {
    title: 'Destination identify',
    description:
      "With settings.identify a person's first event is preceded by an identify call with their traits.",
    in: event('cart view', 5, {
      data: { items: 2 },
      user: { id: 'ada-12', session: 'anon-7f2c', email: 'ada@example.com', country: 'NO' },
    }),
    settings: { identify: { map: { traits: { map: { email: 'user.email', country: 'user.country' } } } } },
    out: [
      [
        'analytics.identify',
        {
          userId: 'ada-12',
          anonymousId: 'anon-7f2c',
          timestamp: at(5),
          traits: { email: 'ada@example.com', country: 'NO' },
        },
      ],
      [
        'analytics.track',
        { userId: 'ada-12', anonymousId: 'anon-7f2c', timestamp: at(5), event: 'cart view', properties: {} },
      ],
    ],
  },

  mappedEventName: {
    title: 'Renamed event',
    description:
      "A rule gives the event the name and the properties that Segment's e-commerce spec has for an order.",
    in: event('order complete', 6, {
      data: { id: 'A-1009', total: 279.8, currency: 'EUR' },
      user: { id: 'ada-12', session: 'anon-7f2c' },
      nested: [{ entity: 'product', data: { sku: 'HB-42', quantity: 2, price: 139.9 } }],
    }),
    mapping: {
      name: 'Order Completed',
      data: {
        map: {
          order_id: 'data.id',
          revenue: 'data.total',
          currency: 'data.currency',
          products: {
            loop: [
              'nested',
              { map: { product_id: 'data.sku', quantity: 'data.quantity', price: 'data.price' } },
            ],
          },
        },
      },
    },
    out: [
      [
        'analytics.track',
        {
          userId: 'ada-12',
          anonymousId: 'anon-7f2c',
          timestamp: at(6),
          event: 'Order Completed',
          properties: {
            order_id: 'A-1009',
            revenue: 279.8,
            currency: 'EUR',
            products: [{ product_id: 'HB-42', quantity: 2, price: 139.9 }],
          },
        },
      ],
    ],
  },

  pageView: {
    title: 'Page view',
    description: 'A page view becomes a page call with category, name and properties, and no track call.',
    in: event('page view', 7, {
      data: { section: 'Guides', title: 'How to lace boots', path: '/guides/lacing' },
      user: { session: 'anon-7f2c' },
    }),
    mapping: {
      skip: true,
      settings: {
        page: {
          map: {
            category: 'data.section',
            name: 'data.title',
            properties: { map: { path: 'data.path' } },
          },
        },
      },
    },
    out: [
      [
        'analytics.page',
        {
          anonymousId: 'anon-7f2c',
          timestamp: at(7),
          category: 'Guides',
          name: 'How to lace boots',
          properties: { path: '/guides/lacing' },
        },
      ],
    ],
  },

  screenView: {
    title: 'Screen view',
    description: 'A screen of an app, reported by its backend, becomes a screen call and no track call.',
    in: event('screen view', 8, {
      data: { area: 'Shop', screen: 'Basket', orientation: 'portrait' },
      user: { id: 'ada-12' },
    }),
    mapping: {
      skip: true,
      settings: {
        screen: {
          map: {
            category: 'data.area',
            name: 'data.screen',
            properties: { map: { orientation: 'data.orientation' } },
          },
        },
      },
    },
    out: [
      [
        'analytics.screen',
        {
          userId: 'ada-12',
          timestamp: at(8),
          category: 'Shop',
          name: 'Basket',
          properties: { orientation: 'portrait' },
        },
      ],
    ],
  },

  userLoginIdentify: {
    title: 'User login identify',
    description:
      "A login becomes an identify call with the userId and traits of the event's data, and no track call.",
    in: event('user login', 9, {
      data: { account: 'ada-12', mail: 'ada@example.com', plan: 'gold' },
      user: { session: 'anon-7f2c' },
    }),
    mapping: {
      skip: true,
      settings: {
        identify: {
          map: { userId: 'data.account', traits: { map: { email: 'data.mail', plan: 'data.plan' } } },
        },
      },
    },
    out: [
      [
        'analytics.identify',
        {
          userId: 'ada-12',
          anonymousId: 'anon-7f2c',
          timestamp: at(9),
          traits: { email: 'ada@example.com', plan: 'gold' },
        },
      ],
    ],
  },

  ignored: {
    title: 'Ignored event',
    description: 'A rule with ignore makes no call of the event.',
    public: false,
    in: event('heartbeat send', 10, { user: { session: 'anon-7f2c' } }),
    mapping: { ignore: true },
    out: [],
  },
} satisfies Record<string, StepExample>
