import type { Analytics } from '@segment/analytics-node'
import { assertFits } from '../config/config-error.js'
import {
  analyticsOf,
  type Delivery,
  type Health,
  Ledger,
  limitsOf,
  openDelivery,
  sum,
  type TrackingStats,
  Unsettled,
  type Waiting,
} from '../delivery/index.js'
import { People } from '../destination/people.js'
import { clientSettings } from '../destination/settings.js'
import type { ShutdownReport } from '../model/shutdown-report.js'
import type { SignalOptions } from '../model/signal-options.js'
import type { TimeoutOptions } from '../model/timeout-options.js'
import { countdown, endDelivery } from '../shutdown/end-delivery.js'
import { shutdownOnSignals } from '../shutdown/on-signals.js'
import { clearInterval, performance, setInterval } from '../support/clock.js'
import { makeDetachable, self } from '../support/detachable.js'
import { openLog } from '../support/log.js'
import { timerMs } from '../support/maybe.js'
import { timeoutOf } from '../support/option.js'
import type { RelayConfig } from './config.js'
import { Outcomes } from './outcomes.js'
import { type RequestCounts, Requests } from './requests.js'
import { relaySchema } from './schema.js'

const DEFAULT_TIMEOUT_MS = 5_000
/** A timer keeps the process running, whatever its client of Redis does; how often it fires does not matter. */
const LONG_MS = 2 ** 30

/** What became of what a relay has taken. */
export interface RelayStats extends TrackingStats {
  /** Requests to Segment. */
  readonly requests: RequestCounts
}

/** Whether a relay can do its work. */
export interface RelayHealth extends Health {
  /** Whether the outbox answers. */
  readonly outbox: 'ok' | 'away'
}

/** A process that only delivers: it takes calls from an outbox that others have written, and sends them. */
export interface Relay {
  /** The one client that sends, for plugins and listeners. */
  readonly segment: Analytics
  /**
   * What became of every call so far: a plain snapshot. A call counts as made when it is taken; a relay has no events.
   */
  stats(): RelayStats
  /** Whether calls get through, and whether the outbox answers; `pending` are those that this relay holds. */
  health(): RelayHealth
  /** What waits in the outbox, of all processes; `undefined` where it cannot tell, or does not answer. */
  waiting(): Promise<Waiting | undefined>
  /**
   * Waits until the outbox has nothing more to take and every call that was taken has its outcome, or the time is over. Never
   * rejects.
   */
  flush(options?: TimeoutOptions): Promise<void>
  /**
   * Takes no more, sends what it holds within the time, and gives back what is not sent: other relays take it at once.
   * Never rejects and never exits; later calls get the same promise.
   */
  shutdown(options?: TimeoutOptions): Promise<ShutdownReport>
  /**
   * Shuts the process down when it is told to end, and exits.
   *
   * @returns What takes the hook away.
   */
  shutdownOnSignals(options?: SignalOptions): () => void
}

/**
 * Makes a relay, which delivers what processes with `delivery: { send: false }` have written. Any number of relays share the
 * work. It keeps the process running until its shutdown.
 *
 * @throws ConfigError that lists every problem of the config.
 *
 * @example
 * const relay = createRelay({
 *   settings: { writeKey: process.env.SEGMENT_WRITE_KEY ?? '' },
 *   outbox: redisOutbox({ client }),
 * })
 * relay.shutdownOnSignals()
 */
export function createRelay(config: RelayConfig): Relay {
  assertFits(relaySchema, config, 'createRelay')
  return new DeliveringRelay(config)
}

class DeliveringRelay implements Relay {
  readonly [self] = this
  readonly segment: Analytics
  readonly #ledger: Ledger
  readonly #delivery: Delivery
  readonly #people: People | undefined
  readonly #outcomes: Outcomes
  readonly #requests = new Requests()
  readonly #alive = setInterval(() => {}, LONG_MS)
  #shutdown: Promise<ShutdownReport> | undefined

  constructor({ settings, outbox, memory, delivery, on, id = 'reqtrack relay', logger }: RelayConfig) {
    const log = openLog(logger, id)
    const unsettled = new Unsettled(
      () => void this.shutdown(),
      () => this.#ended(),
    )
    this.#people = memory && People.of(memory, settings.writeKey, log)
    this.#outcomes = new Outcomes(log, on, this.#people)
    this.#ledger = new Ledger(unsettled)
    this.#delivery = openDelivery({
      client: clientSettings(settings),
      analytics: undefined,
      options: { ...delivery, outbox },
      limits: limitsOf({ ...delivery, outbox }, settings.flushAt),
      ledger: this.#ledger,
      logger: log,
      listener: this.#outcomes,
      unsettled,
      observer: () => this.#requests.count,
    })
    this.segment = analyticsOf(this.#delivery.client)
  }

  stats(): RelayStats {
    return { ...this.#ledger.stats(), requests: this.#requests.counts() }
  }

  health(): RelayHealth {
    return { ...this.#delivery.health(), outbox: this.#delivery.isOutboxAway ? 'away' : 'ok' }
  }

  waiting(): Promise<Waiting | undefined> {
    return this.#delivery.waiting()
  }

  flush(options?: TimeoutOptions): Promise<void> {
    return this.#delivery.drain(timerMs(timeoutOf(options), DEFAULT_TIMEOUT_MS))
  }

  shutdown(options?: TimeoutOptions): Promise<ShutdownReport> {
    this.#shutdown ??= this.#end(timerMs(timeoutOf(options), DEFAULT_TIMEOUT_MS))
    return this.#shutdown
  }

  shutdownOnSignals(options?: SignalOptions): () => void {
    return shutdownOnSignals(
      {
        closing: () => {},
        shutdown: (timeout) => this.shutdown(timeout),
        failedCalls: () => sum(this.#ledger.stats().calls.failed) + this.#delivery.directFailed,
        logger: this.#outcomes.logger,
      },
      options,
    )
  }

  async #end(timeoutMs: number): Promise<ShutdownReport> {
    const left = countdown(timeoutMs)
    const { report, lost } = await endDelivery(this.#delivery, this.#ledger, left(), performance.now())
    await this.#people?.close(left())
    clearInterval(this.#alive)
    this.#outcomes.shutdown(report, lost)
    return report
  }

  /** The process ends by `process.exit()` or an exception: what the outbox has is not lost. */
  #ended(): boolean {
    const { lost, kept } = this.#delivery.ifEndedNow
    if (lost === 0) return false
    this.#outcomes.logger.error(
      'the process ended before everything was sent: await relay.shutdown() before process.exit()',
      { calls: lost, kept },
    )
    return true
  }
}

makeDetachable(DeliveringRelay.prototype, [
  'stats',
  'health',
  'waiting',
  'flush',
  'shutdown',
  'shutdownOnSignals',
])
