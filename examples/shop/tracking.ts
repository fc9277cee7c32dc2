import {
  consentCookie,
  createTracking,
  globalPrivacyControl,
  segmentCookie,
  sessionValue,
  type Tracking,
  type TrackingConfig,
} from 'reqtrack'
import { mapping } from './mapping.js'

/** Who the shop's events are about, what they agreed to, and which Segment calls they make. */
export function shopConfig({ settings, ...options }: TrackingConfig): TrackingConfig {
  return {
    mapping,
    request: {
      userId: sessionValue('userId'),
      // The id of analytics.js in the browser where there is one, so that both speak of the same visitor.
      anonymousId: [segmentCookie(), sessionValue('visitorId')],
      consent: [consentCookie('consent'), globalPrivacyControl()],
    },
    settings: {
      // Sent with every call, for Segment to pass it on only to the destinations that a visitor agreed to.
      consent: { analytics: 'Analytics', marketing: 'Advertising' },
      ...settings,
    },
    ...options,
  }
}

/** The shop's tracking; its tests record instead, with the same config. */
export function createShopTracking(config: TrackingConfig): Tracking {
  return createTracking(shopConfig(config))
}
