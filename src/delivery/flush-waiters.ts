import { clearTimeout, setTimeout } from '../support/clock.js'

interface Waiter {
  readonly upTo: number
  readonly resolve: () => void
}

/**
 * Callers of `flush()` that wait until every earlier call has an outcome. Each waits for at least as many calls as the one
 * before, so that the newest call and the callers that are done are found without a look at the others.
 */
export class FlushWaiters {
  readonly #waiters = new Set<Waiter>()
  #upTo = 0

  /** The newest call that a caller has waited for while anybody waits; `undefined` without a caller. */
  get upTo(): number | undefined {
    return this.#waiters.size > 0 ? this.#upTo : undefined
  }

  /**
   * Resolves when the calls up to a number have outcomes, or the time is over.
   *
   * @param upTo - At least the number of the call before.
   * @param timeoutMs - Milliseconds to wait at most.
   */
  wait(upTo: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        upTo,
        resolve: () => {
          clearTimeout(timer)
          this.#waiters.delete(waiter)
          resolve()
        },
      }
      const timer = setTimeout(waiter.resolve, timeoutMs)
      this.#waiters.add(waiter)
      this.#upTo = upTo
    })
  }

  /** Resolves the callers whose calls are all older than the oldest call without an outcome. */
  settledBefore(oldest: number): void {
    for (const waiter of this.#waiters) {
      if (waiter.upTo >= oldest) return
      waiter.resolve()
    }
  }

  /** Resolves every caller: no further outcome will come. */
  end(): void {
    this.settledBefore(Number.POSITIVE_INFINITY)
  }
}
