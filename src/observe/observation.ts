import type { Observer, Step } from './step.js'

/** Hands steps to whoever watches. Unwatched, `tell` is undefined, and a step costs that check and no more. */
export class Observation {
  /** Tells a step to all observers; `undefined` while there is none. */
  tell: Observer | undefined
  readonly #observers = new Set<Observer>()

  /**
   * Begins to watch.
   *
   * @returns What ends it.
   */
  watch(observer: Observer): () => void {
    this.#observers.add(observer)
    this.tell = (step) => this.#tell(step)
    return () => {
      this.#observers.delete(observer)
      if (this.#observers.size === 0) this.tell = undefined
    }
  }

  #tell(step: Step): void {
    for (const observer of this.#observers) {
      try {
        observer(step)
      } catch {
        // Who watches may not disturb what is watched, and has been told nothing that could be told again.
      }
    }
  }
}
