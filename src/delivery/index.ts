// Between the calls and Segment: what the tracking needs of it.
export { channels } from './channels.js'
export { Client } from './client.js'
export { Delivery, type FailedCall } from './delivery.js'
export type { Health } from './health.js'
export { type FailureReason, Ledger, sum, type TrackingStats } from './ledger.js'
export { limitsOf } from './limits.js'
export type { Outbox } from './outbox/outbox.js'
export type { RequestReport } from './transport.js'
