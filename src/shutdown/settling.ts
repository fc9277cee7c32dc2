import type { Delivery, Ledger, Unsettled } from '../delivery/index.js'
import type { People } from '../destination/people.js'
import type { ShutdownReport } from '../model/shutdown-report.js'
import type { TimeoutOptions } from '../model/timeout-options.js'
import type { Reporter } from '../observe/reporter.js'
import { openWatches } from '../request/open-watches.js'
import { performance } from '../support/clock.js'
import { answerWithin, timerMs } from '../support/maybe.js'
import { timeoutOf } from '../support/option.js'
import type { Dispatcher } from '../tracker/dispatcher.js'
import type { Scopes } from '../tracker/scopes.js'
import { countdown, endDelivery } from './end-delivery.js'

const DEFAULT_TIMEOUT_MS = 5_000
/** The part of the deadline that open scopes may not use up, because their events need it: a quarter, at most this. */
const MOST_RESERVED_MS = 2_000

/** The parts of a tracking that events pass through, in order. */
export interface SettlingParts {
  readonly scopes: Scopes
  readonly dispatcher: Dispatcher
  readonly people: People
  readonly delivery: Delivery
  readonly ledger: Ledger
  readonly reporter: Reporter
  readonly unsettled: Unsettled
}

/** Waits for open scopes, events and calls to finish, part by part: for a flush, a test or the shutdown. */
export class Settling {
  readonly #parts: SettlingParts
  #shutdown: Promise<ShutdownReport> | undefined

  constructor(parts: SettlingParts) {
    this.#parts = parts
  }

  /** Waits until every call made before has its outcome, or until the time is over. */
  async flush(options?: TimeoutOptions): Promise<void> {
    const { dispatcher, people, delivery } = this.#parts
    const left = countdown(timerMs(timeoutOf(options), DEFAULT_TIMEOUT_MS))
    openWatches.sweep()
    await answerWithin(dispatcher.dispatched(), left())
    await delivery.flush(left())
    await people.settled(left())
  }

  /** Resolves when no scope is open and every event and call has its outcome. */
  async settled(): Promise<void> {
    const { scopes, dispatcher, delivery, ledger } = this.#parts
    do {
      // Loops, because an ended scope may leave work behind, work may track, and events may wait for readers.
      await openWatches.sweepUntil(scopes.open.drained())
      await dispatcher.idle()
      await delivery.flush(DEFAULT_TIMEOUT_MS)
    } while (!scopes.open.isDrained || !dispatcher.isIdle || ledger.stats().calls.pending > 0)
  }

  /** Ends the tracking; later calls get the same promise. */
  shutdown(options?: TimeoutOptions): Promise<ShutdownReport> {
    if (!this.#shutdown) this.#parts.reporter.closing()
    this.#shutdown ??= this.#end(timerMs(timeoutOf(options), DEFAULT_TIMEOUT_MS))
    return this.#shutdown
  }

  /** Delivers the pending calls of a process that has nothing else to do, or reports their loss. */
  async finish(): Promise<void> {
    const left = countdown(DEFAULT_TIMEOUT_MS)
    await this.flush({ timeout: DEFAULT_TIMEOUT_MS - MOST_RESERVED_MS })
    if (this.#parts.unsettled.count > 0) await this.shutdown({ timeout: left() })
  }

  /**
   * The process ends, by `process.exit()` or an exception: the log says what is lost with it.
   *
   * @returns Whether anything is.
   */
  ended(): boolean {
    const { delivery, ledger, reporter } = this.#parts
    const { open } = ledger.stats().events
    const { lost, kept } = delivery.ifEndedNow
    if (open + lost === 0) return false
    reporter.logger.error(
      'the process ended before everything was sent: await tracking.flush() or tracking.shutdown() before process.exit()',
      { events: open, calls: lost, kept },
    )
    return true
  }

  async #end(timeoutMs: number): Promise<ShutdownReport> {
    const { scopes, dispatcher, people, delivery, ledger, reporter } = this.#parts
    const startedAt = performance.now()
    const left = countdown(timeoutMs)
    const drainMs = timeoutMs - Math.min(MOST_RESERVED_MS, timeoutMs / 4)
    const drained = await openWatches.sweepUntil(isDoneWithin(scopes.open.drained(), drainMs))
    scopes.abortCollecting()
    scopes.events.close()
    const dispatched = await isDoneWithin(dispatcher.idle(), left())
    const { report, lost } = await endDelivery(delivery, ledger, left(), startedAt)
    await people.close(left())
    const complete = { ...report, timedOut: report.timedOut || !drained || !dispatched }
    reporter.shutdown(complete, lost)
    return complete
  }
}

async function isDoneWithin(work: Promise<void>, timeoutMs: number): Promise<boolean> {
  const done = work.then(() => true)
  return (await answerWithin(done, timeoutMs)) === true
}
