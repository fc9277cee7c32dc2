import type { ClientCalls } from './client-calls.js'
import { ClientEvents } from './client-events.js'
import { ClientWatch } from './client-watch.js'
import { SdkOnlookers } from './sdk-onlookers.js'
import { type SdkTraits, type SegmentClient, sdkTraitsOf } from './segment-client.js'

/** The SDK's client or a stand-in, with everything that finds out what becomes of its calls. */
export class ObservedClient {
  readonly analytics: SegmentClient
  /** Whether the transport is ours, and knows the outcome of every request. */
  readonly isOwn: boolean
  /** What the SDK's client keeps to itself; `undefined` for any other stand-in. */
  readonly traits: SdkTraits | undefined
  /** `undefined` where a stand-in emits nothing: a call then has its outcome when its method has returned or its promise has settled. */
  readonly events: ClientEvents | undefined
  readonly watch: ClientWatch
  readonly #onlookers: SdkOnlookers | undefined

  /** @param isOwn - Whether this package has made it, and nobody else has seen it yet. */
  constructor(analytics: SegmentClient, calls: ClientCalls, isOwn: boolean) {
    this.analytics = analytics
    this.isOwn = isOwn
    this.traits = sdkTraitsOf(analytics)
    this.watch = new ClientWatch(this, calls)
    this.events = typeof analytics.on === 'function' ? new ClientEvents(this, calls) : undefined
    this.#onlookers = isOwn ? new SdkOnlookers(analytics) : undefined
  }

  /** Whether nobody but this package sees what the SDK does with calls. */
  get isUnseen(): boolean {
    return this.#onlookers?.areThere === false
  }
}
