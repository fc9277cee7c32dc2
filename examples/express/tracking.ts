import { createTracking, type Tracking, type TrackingConfig } from 'reqtrack'
import { shopConfig as configOfShops } from '../shop/tracking.js'
import { plan } from './plan.js'

/** What all shops have, with a tracking plan. */
export function shopConfig(config: TrackingConfig): TrackingConfig {
  return configOfShops({ plan, ...config })
}

/** The shop's tracking; its tests record instead, with the same config. */
export function createShopTracking(config: TrackingConfig): Tracking {
  return createTracking(shopConfig(config))
}
