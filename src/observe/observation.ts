import type { Observer, Step } from './step.js'

/** Passes steps to observers. Without one `tell` is undefined, so that a step costs only that check. */
export class Observation {
  /** Passes a step to all observers; `undefined` while there is none. */
  tell: Observer | undefined
  readonly #observers = new Set<Observer>()

  /**
   * Adds an observer.
   *
   * @returns A function that removes it.
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
        // An observer must not disturb what it observes.
      }
    }
  }
}
