import type { Scope } from './scope.js'

/** Counts open scopes and background work, for which the shutdown waits. */
export class OpenScopes {
  /** The scopes that have collected something: only they have anything to lose. */
  readonly #collecting = new Set<Scope>()
  #open = 0
  #work = 0
  #waiting: (() => void)[] = []

  /** A scope has begun. */
  began(): void {
    this.#open++
  }

  /** A scope that had begun has ended. */
  ended(tracker: Scope): void {
    this.#open--
    this.#collecting.delete(tracker)
    this.#check()
  }

  /** An open scope has collected an event. */
  collected(tracker: Scope): void {
    this.#collecting.add(tracker)
  }

  /**
   * Background work has begun that may still track.
   *
   * @param failed - Receives the error that the work rejects with.
   */
  working(work: PromiseLike<unknown>, failed: (error: unknown) => void): void {
    this.#work++
    const done = () => {
      this.#work--
      this.#check()
    }
    // A thenable may throw: resolving with it turns that into a rejection.
    new Promise((resolve) => resolve(work)).catch(failed).then(done, done)
  }

  /** Resolves when no scope is open and no work goes on. */
  drained(): Promise<void> {
    if (this.isDrained) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Whether no scope is open and no work goes on. */
  get isDrained(): boolean {
    return this.#open === 0 && this.#work === 0
  }

  /** The open scopes that have collected something. */
  collecting(): Scope[] {
    return [...this.#collecting]
  }

  #check(): void {
    if (this.isDrained) for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
