interface Waiting {
  readonly upTo: number
  readonly resolve: () => void
}

/** Those who wait until all calls that were made before have an outcome. */
export class Flushes {
  readonly #waiting = new Set<Waiting>()
  #upTo: number | undefined

  /** The newest call that somebody waits for; `undefined` where nobody waits. */
  get upTo(): number | undefined {
    return this.#upTo
  }

  /**
   * Waits for the calls up to a number.
   *
   * @param timeoutMs - Milliseconds after which the waiting is over.
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

  /** Ends the waiting for calls that all have their outcome: those before the oldest that has none. */
  settledBefore(oldest: number): void {
    for (const waiting of this.#waiting) if (waiting.upTo < oldest) waiting.resolve()
  }

  /** Ends all waiting: nothing more will have an outcome here. */
  end(): void {
    this.settledBefore(Number.POSITIVE_INFINITY)
  }

  #measure(): void {
    this.#upTo = undefined
    for (const { upTo } of this.#waiting) this.#upTo = Math.max(upTo, this.#upTo ?? upTo)
  }
}
