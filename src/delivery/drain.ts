import { clearTimeout, setImmediate, setTimeout } from '../support/clock.js'

/** Callers that wait until nothing is left. */
export class Drain {
  readonly #isEmpty: () => boolean
  readonly #waiters = new Set<() => void>()
  #isScheduled = false

  /** @param isEmpty - Whether nothing is left at the moment. */
  constructor(isEmpty: () => boolean) {
    this.#isEmpty = isEmpty
  }

  /** Resolves when nothing is left, or the time is over. */
  wait(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#waiters.delete(done)
        resolve()
      }
      const timer = setTimeout(done, timeoutMs)
      this.#waiters.add(done)
      this.check()
    })
  }

  /** Something has ended: looks on a later turn, since more may come on this one. */
  check(): void {
    if (this.#waiters.size === 0 || this.#isScheduled) return
    this.#schedule()
  }

  /** Resolves every caller. */
  end(): void {
    for (const done of this.#waiters) done()
  }

  /** Kept separate: a function that contains a closure allocates for it on every call. */
  #schedule(): void {
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (this.#isEmpty()) this.end()
    })
  }
}
