import type { DroppedEvent } from '../model/drop.js'
import type { FailedCall } from '../model/failure.js'
import type { SegmentCall } from '../model/segment-call.js'
import type { ShutdownReport } from '../model/shutdown-report.js'
import { isPromise } from '../support/maybe.js'

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

/** The application's callbacks, contained: one that throws or rejects costs neither an event nor a response. */
export class Callbacks {
  readonly #on: TrackingCallbacks
  readonly #failed: (name: keyof TrackingCallbacks, error: unknown) => void

  /** @param failed - Is told which callback failed, and with what. */
  constructor(on: TrackingCallbacks, failed: (name: keyof TrackingCallbacks, error: unknown) => void) {
    this.#on = on
    this.#failed = failed
  }

  /** A call has arrived. */
  delivered(delivered: Told<'delivered'>): void {
    if (this.#on.delivered) this.#contain('delivered', () => this.#on.delivered?.(delivered))
  }

  /** An event became no call. */
  dropped(dropped: Told<'dropped'>): void {
    if (this.#on.dropped) this.#contain('dropped', () => this.#on.dropped?.(dropped))
  }

  /** A call was given up. */
  failed(failed: Told<'failed'>): void {
    if (this.#on.failed) this.#contain('failed', () => this.#on.failed?.(failed))
  }

  /** Something of the application's failed. */
  error(error: unknown): void {
    if (this.#on.error) this.#contain('error', () => this.#on.error?.(error))
  }

  /** The tracking was shut down. */
  shutdown(report: Told<'shutdown'>): void {
    if (this.#on.shutdown) this.#contain('shutdown', () => this.#on.shutdown?.(report))
  }

  #contain(name: keyof TrackingCallbacks, run: () => unknown): void {
    const failed = (error: unknown) => {
      this.#failed(name, error)
      if (name !== 'error') this.error(error)
    }
    try {
      const answer = run()
      // An async function is a callback, too; its rejection would end the process.
      if (isPromise(answer)) answer.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }
}

type Told<K extends keyof TrackingCallbacks> = Parameters<NonNullable<TrackingCallbacks[K]>>[0]
