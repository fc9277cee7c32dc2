import type { ScopeTracker } from './scope-tracker.js'

/** Knows which scopes are open and what background work goes on, for the shutdown to wait for. */
export class OpenScopes {
  /** Those that have collected something: only they have anything to lose. */
  readonly #collecting = new Set<ScopeTracker>()
  #open = 0
  #work = 0
  #waiting: (() => void)[] = []

  /** A request has begun. */
  began(): void {
    this.#open++
  }

  /** A request that had begun has ended. */
  ended(tracker: ScopeTracker): void {
    this.#open--
    this.#collecting.delete(tracker)
    this.#check()
  }

  /** An open request has collected an event. */
  collected(tracker: ScopeTracker): void {
    this.#collecting.add(tracker)
  }

  /** Work goes on that may still track. Whether it succeeds is not our affair. */
  working(work: PromiseLike<unknown>): void {
    this.#work++
    const done = () => {
      this.#work--
      this.#check()
    }
    // What only looks like a promise may throw: resolving with it makes that a rejection.
    new Promise((resolve) => resolve(work)).then(done, done)
  }

  /** Resolves when no request is open and no work goes on; at once where that is so. */
  drained(): Promise<void> {
    if (this.isDrained) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Whether no request is open and no work goes on. */
  get isDrained(): boolean {
    return this.#open === 0 && this.#work === 0
  }

  /** The open requests that have collected something. */
  collecting(): ScopeTracker[] {
    return [...this.#collecting]
  }

  #check(): void {
    if (this.isDrained) for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
