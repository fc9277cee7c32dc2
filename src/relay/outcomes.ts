import type { Logger } from '@walkeros/core'
import type { People } from '../destination/people.js'
import type { FailedCall } from '../model/failure.js'
import type { SegmentCall } from '../model/segment-call.js'
import type { ShutdownReport } from '../model/shutdown-report.js'
import { Callbacks } from '../observe/callbacks.js'
import { LogBursts } from '../observe/log-bursts.js'
import { nameOf } from '../support/log.js'
import type { RelayCallbacks } from './config.js'

/** Tells what has become of a relay's calls. */
export class Outcomes {
  readonly logger: Logger.Instance
  readonly #callbacks: Callbacks

  readonly #people: People | undefined

  /** @param people - Whom a failed call is forgotten of. */
  constructor(logger: Logger.Instance, on: RelayCallbacks = {}, people?: People) {
    this.logger = logger
    this.#people = people
    const bursts = new LogBursts((message, context) => logger.error(message, context))
    this.#callbacks = new Callbacks(on, (name, error) =>
      bursts.say(`the callback on.${name} failed`, { error: nameOf(error) }),
    )
  }

  /** Whether anybody wants to hear of calls that have arrived. */
  get hearsDelivered(): boolean {
    return this.#callbacks.hearsDelivered
  }

  delivered(call: SegmentCall): void {
    this.#callbacks.delivered({ call })
  }

  failed(failed: FailedCall): void {
    this.#people?.failed(failed.call)
    this.#callbacks.failed(failed)
  }

  /**
   * The relay has ended.
   *
   * @param lost - How many calls were given up for it.
   */
  shutdown(report: ShutdownReport, lost: number): void {
    if (lost > 0 || report.timedOut) this.logger.error('the relay was shut down with losses', report)
    else this.logger.info('the relay was shut down', report)
    this.#callbacks.shutdown(report)
  }
}
