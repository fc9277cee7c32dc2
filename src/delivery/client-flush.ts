import { clearTimeout, setTimeout } from '../support/clock.js'
import type { Client } from './client.js'

/** New calls wait no longer than this for a flush that hangs. */
const MAX_HOLD_MS = 2_000
const MIN_PAUSE_MS = 50
const MAX_PAUSE_MS = 1_000

/**
 * Flushes the partial batch of the application's own client. New calls would keep the flush from ending, so they wait, but
 * not for long; and a client whose flush changes nothing is not flushed again at once, for ever.
 */
export class ClientFlush {
  readonly #client: Client
  readonly #failed: (error: unknown) => void
  readonly #goOn: () => void
  #running: Promise<void> | undefined
  #isHolding = false
  /** Milliseconds before the next flush, after flushes that brought no outcome. */
  #pauseMs = 0
  #pause: NodeJS.Timeout | undefined
  /** Outcomes since the last flush began. */
  #outcomes = 0

  /**
   * @param failed - The client's `flush()` failed.
   * @param goOn - Calls need not wait any more, or a flush may begin again.
   */
  constructor(client: Client, failed: (error: unknown) => void, goOn: () => void) {
    this.#client = client
    this.#failed = failed
    this.#goOn = goOn
  }

  /** The one that runs. */
  get running(): Promise<void> | undefined {
    return this.#running
  }

  /** Whether new calls wait for it. */
  get isHolding(): boolean {
    return this.#isHolding
  }

  /** The client has reported an outcome. */
  settled(): void {
    this.#outcomes++
  }

  /** Begins one, unless one runs or has just brought nothing. */
  begin(): void {
    if (this.#running || this.#pause) return
    this.#isHolding = true
    this.#outcomes = 0
    const release = () => {
      this.#isHolding = false
      this.#goOn()
    }
    const held = setTimeout(release, MAX_HOLD_MS).unref()
    this.#running = this.#client
      .flush()
      .catch((error: unknown) => this.#failed(error))
      .then(() => {
        clearTimeout(held)
        this.#running = undefined
        this.#pauseUnlessSettled()
        release()
      })
  }

  /** Begins none any more after a pause. */
  stop(): void {
    clearTimeout(this.#pause)
  }

  #pauseUnlessSettled(): void {
    if (this.#outcomes > 0) this.#pauseMs = 0
    else this.#pauseMs = Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, this.#pauseMs * 2))
    if (this.#pauseMs === 0) return
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      this.#goOn()
    }, this.#pauseMs).unref()
  }
}
