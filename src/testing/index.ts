/**
 * For tests: a local Segment endpoint, recordings, matchers, and the conformance suite of outboxes.
 *
 * @packageDocumentation
 */

export { assertIdentified, assertKeptToThePlan, assertNotTracked, assertTracked } from './assertions.js'
export type {
  AnswerFault,
  Fault,
  FaultCommon,
  FaultFunction,
  FaultRequest,
  FaultScript,
  HangFault,
  ResetFault,
} from './faults.js'
export { formatCall } from './format-call.js'
export type { Duplicate, ReceivedBatch, RejectedBatch } from './journal.js'
export { type TrackingMatchers, trackingMatchers } from './matchers.js'
export { checkOutbox, type OutboxReport } from './outbox/check.js'
export type { OutboxCheckOptions, OutboxFault } from './outbox/options.js'
export type {
  ReceivedAlias,
  ReceivedCall,
  ReceivedCommon,
  ReceivedGroup,
  ReceivedIdentify,
  ReceivedPage,
  ReceivedScreen,
  ReceivedTrack,
} from './received-calls.js'
export { type RecordedTracking, type RecordingConfig, recordTracking } from './recorder.js'
export { createSegmentServer, type SegmentServer, type SegmentServerOptions } from './segment-server.js'
export type { Outcome } from './sending.js'
