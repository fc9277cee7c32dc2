import type { WalkerOS } from '@walkeros/core'
import type { ContextAdapter } from '../context/ambient.js'
import type { FailedCall, Outbox } from '../delivery/index.js'
import type { SegmentDestinationConfig } from '../destination/settings.js'
import type { DropReason, PartialEvent } from '../model/event.js'
import type { SegmentCall } from '../model/segment-call.js'
import type { RequestOptions } from '../request/sender.js'
import type { DispatchOption } from '../tracker/dispatcher.js'

/** An event that became no call, and why. */
export interface DroppedEvent {
  /** The event as far as it had come: as it was tracked, or complete. */
  readonly event: PartialEvent | WalkerOS.Event
  readonly reason: DropReason
  /** The consent keys of which none was granted, where that is the reason. */
  readonly required?: WalkerOS.Consent
}

/** What a shutdown came to. The counts are those of the tracking's whole life. */
export interface ShutdownReport {
  /** Calls that Segment has taken. */
  readonly delivered: number
  /** Calls that were given up before the deadline. */
  readonly failed: number
  /** Events that became no call, for a named reason. */
  readonly dropped: number
  /** Calls without an outcome at the deadline: they may have arrived, and count as failed (`closed`) from then on. */
  readonly pending: number
  /** Calls that wait in an outbox for the next start. */
  readonly kept: number
  /** Milliseconds that the shutdown took. */
  readonly durationMs: number
  /** Whether the deadline passed before everything was done. */
  readonly timedOut: boolean
}

/** What an application can be told. A callback that throws is contained, and told to `error`. */
export interface TrackingCallbacks {
  /** A call has arrived. */
  delivered?(delivered: { readonly call: SegmentCall }): void
  /** An event became no call. */
  dropped?(dropped: DroppedEvent): void
  /** A call was given up. */
  failed?(failed: FailedCall): void
  /** Something of the application's failed on an event's way: a reader, a mapping function, a callback. */
  error?(error: unknown): void
  /** The tracking was shut down. */
  shutdown?(report: ShutdownReport): void
}

/** How calls are delivered, and what those that wait for Segment may take. The bounds hold at any moment. */
export interface DeliveryOptions {
  /** Calls without an outcome. One more is refused: it fails with the reason `overflow`. Defaults to 10000. */
  maxPending?: number
  /** Bytes of JSON of the calls without an outcome; beyond them, too, a call overflows. Defaults to 64 MB (1024 * 1024). */
  maxBytes?: number
  /** Requests to Segment at a time. Defaults to 4. */
  maxInFlight?: number
  /**
   * Milliseconds after which a call that has not arrived is given up: it fails with the reason `expired`. Defaults to 23
   * hours, since Segment recognises a call that arrives twice for about a day.
   */
  maxAge?: number
  /**
   * Keeps calls on disk until Segment has taken them: `fileOutbox({ directory })` of `reqtrack/outbox-file`. None by
   * default: then calls wait in memory, and a process that is killed loses them.
   */
  outbox?: Outbox
}

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
