import type { Scope } from './scope.js'

interface Waiter {
  /** How many events of the tracker are still waited for. */
  left: number
  readonly resolve: () => void
}

/** Waits for the events that trackers have at some moment, whatever they track afterwards. */
export class PassWaiters {
  readonly #waiters = new Map<Scope, Waiter[]>()

  /** Resolves when so many of a tracker's events, those that are next, are on their way no more. */
  wait(tracker: Scope, events: number): Promise<void> | undefined {
    if (events === 0) return undefined
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(tracker) ?? []
      waiters.push({ left: events, resolve })
      this.#waiters.set(tracker, waiters)
    })
  }

  /** So many of a tracker's events are on their way no more. */
  passed(tracker: Scope, events: number): void {
    if (this.#waiters.size === 0) return
    const waiters = this.#waiters.get(tracker) ?? []
    for (const waiter of waiters) waiter.left -= events
    this.#keep(
      tracker,
      waiters.filter(({ left }) => left > 0),
      waiters.filter(({ left }) => left <= 0),
    )
  }

  /** A tracker has no event on its way: what was waited for may have been discarded, too. */
  ended(tracker: Scope): void {
    if (this.#waiters.size > 0) this.#keep(tracker, [], this.#waiters.get(tracker) ?? [])
  }

  #keep(tracker: Scope, waiting: Waiter[], done: readonly Waiter[]): void {
    if (waiting.length > 0) this.#waiters.set(tracker, waiting)
    else this.#waiters.delete(tracker)
    for (const { resolve } of done) resolve()
  }
}
