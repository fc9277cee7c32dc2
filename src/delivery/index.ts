// Delivers calls to Segment: bounded, counted and, with an outbox, stored.
export { watchBooks } from './books-watch.js'
export { Client } from './client.js'
export type { OutcomeListener } from './client-calls.js'
export { Delivery } from './delivery.js'
export type { Health } from './health.js'
export { Ledger, sum, type TrackingStats } from './ledger.js'
export { limitsOf } from './limits.js'
export { type DeliverySetup, openDelivery } from './open.js'
export type { DeliveryOptions } from './options.js'
export type {
  AsideReason,
  Erased,
  Erasure,
  OpenOutbox,
  Outbox,
  OutboxLimits,
  OutboxSession,
  StoredCall,
  TakenCall,
  TakeOptions,
  Waiting,
} from './outbox/outbox.js'
export type { DeliveryListener } from './outcomes.js'
export { createClient } from './own-client.js'
export { Unsettled } from './process-end.js'
export type { ClientOptions, ClientSettings, SegmentClient } from './segment-client.js'
export { analyticsOf } from './segment-client.js'
