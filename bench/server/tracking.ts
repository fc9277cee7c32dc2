import { startFlow } from '@walkeros/collector'
import { clsHookedContext } from '../../src/context/cls-hooked.js'
import { destinationSegment } from '../../src/destination/index.js'
import { createTracking, type Tracker } from '../../src/index.js'
import { ROOM } from '../fleet/room.js'
import { CATEGORIES, CONFIG, consentIn, EVENTS_OF_A_BURST, MAPPING, ORDER } from '../shop.js'
import { openDirect } from './direct.js'
import type { HandlerKind, ServerOptions } from './options.js'
import { clientOptions, type Way } from './way.js'

/** What is refused for want of room would cost nothing: there is room for all that the SDK takes, which has no bound. */
const UNBOUNDED = { maxPending: 1_000_000, maxBytes: 1024 ** 3 }

export async function openWay(options: ServerOptions): Promise<Way> {
  switch (options.way) {
    case 'bare':
      return {}
    case 'mounted':
      return openMounted(options)
    case 'run':
      return openRun(options)
    case 'direct':
      return openDirect(options)
    case 'collector':
      return openCollector(options)
    default:
      // Only where one is measured: to load them all would be in every server's figures.
      return (await import('./peers.js')).PEERS[options.way](options)
  }
}

async function openMounted(options: ServerOptions): Promise<Way> {
  const tracking = createTracking({
    ...CONFIG,
    ...(options.hasPlan && { plan: await openPlan() }),
    settings: { ...CONFIG.settings, ...clientOptions(options) },
    delivery: {
      ...(!options.hasDefaultBounds && UNBOUNDED),
      ...(options.maxInFlight !== undefined && { maxInFlight: options.maxInFlight }),
      ...(options.outbox !== undefined && {
        outbox: (await import('../../src/delivery/outbox/file.js')).fileOutbox({ directory: options.outbox }),
      }),
      ...(options.redis !== undefined && { outbox: await openRedis(options.redis), send: false }),
    },
    ...(await ambientOf(options)),
  })
  const act: Readonly<Record<HandlerKind, ((tracker: Tracker) => void) | undefined>> = {
    answer: undefined,
    collect: undefined,
    parse: undefined,
    awaits: undefined,
    order: (tracker) => tracker.track('order complete', ORDER),
    many: (tracker) => {
      tracker.identify({ plan: 'pro' })
      tracker.group('company-7', { plan: 'team' })
      for (let event = 0; event < 5; event++) tracker.track('order complete', ORDER)
    },
    burst: (tracker) => {
      for (let event = 0; event < EVENTS_OF_A_BURST; event++) tracker.track('order complete', ORDER)
    },
  }
  const handle = act[options.handler]
  return {
    tracking,
    act: handle && (({ tracker }) => tracker && handle(tracker)),
    books: () => tracking.stats(),
  }
}

/** What a handler does that is not mounted: it names the person and the consent itself. */
function openRun(options: ServerOptions): Way {
  const tracking = createTracking({
    ...CONFIG,
    settings: { ...CONFIG.settings, ...clientOptions(options) },
    delivery: UNBOUNDED,
  })
  return {
    act: ({ message: { headers } }) => {
      void tracking.run(
        { user: { id: String(headers['x-user-id']) }, consent: consentIn(headers) },
        ({ track }) => track('order complete', ORDER),
      )
    },
    books: () => tracking.stats(),
  }
}

/** Only where one is measured: zod would be in every server's figures. */
async function openPlan() {
  const { z } = await import('zod')
  const { definePlan } = await import('../../src/plan/index.js')
  return definePlan({
    events: { 'order complete': z.object({ id: z.string(), total: z.number(), currency: z.string() }) },
  })
}

/** Only where one is measured: its client would be in every server's figures. */
async function openRedis(url: string) {
  const { createClient } = await import('redis')
  const { redisOutbox } = await import('../../src/redis/index.js')
  return redisOutbox({ client: await createClient({ url }).connect(), ...ROOM })
}

async function ambientOf({ ambient }: ServerOptions) {
  if (ambient === 'off') return { ambient: false } as const
  if (ambient === undefined) return {}
  const { createNamespace } = (await import('cls-hooked')).default
  return { ambient: clsHookedContext(createNamespace('bench')) }
}

/** walkerOS's own collector, with this package's destination in it. */
async function openCollector(options: ServerOptions): Promise<Way> {
  const { elb } = await startFlow({
    destinations: {
      segment: {
        code: destinationSegment,
        config: {
          settings: { ...clientOptions(options), consent: CATEGORIES, messageId: true },
          mapping: MAPPING,
          consent: CONFIG.consent,
        },
      },
    },
  })
  return {
    act: ({ message: { headers } }) => {
      void elb({
        name: 'order complete',
        data: ORDER,
        user: { id: String(headers['x-user-id']) },
        consent: consentIn(headers),
      })
    },
  }
}
