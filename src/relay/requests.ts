import type { RequestReport } from '../observe/step.js'

/** What became of a relay's requests to Segment. */
export interface RequestCounts {
  /** Requests that have ended. */
  readonly made: number
  /** Those of them that Segment has not answered with success. */
  readonly failed: number
  /** Those of them that carried a call whose request had failed before. */
  readonly retried: number
}

/** Counts requests to Segment. */
export class Requests {
  #made = 0
  #failed = 0
  #retried = 0

  /** A request has ended. */
  readonly count = ({ status, isRetry }: RequestReport): void => {
    this.#made++
    if (status === undefined || status < 200 || status >= 300) this.#failed++
    if (isRetry) this.#retried++
  }

  /** A plain copy of the counts. */
  counts(): RequestCounts {
    return { made: this.#made, failed: this.#failed, retried: this.#retried }
  }
}
