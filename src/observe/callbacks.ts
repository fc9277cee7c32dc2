import type { DroppedEvent } from '../model/drop.js'
import type { FailedCall } from '../model/failure.js'
import type { SegmentCall } from '../model/segment-call.js'
import type { ShutdownReport } from '../model/shutdown-report.js'
import type { Violation } from '../model/violation.js'
import { isPromise } from '../support/maybe.js'

/** The application's callbacks. One that throws is contained, and reported to `error`. */
export interface TrackingCallbacks {
  /** A call has arrived. */
  delivered?(delivered: { readonly call: SegmentCall }): void
  /** An event became no call. */
  dropped?(dropped: DroppedEvent): void
  /** A call was given up. */
  failed?(failed: FailedCall): void
  /** An event has something otherwise than the tracking plan says. It names no value. */
  violation?(violation: Violation): void
  /** The application's own code failed: a reader, a mapping function, a callback. */
  error?(error: unknown): void
  /** The tracking was shut down. */
  shutdown?(report: ShutdownReport): void
}

/** Calls the application's callbacks. One that throws or rejects costs neither an event nor a response. */
export class Callbacks {
  readonly #on: TrackingCallbacks
  readonly #failed: (name: keyof TrackingCallbacks, error: unknown) => void

  /** @param failed - Receives the name of a callback that failed, and its error. */
  constructor(on: TrackingCallbacks, failed: (name: keyof TrackingCallbacks, error: unknown) => void) {
    this.#on = on
    this.#failed = failed
  }

  /** A call has arrived. */
  delivered(delivered: CallbackPayload<'delivered'>): void {
    if (this.#on.delivered) this.#contain('delivered', () => this.#on.delivered?.(delivered))
  }

  /** An event became no call. */
  dropped(dropped: CallbackPayload<'dropped'>): void {
    if (this.#on.dropped) this.#contain('dropped', () => this.#on.dropped?.(dropped))
  }

  /** A call was given up. */
  failed(failed: CallbackPayload<'failed'>): void {
    if (this.#on.failed) this.#contain('failed', () => this.#on.failed?.(failed))
  }

  /** An event has something otherwise than the tracking plan says. */
  violation(violation: CallbackPayload<'violation'>): void {
    if (this.#on.violation) this.#contain('violation', () => this.#on.violation?.(violation))
  }

  /** The application's own code failed. */
  error(error: unknown): void {
    if (this.#on.error) this.#contain('error', () => this.#on.error?.(error))
  }

  /** Whether the application wants to know which calls have arrived. */
  get hearsDelivered(): boolean {
    return this.#on.delivered !== undefined
  }

  /** The tracking was shut down. */
  shutdown(report: CallbackPayload<'shutdown'>): void {
    if (this.#on.shutdown) this.#contain('shutdown', () => this.#on.shutdown?.(report))
  }

  #contain(name: keyof TrackingCallbacks, run: () => unknown): void {
    const failed = (error: unknown) => {
      this.#failed(name, error)
      if (name !== 'error') this.error(error)
    }
    try {
      const answer = run()
      // A callback may be an async function: its unhandled rejection would end the process.
      if (isPromise(answer)) answer.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }
}

type CallbackPayload<K extends keyof TrackingCallbacks> = Parameters<NonNullable<TrackingCallbacks[K]>>[0]
