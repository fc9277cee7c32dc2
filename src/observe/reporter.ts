import type { Logger } from '@walkeros/core'
import type { DroppedEvent } from '../model/drop.js'
import type { FailedCall } from '../model/failure.js'
import type { SegmentCall } from '../model/segment-call.js'
import type { ShutdownReport } from '../model/shutdown-report.js'
import type { Violation } from '../model/violation.js'
import { nameOf } from '../support/log.js'
import { placeBelow } from '../support/place.js'
import { Callbacks, type TrackingCallbacks } from './callbacks.js'
import { channels } from './channels.js'
import { LogBursts } from './log-bursts.js'
import { Observation } from './observation.js'
import type { SelfCheck } from './self-check/index.js'
import type { RequestReport } from './step.js'

/** Reports what happens: to the log, the application's callbacks, the diagnostics channels, and observers. */
export class Reporter {
  readonly logger: Logger.Instance
  /** Looks at the first requests and events for a setup that cannot work. */
  readonly checks: SelfCheck
  /** The observers of each step. */
  readonly observation = new Observation()
  /** Whether where something was tracked is told. */
  readonly isDevelopment = process.env.NODE_ENV === 'development'
  readonly #callbacks: Callbacks
  readonly #bursts: LogBursts
  readonly #mistakes = new Set<string>()

  /** @param callbacks - `config.on`. */
  constructor(logger: Logger.Instance, checks: SelfCheck, callbacks: TrackingCallbacks = {}) {
    this.logger = logger
    this.checks = checks
    this.#bursts = new LogBursts((message, context) => logger.error(message, context))
    this.#callbacks = new Callbacks(callbacks, (name, error) =>
      this.#bursts.say(`the callback on.${name} failed`, { error: nameOf(error) }),
    )
  }

  /** The application's own code failed: a reader, a mapping function, an adapter. */
  fault(message: string, error: unknown): void {
    this.#bursts.say(message, { error })
    this.#callbacks.error(error)
  }

  /**
   * A handler called a tracker in a way that cannot work.
   *
   * @param caller - The method that it called: in development the log shows the stack below it.
   */
  misused(problem: string, caller: (...args: never[]) => unknown): void {
    this.#bursts.say(problem, this.isDevelopment ? { stack: placeBelow(caller).stack } : {})
    this.#callbacks.error(new TypeError(problem))
  }

  /** Logs a mistake in how the application is put together: once, since it comes with every request. */
  mistake(problem: string): void {
    if (this.#mistakes.has(problem)) return
    this.#mistakes.add(problem)
    this.logger.error(problem)
  }

  /** The books are wrong: a fault of this package, which development looks for. */
  booksDiffer(difference: object): void {
    this.logger.error(
      'the books do not agree with what is really open and pending: please report this',
      difference,
    )
  }

  /** The tracking plan itself has a fault. */
  wrongPlan(problem: string): void {
    this.#bursts.say(problem, {})
    this.#callbacks.error(new Error(problem))
  }

  /**
   * An event has something otherwise than the tracking plan says.
   *
   * @param isNew - Whether this event has it for the first time, which is logged.
   */
  violated(violation: Violation, isNew: boolean): void {
    if (isNew) this.#logViolation(violation)
    if (channels.violation.hasSubscribers) channels.violation.publish(violation)
    this.#callbacks.violation(violation)
  }

  /** A part of an event had to be left out. */
  incomplete(name: string, problem: string): void {
    this.#bursts.say(`event ${JSON.stringify(name.slice(0, 60))}: ${problem}`, {})
  }

  /**
   * An event was dropped.
   *
   * @param request - The request's number.
   * @param messageId - Empty where the event was refused when it was tracked.
   */
  dropped(dropped: DroppedEvent, request: number, messageId: string): void {
    const { event, reason } = dropped
    this.observation.tell?.({ type: 'dropped', request, event: messageId, name: event.name, reason })
    if (channels.dropped.hasSubscribers) channels.dropped.publish(dropped)
    this.#callbacks.dropped(dropped)
  }

  /** Whether anybody wants to know which calls have arrived. */
  get hearsDelivered(): boolean {
    return this.observation.tell !== undefined || this.#callbacks.hearsDelivered
  }

  /** A call has arrived. */
  delivered(call: SegmentCall): void {
    this.observation.tell?.({ type: 'delivered', call })
    this.#callbacks.delivered({ call })
  }

  /** A call was given up. */
  failed(failed: FailedCall): void {
    this.observation.tell?.({ type: 'failed', ...failed })
    this.#callbacks.failed(failed)
  }

  /** Receives each request to Segment; `undefined` while nobody observes. */
  get requestObserver(): ((report: RequestReport) => void) | undefined {
    return this.observation.tell && this.#requested
  }

  /** The tracking, or its process, is about to end. */
  closing(): void {
    this.checks.closed()
    this.observation.tell?.({ type: 'closing' })
  }

  /**
   * The tracking has ended.
   *
   * @param lost - How many calls were given up during the shutdown.
   */
  shutdown(report: ShutdownReport, lost: number): void {
    if (lost > 0 || report.timedOut) this.logger.error('tracking was shut down with losses', report)
    else this.logger.info('tracking was shut down', report)
    this.#callbacks.shutdown(report)
  }

  #logViolation({ event, problem, expected, outcome, stack }: Violation): void {
    const wanted = expected === undefined ? '' : `, expected ${expected}`
    this.logger.error(
      `event ${JSON.stringify(event.slice(0, 60))} is against the plan: ${problem}${wanted} (${outcome}; said once)`,
      stack === undefined ? {} : { stack },
    )
  }

  readonly #requested = (report: RequestReport): void => {
    this.observation.tell?.({ type: 'request', ...report })
  }
}
