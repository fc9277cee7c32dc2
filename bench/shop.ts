import type { IncomingMessage } from 'node:http'
import { header, type Reader, type Rules, type TrackingConfig } from '../src/index.js'

// The shop that all scenarios are about: what it tracks, and how it is configured.

/** What a handler tracks as `order complete`. */
export const ORDER = { id: 'A-1042', total: 129.9, currency: 'EUR' } as const

/** A rule of a name and three data fields. */
export const MAPPING = {
  order: {
    complete: {
      name: 'Order Completed',
      data: { map: { order_id: 'data.id', total: 'data.total', currency: 'data.currency' } },
    },
  },
} satisfies Rules

export const CATEGORIES = { analytics: 'Analytics', marketing: 'Advertising' }

/** The person's choice, as the scenarios' requests carry it. */
export function consentIn(headers: IncomingMessage['headers']): { analytics: boolean; marketing: boolean } {
  return { analytics: headers['x-consent'] === 'analytics', marketing: false }
}

const consent: Reader<{ analytics: boolean; marketing: boolean }> = (request) => consentIn(request.headers)

/** What `createTracking` is given. */
export const CONFIG = {
  settings: { writeKey: 'bench', consent: CATEGORIES },
  mapping: MAPPING,
  consent: { analytics: true },
  request: { userId: header('x-user-id'), consent },
} satisfies TrackingConfig

/** As many events as a handler that imports a file tracks. */
export const EVENTS_OF_A_BURST = 1_000
