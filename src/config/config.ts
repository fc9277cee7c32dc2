import type { ContextAdapter } from '../context/ambient.js'
import type { DeliveryOptions } from '../delivery/options.js'
import type { SegmentDestinationConfig } from '../destination/settings.js'
import type { TrackingCallbacks } from '../observe/callbacks.js'
import type { RequestOptions } from '../request/sender.js'
import type { DispatchOption } from '../tracker/dispatcher.js'

/**
 * What `createTracking` takes: the walkerOS destination config, and how requests are read and calls delivered.
 *
 * @example
 * const config: TrackingConfig = {
 *   settings: { writeKey: process.env.SEGMENT_WRITE_KEY ?? '' },
 *   mapping: { order: { complete: { name: 'Order Completed' } } },
 *   consent: { analytics: true },
 *   request: { consent: cookiebot() },
 * }
 */
export interface TrackingConfig extends SegmentDestinationConfig {
  /** How a request is read: who sent it, what they agreed to, in which context. */
  request?: RequestOptions
  /**
   * Which requests' events are dispatched: `always` (the default), `success` (answered completely with a status below
   * 400), or what a predicate says of the outcome.
   */
  dispatch?: DispatchOption
  /** How the running request's tracker is found from anywhere. Defaults to AsyncLocalStorage; `false` for not at all. */
  ambient?: ContextAdapter | false
  /** How calls are delivered. */
  delivery?: DeliveryOptions
  /** What the application is told. */
  on?: TrackingCallbacks
}
