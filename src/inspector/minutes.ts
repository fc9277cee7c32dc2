import type { Minute } from './view.js'

const MINUTE_MS = 60_000
const KEPT_MINUTES = 30

/** What is counted for each minute. */
export type Counted = Exclude<keyof Minute, 'at'>

/** Counts per minute, kept for half an hour. */
export class Minutes {
  #minutes: (Record<Counted, number> & { readonly at: number })[] = []

  /** Adds to the current minute. */
  count(what: Counted, times = 1): void {
    const at = minuteOf(Date.now())
    const last = this.#minutes.at(-1)
    if (last?.at === at) {
      last[what] += times
      return
    }
    const minute = { at, tracked: 0, dropped: 0, delivered: 0, failed: 0, retries: 0 }
    minute[what] = times
    this.#minutes = [...this.#minutes, minute].slice(-KEPT_MINUTES)
  }

  /** The last half hour without gaps; the current minute comes last. */
  recent(): Minute[] {
    const now = minuteOf(Date.now())
    const known = new Map(this.#minutes.map((minute) => [minute.at, minute]))
    return Array.from({ length: KEPT_MINUTES }, (_, index) => {
      const at = now - (KEPT_MINUTES - 1 - index) * MINUTE_MS
      return known.get(at) ?? { at, tracked: 0, dropped: 0, delivered: 0, failed: 0, retries: 0 }
    })
  }
}

function minuteOf(time: number): number {
  return Math.floor(time / MINUTE_MS) * MINUTE_MS
}
