import type { HTTPClient, HTTPClientRequest, HTTPResponse } from '@segment/analytics-node'
import type { WalkerOS } from '@walkeros/core'
import type { TrackingConfig } from '../config/config.js'
import { validateConfig } from '../config/validation.js'
import type { Settings } from '../destination/settings.js'
import { hasInternals, internalsOf } from '../frameworks/adapter.js'
import type { DroppedEvent } from '../model/drop.js'
import type { FailedCall } from '../model/failure.js'
import type { TimeoutOptions } from '../model/timeout-options.js'
import { isRecord } from '../model/values.js'
import type { Violation } from '../model/violation.js'
import { inTime } from '../support/maybe.js'
import type { Tracking } from '../tracker/tracking.js'
import { createTracking } from '../tracking.js'
import { assertOptions, assertTimeout } from './arguments.js'
import { checkBatch } from './batch-validation.js'
import { type Duplicate, Journal } from './journal.js'
import { shown } from './partial-match.js'
import { PlanRecord, planRecord } from './plan-record.js'
import type { ReceivedCall } from './received-calls.js'

/** Shorter than a test's time limit in Vitest and Jest, so that this error is the one reported. */
const SETTLE_TIMEOUT_MS = 4_000
/** Stands for a missing write key: nothing is sent that would need one. */
const TEST_KEY = 'test'

/** The config of `recordTracking`: that of `createTracking`, with nothing required. */
export type RecordingConfig = Omit<TrackingConfig, 'settings'> & {
  /** The Segment settings. `writeKey` defaults to `test` if it is missing or empty; nothing is sent to any `host`. */
  settings?: Partial<Settings>
}

/**
 * A tracking that records instead of sending. The lists stay the same arrays, and are in order of time; read them after
 * `await settled()`.
 */
export interface RecordedTracking extends Tracking {
  /** The calls that Segment would have received: the JSON of the wire, as from `createSegmentServer()`. */
  readonly calls: readonly ReceivedCall[]
  /** The messages that it would have received again, such as those of events with the same key. */
  readonly duplicates: readonly Duplicate[]
  /** The complete walkerOS events that were dispatched, including those dropped afterwards. */
  readonly events: readonly WalkerOS.Event[]
  /** The dropped events, with their reasons. */
  readonly drops: readonly DroppedEvent[]
  /** The calls that Segment or its client would have refused. */
  readonly failures: readonly FailedCall[]
  /** What events have otherwise than the tracking plan says. */
  readonly violations: readonly Violation[]
  /**
   * Waits until every request and run has ended and every event has become calls or was dropped. Without it a test can be
   * faster than the server, which dispatches after the response.
   *
   * @param options - `timeout`: milliseconds. Defaults to 4000.
   * @throws If a request or run is still open or background work is still running after the timeout.
   */
  settled(options?: TimeoutOptions): Promise<void>
  /**
   * Empties the lists, and forgets the people and groups already identified, so that the next test starts like the
   * first. Only `stats()` goes on counting.
   */
  clear(): void
}

/**
 * Creates a tracking whose calls are recorded instead of sent. Everything else is as in production: validation of the
 * config, readers, consent, mapping, de-duplication, and the real Segment client with its own errors.
 *
 * @param config - The application's own config, or a part of it. `settings.httpClient` and `env.analytics` are
 * replaced.
 * @throws An error that lists every problem of the config.
 *
 * @example
 * const recorded = recordTracking({ mapping: { order: { complete: { name: 'Order Completed' } } } })
 * await request(createApp(recorded)).post('/orders').send({ product: 'P-1' })
 * await recorded.settled()
 * expect(recorded).toHaveTracked('Order Completed', { total: 42 })
 */
export function recordTracking(config: RecordingConfig = {}): RecordedTracking {
  const journal = new Journal(true)
  const events: WalkerOS.Event[] = []
  const drops: DroppedEvent[] = []
  const failures: FailedCall[] = []
  const violations: Violation[] = []
  const { settings, env, on, validate } = checked(config)
  const tracking = createTracking({
    ...config,
    env: { ...env, analytics: undefined },
    // Segment hears of nobody: other processes must not believe that it does.
    memory: undefined,
    validate: withoutCount(validate),
    settings: {
      ...settings,
      writeKey: settings?.writeKey || TEST_KEY,
      httpClient: new RecordingClient(journal),
    },
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
      violation: (violation) => {
        violations.push(violation)
        return on?.violation?.(violation)
      },
    },
  })
  const { watch, settled, forgetPeople } = internalsOf(tracking, 'recordTracking')
  const plan = new PlanRecord(config.plan !== undefined)
  watch((step) => {
    plan.take(step)
    if (step.type === 'dispatching') events.push(step.walkeros)
  })
  return Object.assign(tracking, {
    calls: journal.calls,
    duplicates: journal.duplicates,
    events,
    drops,
    failures,
    violations,
    [planRecord]: plan,
    async settled(options: TimeoutOptions = {}) {
      assertOptions('settled', options, ['timeout'])
      const { timeout = SETTLE_TIMEOUT_MS } = options
      assertTimeout('settled', timeout)
      await inTime(settled(), timeout, unsettledAfter(timeout))
    },
    clear: () => {
      for (const list of [events, drops, failures, violations]) list.length = 0
      journal.clear()
      plan.clear()
      forgetPeople()
    },
  })
}

/**
 * Checks a config as `createTracking` does, before parts of it are replaced: a replaced part could hide its mistakes.
 *
 * @throws TypeError if it is no config at all, and ConfigError for its problems.
 */
function checked(config: RecordingConfig): RecordingConfig {
  if (typeof config !== 'object' || config === null || hasInternals(config)) {
    const given = hasInternals(config) ? 'a tracking' : shown(config)
    throw new TypeError(
      `recordTracking was given ${given}; expected the config of createTracking, which makes one: recordTracking({ mapping })`,
    )
  }
  const { settings = {} } = config
  validateConfig({
    ...config,
    settings: isRecord(settings) ? { ...settings, writeKey: settings.writeKey || TEST_KEY } : settings,
  })
  return config
}

/** A file of tests has a recording for each of them, which is no mistake. */
function withoutCount(validate: TrackingConfig['validate']): TrackingConfig['validate'] {
  return validate === false
    ? false
    : { ...(typeof validate === 'object' && validate), REQTRACK_CREATED_IN_HANDLER: false }
}

/** The HTTP client that records batches instead of sending them; refuses what Segment refuses. */
class RecordingClient implements HTTPClient {
  readonly #journal: Journal

  /** @param journal - Where to record. */
  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** Called by the SDK for each batch. */
  async makeRequest({ body }: HTTPClientRequest): Promise<HTTPResponse> {
    const bytes = Buffer.from(body)
    const { calls, refusal } = checkBatch(bytes, bytes.length)
    if (refusal !== undefined) return { status: 400, statusText: refusal }
    this.#journal.take(calls)
    return { status: 200, statusText: 'OK' }
  }
}

/** The error message when the timeout is over. */
function unsettledAfter(timeoutMs: number): string {
  return (
    `settled(): after ${timeoutMs} ms a request is still open, or a run or work given to waitUntil() goes on. ` +
    'Does every handler answer, every job end? An event stream has to be closed first.'
  )
}
