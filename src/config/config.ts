import type { ContextAdapter } from '../context/ambient.js'
import type { DeliveryOptions } from '../delivery/options.js'
import type { BeforeSend } from '../destination/before-send.js'
import type { PeopleMemory } from '../destination/people-memory.js'
import type { SegmentDestinationConfig } from '../destination/settings.js'
import type { TrackingCallbacks } from '../observe/callbacks.js'
import type { ValidateOption } from '../observe/self-check/index.js'
import type { Plan } from '../plan/plan.js'
import type { Globals } from '../request/globals.js'
import type { RequestOptions } from '../request/sender.js'
import type { DispatchOption } from '../tracker/event-way.js'

/**
 * The configuration of `createTracking`: the walkerOS destination config, and how to read requests and deliver calls.
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
  /**
   * Properties that hold for all events, such as release, environment and tenant, or a reader of them. They fill the event's
   * `globals` and lie under the properties of `track`, `page` and `screen`; never in traits.
   */
  globals?: Globals
  /**
   * Sees every call before it is sent, may change it, and withholds it by returning `null`. In a list each function gets the
   * result of the one before. `hashed()` and `only()` make functions for it.
   */
  beforeSend?: BeforeSend | BeforeSend[]
  /** How to read a request: its sender, their consent, its context. */
  request?: RequestOptions
  /**
   * When to dispatch a request's events: `always` (the default), on `success` (a complete response with a status below
   * 400), or if a function of the outcome returns `true`.
   */
  dispatch?: DispatchOption
  /** The tracking plan that events are held to, made by `definePlan` or `segmentPlan` of `reqtrack/plan`. */
  plan?: Plan
  /**
   * Tells the platform to wait, where it freezes a function after its answer: `waitUntil` of `@vercel/functions`, `after` of
   * Next.js. Called at a request's first event, in the handler's own context, with a promise that settles when the events'
   * calls have their outcome, or five seconds after the end. It never rejects.
   */
  waitUntil?: (work: Promise<unknown>) => void
  /** Makes the running request's tracker available everywhere. Defaults to AsyncLocalStorage; `false` turns it off. */
  ambient?: ContextAdapter | false
  /** How to deliver calls. */
  delivery?: DeliveryOptions
  /**
   * Whether the first requests and events are looked at for a setup that cannot work, which the log then says once, as a
   * warning with a code. An object turns single checks off: `{ REQTRACK_NO_TRUST_PROXY: false }`. Defaults to `true`.
   */
  validate?: ValidateOption
  /**
   * Does everything but the requests: calls are made, checked, batched and counted as `delivered`, and nothing leaves the
   * process. It needs no write key and opens no outbox. Defaults to `false`.
   */
  dryRun?: boolean
  /**
   * Remembers who was identified and grouped, for all processes of a fleet, as `redisMemory()` of `reqtrack/redis` does. Without
   * one each process remembers for itself.
   */
  memory?: PeopleMemory
  /** Callbacks for what becomes of events and calls. */
  on?: TrackingCallbacks
}
