import type { Destination } from '@walkeros/core'
import type { DeliveryOptions, Outbox } from '../delivery/index.js'
import type { PeopleMemory } from '../destination/people-memory.js'
import type { Settings } from '../destination/settings.js'
import type { TrackingCallbacks } from '../observe/callbacks.js'

/**
 * The configuration of `createRelay`.
 *
 * @example
 * const config: RelayConfig = {
 *   settings: { writeKey: process.env.SEGMENT_WRITE_KEY ?? '' },
 *   outbox: redisOutbox({ client }),
 * }
 */
export interface RelayConfig {
  /**
   * The Segment settings: the write key whose calls are sent, and how the client sends them. They may be those of the web
   * processes; what makes calls of events is not used here.
   */
  settings: Settings
  /** Where the calls are, such as `redisOutbox({ client })` of `reqtrack/redis`. */
  outbox: Outbox
  /**
   * The memory of people of the web processes, such as `redisMemory({ client })`: a call that fails here is forgotten there,
   * so that the person is told anew. Without one such a person stays remembered.
   */
  memory?: PeopleMemory
  /** How calls are delivered, and how many of them are held at a time. */
  delivery?: Omit<DeliveryOptions, 'outbox' | 'send'>
  /** Callbacks for what becomes of the calls. */
  on?: RelayCallbacks
  /** A name for this relay in logs. Defaults to `reqtrack relay`. */
  id?: string
  /** Level and handler of the log. Defaults to errors on the console. */
  logger?: Destination.Config['logger']
}

/** A relay's callbacks: those of a tracking that mean something here. One that throws is contained, and reported to `error`. */
export type RelayCallbacks = Pick<TrackingCallbacks, 'delivered' | 'failed' | 'error' | 'shutdown'>
