import { clearTimeout, setTimeout } from '../../support/clock.js'

const FIRST_PAUSE_MS = 100
/** Milliseconds that a pause comes to where nothing else is said. */
export const LONGEST_PAUSE_MS = 5_000

/** The outbox was closed while something was tried again. */
export class Closed extends Error {
  override readonly message = 'the outbox was closed'
}

/** What is handed out where all was closed meanwhile. Any other error is thrown again. */
export function nothingIfClosed(error: unknown): never[] {
  if (error instanceof Closed) return []
  throw error
}

/** Tries things again with longer and longer pauses, until all of it is closed. */
export class Retries {
  readonly #firstPauseMs: number
  readonly #longestPauseMs: number
  /** What ends each wait. */
  readonly #ends = new Set<() => void>()
  #isClosed = false

  /**
   * @param longestPauseMs - Milliseconds that a pause may come to, the first one at least. Defaults to five seconds.
   * @param firstPauseMs - Milliseconds. Each further pause is twice as long.
   */
  constructor(longestPauseMs = LONGEST_PAUSE_MS, firstPauseMs = FIRST_PAUSE_MS) {
    this.#firstPauseMs = firstPauseMs
    this.#longestPauseMs = Math.max(firstPauseMs, longestPauseMs)
  }

  /** Whether nothing is tried any more. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Does something until it succeeds.
   *
   * @param failed - Is told each time why it does not.
   * @throws Closed when all is closed meanwhile.
   */
  async until<T>(work: () => Promise<T>, failed: (error: unknown) => void): Promise<T> {
    for (let pauseMs = this.#firstPauseMs; ; pauseMs = Math.min(this.#longestPauseMs, pauseMs * 2)) {
      if (this.#isClosed) throw new Closed()
      try {
        return await work()
      } catch (error) {
        if (error instanceof Closed) throw error
        failed(error)
        await this.#pause(pauseMs)
      }
    }
  }

  /**
   * Waits for an answer however long it takes.
   *
   * @throws Closed when all is closed meanwhile, or what the answer rejects with.
   */
  async whileOpen<T>(answer: Promise<T>): Promise<T> {
    let end = () => {}
    const closing = new Promise<never>((_, reject) => {
      end = () => reject(new Closed())
      this.#ends.add(end)
    })
    try {
      return await Promise.race([answer, closing])
    } finally {
      this.#ends.delete(end)
    }
  }

  /** Ends everything that waits. */
  close(): void {
    this.#isClosed = true
    for (const end of [...this.#ends]) end()
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#ends.delete(end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      timer.unref()
      this.#ends.add(end)
    })
  }
}
