/** A call that has to arrive. */
export interface ExpectedCall {
  readonly type: 'track' | 'identify' | 'group' | 'page'
  /** The event of a track, the id of a group, category and name of a page; empty for an identify. */
  readonly name: string
  /** The user whom the call has to name; without it, it must not name any. */
  readonly userId?: string
  /** Properties or traits that the call has to have, among others. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** One request, and the calls that have to come of it. */
export interface Step {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Sent as JSON. */
  readonly body?: Readonly<Record<string, unknown>>
  readonly status: number
  readonly calls: readonly ExpectedCall[]
}

/** What a visitor does in the shop, one request after the other. */
export interface Journey {
  readonly visitor: string
  /** The cookies that their browser has from the start, as they are sent. */
  readonly cookies: Readonly<Record<string, string>>
  /** The anonymousId that all of their calls have to have; without it, one that is theirs alone. */
  readonly anonymousId?: string
  /** The consent that all of their calls have to carry. */
  readonly consent: Readonly<Record<string, boolean>>
  readonly steps: readonly Step[]
}

/** Three visitors who use the shop at the same time. */
export const journeys: readonly Journey[] = [
  // Ada has agreed to analytics, and analytics.js in her browser knows her.
  {
    visitor: 'Ada',
    cookies: {
      ajs_anonymous_id: 'ada-laptop',
      consent: encodeURIComponent('{"analytics":true,"marketing":false}'),
    },
    anonymousId: 'ada-laptop',
    consent: { Analytics: true, Advertising: false },
    steps: [
      ...looksAround(),
      {
        method: 'POST',
        path: '/login',
        body: { user: 'ada' },
        status: 200,
        calls: [{ type: 'identify', name: '', userId: 'ada', details: { name: 'Ada Lovelace' } }],
      },
      {
        method: 'POST',
        path: '/orders',
        body: { product: 'tent', quantity: 2 },
        status: 201,
        calls: [{ type: 'track', name: 'Order Completed', userId: 'ada', details: { total: 698 } }],
      },
      {
        method: 'POST',
        path: '/company',
        body: { company: 'engines' },
        status: 200,
        calls: [{ type: 'group', name: 'engines', userId: 'ada', details: { name: 'Analytical Engines' } }],
      },
      {
        method: 'POST',
        path: '/logout',
        status: 200,
        calls: [{ type: 'track', name: 'Signed Out', userId: 'ada' }],
      },
    ],
  },
  // Grace is new here and has agreed to everything.
  {
    visitor: 'Grace',
    cookies: { consent: encodeURIComponent('{"analytics":true,"marketing":true}') },
    consent: { Analytics: true, Advertising: true },
    steps: [
      ...looksAround(),
      {
        method: 'POST',
        path: '/login',
        body: { user: 'grace' },
        status: 200,
        calls: [{ type: 'identify', name: '', userId: 'grace', details: { name: 'Grace Hopper' } }],
      },
      {
        method: 'POST',
        path: '/newsletter',
        status: 200,
        calls: [{ type: 'identify', name: '', userId: 'grace', details: { newsletter: true } }],
      },
      {
        method: 'POST',
        path: '/company',
        body: { company: 'compilers' },
        status: 200,
        calls: [{ type: 'group', name: 'compilers', userId: 'grace', details: { plan: 'enterprise' } }],
      },
      {
        method: 'POST',
        path: '/orders',
        body: { product: 'lantern' },
        status: 201,
        calls: [{ type: 'track', name: 'Order Completed', userId: 'grace', details: { total: 42 } }],
      },
    ],
  },
  // The guest has not said what they agree to: nothing comes of what they only look at.
  {
    visitor: 'the guest',
    cookies: {},
    consent: { Analytics: false, Advertising: false },
    steps: [
      ...looksAround().map((step) => ({ ...step, calls: [] })),
      {
        method: 'POST',
        path: '/orders',
        body: { product: 'mug' },
        status: 201,
        calls: [{ type: 'track', name: 'Order Completed', details: { total: 18 } }],
      },
      {
        method: 'GET',
        path: '/stock',
        status: 503,
        calls: [{ type: 'track', name: 'stock request' }],
      },
    ],
  },
]

function looksAround(): Step[] {
  return [
    { method: 'GET', path: '/', status: 200, calls: [{ type: 'page', name: 'Shop Catalogue' }] },
    {
      method: 'GET',
      path: '/products/tent',
      status: 200,
      calls: [{ type: 'track', name: 'Product Viewed', details: { product_id: 'tent', price: 349 } }],
    },
  ]
}
