interface Waiting {
  readonly upTo: number
  readonly resolve: () => void
}

/** Callers of `flush()` that wait until every earlier call has an outcome. */
export class FlushWaiters {
  readonly #waiting = new Set<Waiting>()
  #upTo: number | undefined

  /** The newest call that a caller waits for; `undefined` without a caller. */
  get upTo(): number | undefined {
    return this.#upTo
  }

  /**
   * Resolves when the calls up to a number have outcomes, or the time is over.
   *
   * @param timeoutMs - Milliseconds to wait at most.
   */
  wait(upTo: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting: Waiting = {
        upTo,
        resolve: () => {
          clearTimeout(timer)
          this.#waiting.delete(waiting)
          this.#measure()
          resolve()
        },
      }
      const timer = setTimeout(waiting.resolve, timeoutMs)
      this.#waiting.add(waiting)
      this.#measure()
    })
  }

  /** Resolves the callers whose calls are all older than the oldest call without an outcome. */
  settledBefore(oldest: number): void {
    for (const waiting of this.#waiting) if (waiting.upTo < oldest) waiting.resolve()
  }

  /** Resolves every caller: no further outcome will come. */
  end(): void {
    this.settledBefore(Number.POSITIVE_INFINITY)
  }

  #measure(): void {
    this.#upTo = undefined
    for (const { upTo } of this.#waiting) this.#upTo = Math.max(upTo, this.#upTo ?? upTo)
  }
}
