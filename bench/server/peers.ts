import { createInstance } from '@amplitude/analytics-node'
import RudderAnalytics from '@rudderstack/rudder-sdk-node'
import { PostHog } from 'posthog-node'
import { ORDER } from '../shop.js'
import { commonOf } from './direct.js'
import type { ServerOptions } from './options.js'
import type { Way } from './way.js'

// What users would take instead, each as its documentation has it, with the same values. What is refused for want of room
// would cost nothing, so that each has room for all.
const ROOM = 1_000_000
const PROPERTIES = { order_id: ORDER.id, total: ORDER.total, currency: ORDER.currency }

type Peers = Extract<ServerOptions['way'], 'posthog' | 'rudder' | 'amplitude'>

export const PEERS: Readonly<Record<Peers, (options: ServerOptions) => Way>> = {
  posthog: openPostHog,
  rudder: openRudder,
  amplitude: openAmplitude,
}

function openPostHog({ host, flushInterval, handler }: ServerOptions): Way {
  const posthog = new PostHog('bench', { host, flushInterval, maxQueueSize: ROOM })
  const capture = ({ userId, timestamp, context }: ReturnType<typeof commonOf>) => {
    const { ip, userAgent, locale, page, consent } = context
    posthog.capture({
      distinctId: userId,
      event: 'Order Completed',
      timestamp,
      properties: {
        ...PROPERTIES,
        $ip: ip,
        $raw_user_agent: userAgent,
        $browser_language: locale,
        $current_url: page?.url,
        $pathname: page?.path,
        consent,
      },
    })
  }
  if (handler !== 'many') return { act: (seen) => capture(commonOf(seen)) }
  return {
    act: (seen) => {
      const common = commonOf(seen)
      const { userId: distinctId } = common
      posthog.identify({ distinctId, properties: { plan: 'pro' } })
      posthog.groupIdentify({
        groupType: 'company',
        groupKey: 'company-7',
        properties: { plan: 'team' },
        distinctId,
      })
      for (let event = 0; event < 5; event++) capture(common)
    },
  }
}

function openRudder({ host, flushInterval }: ServerOptions): Way {
  const rudder = new RudderAnalytics('bench', {
    dataPlaneUrl: host,
    flushInterval,
    maxInternalQueueSize: ROOM,
  })
  return {
    act: (seen) => {
      rudder.track({ ...commonOf(seen), event: 'Order Completed', properties: PROPERTIES })
    },
  }
}

function openAmplitude({ host, flushInterval }: ServerOptions): Way {
  const amplitude = createInstance()
  amplitude.init('bench', { serverUrl: `${host}/2/httpapi`, flushIntervalMillis: flushInterval })
  return {
    act: (seen) => {
      const { userId, timestamp, context } = commonOf(seen)
      const { ip, userAgent, locale, page, consent } = context
      const properties = { ...PROPERTIES, url: page?.url, path: page?.path, consent }
      amplitude.track('Order Completed', properties, {
        user_id: userId,
        time: timestamp.getTime(),
        language: locale,
        user_agent: userAgent,
        ...(ip !== undefined && { ip }),
      })
    },
  }
}
