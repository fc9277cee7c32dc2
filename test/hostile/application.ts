import { Analytics, type Plugin } from '@segment/analytics-node'
import type { Tracker, TrackingConfig } from '../../src/index.js'
import { definePlan } from '../../src/plan/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { memoryOutbox } from './memory-outbox.js'
import type { Act, Misbehaviour } from './misbehaviour.js'

/** Every function that an application can hand in. */
export const SLOTS = [
  'userId',
  'anonymousId',
  'consent',
  'user',
  'skip',
  'fn',
  'condition',
  'loop',
  'policy',
  'data',
  'dispatch',
  'waitUntil',
  'senderConsent',
  'schema',
  'delivered',
  'dropped',
  'failed',
  'violation',
  'error',
  'shutdown',
  'logger',
  'ambientRun',
  'ambientGet',
  'plugin',
  'pluginLoad',
  'makeRequest',
  'analytics',
  'analyticsFlush',
  'analyticsOn',
  'beforeSend',
  'globals',
  'open',
  'write',
  'take',
  'settle',
  'setAside',
  'isThere',
  'close',
] as const
const OUTBOX_SLOTS = ['open', 'write', 'take', 'settle', 'setAside', 'isThere', 'close'] as const

export type Slot = (typeof SLOTS)[number]
/** Those that misbehave, and how. */
export type Acts = Partial<Record<Slot, Misbehaviour>>

/** Gives functions that do what they should, or misbehave: then their type does not say what they give. */
export function picker(acts: Acts) {
  return <R>(slot: Slot, good: Act = () => undefined): ((...given: unknown[]) => R) => {
    const chosen: object = acts[slot] ?? { act: good }
    return Reflect.get(chosen, 'act')
  }
}

/** The configuration of such an application. */
export function configOf(acts: Acts, segment: SegmentServer): TrackingConfig {
  const pick = picker(acts)
  const standIn = acts.analytics || acts.analyticsFlush || acts.analyticsOn
  const outbox = OUTBOX_SLOTS.some((slot) => acts[slot]) && {
    outbox: memoryOutbox((name) => {
      const slot = OUTBOX_SLOTS.find((each) => each === name && acts[each])
      return slot && (() => pick(slot))
    }),
  }
  const method = pick<void>('analytics', (_params, done) => {
    if (typeof done === 'function') Reflect.apply(done, undefined, [])
  })
  return {
    settings: {
      writeKey: 'test-key',
      host: segment.url,
      flushInterval: 5,
      ...(acts.makeRequest && { httpClient: { makeRequest: pick('makeRequest') } }),
    },
    ...(standIn && {
      env: {
        analytics: {
          track: method,
          identify: method,
          group: method,
          page: method,
          screen: method,
          flush: pick('analyticsFlush'),
          ...(acts.analyticsOn && { on: pick('analyticsOn') }),
        },
      },
    }),
    consent: { analytics: true },
    request: {
      userId: pick('userId', () => 'u-1'),
      anonymousId: pick('anonymousId', () => 'a-1'),
      consent: pick('consent', () => ({ analytics: true })),
      user: pick('user', () => ({ email: 'me@shop.example' })),
      skip: pick('skip', () => false),
    },
    policy: { 'data.total': { fn: pick('policy', () => 1) } },
    data: { fn: pick('data', () => ({ all: 1 })) },
    mapping: {
      order: {
        complete: {
          name: 'Order Completed',
          data: {
            map: {
              total: { fn: pick('fn', () => 7) },
              items: { loop: ['data.items', { fn: pick('loop', () => 1) }] },
            },
          },
        },
        fail: [{ condition: pick('condition', () => true), name: 'Order Failed' }],
      },
    },
    plan: definePlan({
      events: {
        'order complete': {
          schema: {
            '~standard': { version: 1, vendor: 'own', validate: pick('schema', (value) => ({ value })) },
          },
        },
      },
      unplanned: 'report',
      invalid: 'omit',
    }),
    ...(acts.beforeSend && { beforeSend: pick('beforeSend') }),
    ...(acts.globals && { globals: pick('globals') }),
    ...(outbox && { delivery: outbox }),
    ...(acts.dispatch && { dispatch: pick('dispatch') }),
    ...(acts.waitUntil && { waitUntil: pick('waitUntil') }),
    ...((acts.ambientRun || acts.ambientGet) && {
      ambient: {
        run: <T>(tracker: Tracker, work: () => T) => pick<T>('ambientRun', work)(tracker, work),
        get: pick('ambientGet'),
      },
    }),
    logger: { handler: pick('logger'), ...(acts.logger && { level: 'DEBUG' }) },
    on: {
      delivered: pick('delivered'),
      dropped: pick('dropped'),
      failed: pick('failed'),
      violation: pick('violation'),
      error: pick('error'),
      shutdown: pick('shutdown'),
    },
  }
}

/** Registers a plugin that misbehaves with the shared client, as an application would. */
export async function register(analytics: unknown, acts: Acts): Promise<void> {
  if (!(analytics instanceof Analytics)) return
  const pick = picker(acts)
  const load = pick<void>('pluginLoad')
  const run: NonNullable<Plugin['track']> = pick('plugin', (context) => context)
  const plugin: Plugin = {
    name: 'own',
    type: 'before',
    version: '1',
    isLoaded: () => true,
    // Of a `load` that gives a revoked proxy, the client itself leaves a rejection that nobody can handle.
    load: async () => await load(),
    track: run,
    identify: run,
  }
  // What the client says of the plugin is the application's to handle.
  await analytics.register(plugin).catch(() => {})
}
