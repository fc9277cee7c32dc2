import type { IncomingMessage } from 'node:http'
import { Analytics } from '@segment/analytics-node'
import { startFlow } from '@walkeros/collector'
import { clsHookedContext } from '../../src/context/cls-hooked.js'
import { destinationSegment } from '../../src/destination/index.js'
import { createTracking, type Tracker, type Tracking } from '../../src/index.js'
import { CATEGORIES, CONFIG, consentIn, EVENTS_OF_A_BURST, MAPPING, ORDER } from '../shop.js'
import type { HandlerKind, ServerOptions } from './options.js'

/** What a framework has of a request that a handler's calls need. */
export interface Seen {
  readonly message: IncomingMessage
  readonly ip: string | undefined
  /** The request's tracker, where the tracking is mounted. */
  readonly tracker: Tracker | undefined
}

/** One way to track. */
export interface Way {
  /** The tracking to mount, if any. */
  readonly tracking?: Tracking
  /** What the handler does, by the kind of scenario. */
  readonly act?: (seen: Seen) => void
  /** What has been booked, where somebody keeps books. */
  books?(): unknown
}

export async function openWay(options: ServerOptions): Promise<Way> {
  switch (options.way) {
    case 'bare':
      return {}
    case 'mounted':
      return openMounted(options)
    case 'direct':
      return openDirect(options)
    case 'collector':
      return openCollector(options)
  }
}

function clientOptions({ host, flushAt, flushInterval }: ServerOptions) {
  return { writeKey: 'bench', host, flushAt, flushInterval }
}

async function openMounted(options: ServerOptions): Promise<Way> {
  const tracking = createTracking({
    ...CONFIG,
    settings: { ...CONFIG.settings, ...clientOptions(options) },
    // What is refused for want of room would cost nothing: there is room for all that the SDK takes, which has no bound.
    delivery: { maxPending: 1_000_000, maxBytes: 1024 ** 3 },
    ...(await ambientOf(options)),
  })
  const act: Readonly<Record<HandlerKind, ((tracker: Tracker) => void) | undefined>> = {
    answer: undefined,
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

async function ambientOf({ ambient }: ServerOptions) {
  if (ambient === 'off') return { ambient: false } as const
  if (ambient === undefined) return {}
  const { createNamespace } = (await import('cls-hooked')).default
  return { ambient: clsHookedContext(createNamespace('bench')) }
}

/** The SDK in the handler, as its documentation has it, awaited by nobody; with the same values. */
function openDirect(options: ServerOptions): Way {
  const analytics = new Analytics(clientOptions(options))
  // Without a listener, what the client cannot deliver would end the process.
  analytics.on('error', () => {})
  const track = (common: ReturnType<typeof commonOf>) =>
    analytics.track({
      ...common,
      context: { ...common.context },
      event: 'Order Completed',
      properties: { order_id: ORDER.id, total: ORDER.total, currency: ORDER.currency },
    })
  const act: Readonly<Record<HandlerKind, ((seen: Seen) => void) | undefined>> = {
    answer: undefined,
    awaits: undefined,
    order: (seen) => track(commonOf(seen)),
    many: (seen) => {
      const common = commonOf(seen)
      analytics.identify({ ...common, context: { ...common.context }, traits: { plan: 'pro' } })
      analytics.group({
        ...common,
        context: { ...common.context },
        groupId: 'company-7',
        traits: { plan: 'team' },
      })
      for (let event = 0; event < 5; event++) track(common)
    },
    burst: (seen) => {
      const common = commonOf(seen)
      for (let event = 0; event < EVENTS_OF_A_BURST; event++) track(common)
    },
  }
  const handle = act[options.handler]
  return { ...(handle && { act: handle }) }
}

/** What every call of a request has, written by hand. */
function commonOf({ message, ip }: Seen) {
  const { headers } = message
  const page = headers.referer === undefined ? undefined : new URL(headers.referer)
  const consent = consentIn(headers)
  return {
    userId: String(headers['x-user-id']),
    timestamp: new Date(),
    context: {
      ip,
      userAgent: headers['user-agent'],
      locale: headers['accept-language']?.split(',')[0],
      page: page && { url: page.origin + page.pathname, path: page.pathname },
      consent: {
        categoryPreferences: {
          [CATEGORIES.analytics]: consent.analytics,
          [CATEGORIES.marketing]: consent.marketing,
        },
      },
    },
  }
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
