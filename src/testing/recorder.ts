import type { HTTPClient, HTTPClientRequest, HTTPResponse } from '@segment/analytics-node'
import type { WalkerOS } from '@walkeros/core'
import type { TrackingConfig } from '../config/config.js'
import type { Settings } from '../destination/settings.js'
import { internalsOf } from '../frameworks/adapter.js'
import type { DroppedEvent } from '../model/drop.js'
import type { FailedCall } from '../model/failure.js'
import type { TimeoutOptions } from '../shutdown/settling.js'
import { inTime } from '../support/maybe.js'
import { createTracking, type Tracking } from '../tracking.js'
import { checkBatch } from './batch-validation.js'
import type { ReceivedCall } from './received-calls.js'

/** Below the time that Vitest and Jest give a test, so that what is said is why. */
const SETTLE_TIMEOUT_MS = 4_000

/** What `recordTracking` takes: the config of `createTracking`, of which nothing is required. */
export type RecordingConfig = Omit<TrackingConfig, 'settings'> & {
  /** The Segment settings. `writeKey` defaults to `test`; nothing is sent to any `host`. */
  settings?: Partial<Settings>
}

/**
 * A tracking that records instead of sending. The lists are always the same arrays, in the order in which things
 * happened; read them after `await settled()`.
 */
export interface RecordedTracking extends Tracking {
  /** The calls that Segment would have got: the JSON of the wire, as `createSegmentServer()` receives it. */
  readonly calls: readonly ReceivedCall[]
  /** The complete walkerOS events that were dispatched, also those that were then dropped. */
  readonly events: readonly WalkerOS.Event[]
  /** The events that became no call, and why. */
  readonly drops: readonly DroppedEvent[]
  /** The calls that Segment, or its client, would not have taken. */
  readonly failures: readonly FailedCall[]
  /**
   * Waits until every request has ended and every event has become calls or was dropped; at once where that is so.
   * Without it a test can be faster than the server, which dispatches after the response.
   *
   * @param options - `timeout`: milliseconds. Defaults to 4000.
   * @throws If a request is still open when the time is over, or background work goes on.
   */
  settled(options?: TimeoutOptions): Promise<void>
  /**
   * Empties the lists, and forgets whom `identify` and `group` have told about: the next test begins as the first did.
   * Only `stats()` goes on counting.
   */
  clear(): void
}

/**
 * Makes a tracking whose calls are recorded instead of sent. All else is as in production: the config's validation,
 * readers, consent, mapping, de-duplication, and the real Segment client, which throws for what it throws there.
 *
 * @param config - The application's own config, or a part of it. `settings.httpClient` and `env.analytics` are replaced.
 * @throws One error that lists every problem of the config.
 *
 * @example
 * const recorded = recordTracking({ mapping: { order: { complete: { name: 'Order Completed' } } } })
 * await request(createApp(recorded)).post('/orders').send({ product: 'P-1' })
 * await recorded.settled()
 * expect(recorded).toHaveTracked('Order Completed', { total: 42 })
 */
export function recordTracking(config: RecordingConfig = {}): RecordedTracking {
  const calls: ReceivedCall[] = []
  const events: WalkerOS.Event[] = []
  const drops: DroppedEvent[] = []
  const failures: FailedCall[] = []
  const { settings, env, on } = config
  const tracking = createTracking({
    ...config,
    env: { ...env, analytics: undefined },
    settings: { writeKey: 'test', ...settings, httpClient: new RecordingClient(calls) },
    on: {
      ...on,
      dropped: (dropped) => {
        drops.push(dropped)
        return on?.dropped?.(dropped)
      },
      failed: (failed) => {
        failures.push(failed)
        return on?.failed?.(failed)
      },
    },
  })
  const { watch, settled, forgetPeople } = internalsOf(tracking, 'recordTracking')
  watch((step) => {
    if (step.type === 'dispatching') events.push(step.walkeros)
  })
  return Object.assign(tracking, {
    calls,
    events,
    drops,
    failures,
    settled: ({ timeout = SETTLE_TIMEOUT_MS }: TimeoutOptions = {}) =>
      inTime(settled(), timeout, unsettledAfter(timeout)),
    clear: () => {
      for (const list of [calls, events, drops, failures]) list.length = 0
      forgetPeople()
    },
  })
}

/** Stands where the way to Segment begins: takes batches, and refuses what Segment refuses. */
class RecordingClient implements HTTPClient {
  readonly #calls: ReceivedCall[]

  /** @param calls - Where to record. */
  constructor(calls: ReceivedCall[]) {
    this.#calls = calls
  }

  /** Called by the SDK with one batch. */
  async makeRequest({ body }: HTTPClientRequest): Promise<HTTPResponse> {
    const bytes = Buffer.from(body)
    const { calls, refusal } = checkBatch(bytes, bytes.length)
    if (refusal !== undefined) return { status: 400, statusText: refusal }
    this.#calls.push(...calls)
    return { status: 200, statusText: 'OK' }
  }
}

/** Why it takes so long to settle. */
function unsettledAfter(timeoutMs: number): string {
  return (
    `settled(): after ${timeoutMs} ms a request is still open, or work given to waitUntil() goes on. ` +
    'Does every handler answer? An event stream has to be closed first.'
  )
}
