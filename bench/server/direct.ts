import { Analytics } from '@segment/analytics-node'
import { CATEGORIES, consentIn, EVENTS_OF_A_BURST, ORDER } from '../shop.js'
import type { HandlerKind, ServerOptions } from './options.js'
import { clientOptions, type Seen, type Way } from './way.js'

/** The SDK in the handler, as its documentation has it, awaited by nobody; with the same values. */
export function openDirect(options: ServerOptions): Way {
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
    collect: undefined,
    parse: undefined,
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
export function commonOf({ message, ip }: Seen) {
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
