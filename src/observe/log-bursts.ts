import { Burst } from '../support/log.js'

/** Problems quote event names, which a visitor's words may end up in: without a bound they would fill the memory. */
const MAX_PROBLEMS = 100

/** Logs each problem once a burst, and counts how often it came in between. */
export class LogBursts {
  readonly #write: (message: string, context: Record<string, unknown>) => void
  readonly #bursts = new Map<string, Burst>()

  /** @param write - Writes one line. */
  constructor(write: (message: string, context: Record<string, unknown>) => void) {
    this.#write = write
  }

  /** Logs a problem, unless its burst has been logged. */
  say(problem: string, context: Record<string, unknown>): void {
    let burst = this.#bursts.get(problem)
    if (!burst) {
      if (this.#bursts.size >= MAX_PROBLEMS) this.#bursts.clear()
      burst = new Burst(this.#write)
      this.#bursts.set(problem, burst)
    }
    burst.say(problem, context)
  }
}
