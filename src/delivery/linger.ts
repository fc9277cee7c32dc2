import { clearTimeout, setTimeout } from '../support/clock.js'

/** Milliseconds after which it looks again whether more calls have come. */
const STEP_MS = 2
/** Milliseconds that calls wait for others at most. */
const MOST_MS = 20

/** The parts of a linger. */
export interface LingerParts {
  /** Milliseconds that it may take at most, if that is less than twenty. */
  readonly maxMs: number
  /** The number of the newest call. */
  newest(): number
  /** Called when no more calls keep coming, or the time is over. */
  over(): void
}

/**
 * Holds calls that are enough for a batch back while more keep coming, so that one request carries them all. It takes its
 * measure from the traffic: after two milliseconds without a call it is over.
 */
export class Linger {
  readonly #parts: LingerParts
  #timer: NodeJS.Timeout | undefined
  #newest = 0
  #leftMs = 0

  constructor(parts: LingerParts) {
    this.#parts = parts
  }

  /** Begins, unless it has begun. */
  begin(): void {
    if (this.#timer) return
    this.#leftMs = Math.min(MOST_MS, this.#parts.maxMs)
    this.#step()
  }

  /** Ends without a word. */
  end(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #step(): void {
    const stepMs = Math.min(STEP_MS, this.#leftMs)
    this.#leftMs -= stepMs
    this.#newest = this.#parts.newest()
    this.#timer = setTimeout(this.#look, stepMs).unref()
  }

  readonly #look = (): void => {
    this.#timer = undefined
    if (this.#leftMs > 0 && this.#parts.newest() > this.#newest) this.#step()
    else this.#parts.over()
  }
}
