import type { HandlerKind, ServerOptions } from './server/options.js'

/** One way to do what a scenario is about. */
export type Variant = Pick<ServerOptions, 'way' | 'ambient' | 'hasPlan'> & {
  readonly name: string
  /** Where it is another than the scenario's. */
  readonly handler?: HandlerKind
  /** Whether it only writes to a Redis, and a relay sends: the relay's CPU is not in its figures. */
  readonly isRelayed?: boolean
}

/** What is measured over HTTP: each variant against the first. */
export interface Scenario {
  readonly id: string
  readonly title: string
  readonly handler: HandlerKind
  /** What each request sends. */
  readonly body?: string
  /** Where it is measured; on Express and Koa, unless it says otherwise. */
  readonly frameworks?: readonly ServerOptions['framework'][]
  /** Whether batches grow with the traffic, as they do by default; else they have the size of the SDK's. */
  readonly hasDefaultBatches?: boolean
  /** How many calls reach Segment for each request. */
  readonly calls: number
  /** What the others are measured against comes first. */
  readonly variants: readonly Variant[]
}

export const FRAMEWORKS = ['express', 'koa', 'fastify', 'hono'] as const

const BARE: Variant = { name: 'bare server', way: 'bare' }
const DIRECT: Variant = { name: 'SDK in the handler', way: 'direct' }
const COLLECTOR: Variant = { name: '@walkeros/collector', way: 'collector' }
const MOUNTED: Variant = { name: 'reqtrack', way: 'mounted' }
const AMBIENT: readonly Variant[] = [
  { name: 'ambient off', way: 'mounted', ambient: 'off' },
  { name: 'ambient on', way: 'mounted' },
]

export const SCENARIOS: readonly Scenario[] = [
  {
    id: 'mounted',
    title: 'mounted, nothing tracked',
    handler: 'answer',
    frameworks: FRAMEWORKS,
    calls: 0,
    variants: [BARE, ...AMBIENT],
  },
  {
    id: 'awaits',
    title: 'mounted, nothing tracked, a handler with 20 awaits',
    handler: 'awaits',
    calls: 0,
    variants: [BARE, ...AMBIENT],
  },
  {
    id: 'one',
    title: 'one event with a mapping rule and a consent map',
    handler: 'order',
    frameworks: FRAMEWORKS,
    calls: 1,
    variants: [DIRECT, MOUNTED],
  },
  {
    id: 'collector',
    title: 'the same, through walkerOS’s collector with this destination',
    handler: 'order',
    calls: 1,
    variants: [COLLECTOR, MOUNTED],
  },
  {
    id: 'places',
    title: 'one event, in every place that an application on Express has for it',
    handler: 'order',
    frameworks: ['express'],
    calls: 1,
    variants: [
      BARE,
      DIRECT,
      MOUNTED,
      { name: 'with a plan', way: 'mounted', hasPlan: true },
      { name: 'tracking.run()', way: 'run' },
      { name: 'send: false, a relay', way: 'mounted', isRelayed: true },
    ],
  },
  {
    id: 'many',
    title: 'five events, one identify and one group a request',
    handler: 'many',
    calls: 7,
    variants: [DIRECT, MOUNTED],
  },
  {
    id: 'collect',
    title: 'an event of a browser, against a route that parses it and answers 204',
    handler: 'collect',
    body: JSON.stringify({
      name: 'product view',
      data: { id: 'P-1', price: 42 },
      consent: { analytics: true },
    }),
    frameworks: ['express'],
    hasDefaultBatches: true,
    calls: 1,
    variants: [
      BARE,
      { name: 'tracked by that route', way: 'mounted', handler: 'parse' },
      { name: 'expressCollect()', way: 'mounted' },
    ],
  },
  {
    // A scenario of its own: promise hooks, once they are on, are paid for by the whole process.
    id: 'cls-hooked',
    title: 'mounted with cls-hooked, a handler with 20 awaits',
    handler: 'awaits',
    calls: 0,
    variants: [BARE, { name: 'cls-hooked', way: 'mounted', ambient: 'cls-hooked' }],
  },
]
