import type { ReceivedCall } from './received-calls.js'

/** The longest that a Node timer can run; beyond it, it would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

interface Waiter {
  offer(call: ReceivedCall): void
  giveUp(reason: string): void
}

/** Those who wait for a call that has not arrived yet. */
export class Waiters {
  readonly #waiting = new Set<Waiter>()

  /**
   * Waits for calls still to come.
   *
   * @param pick - Asked for every call that arrives; what it returns first, other than `undefined`, is the result.
   * @param timeoutMs - Milliseconds until waiting ends with an error.
   * @param wanted - What is waited for, for the error.
   * @param arrived - Says what did arrive, for the error.
   */
  wait<T>(
    pick: (call: ReceivedCall) => T | undefined,
    timeoutMs: number,
    wanted: string,
    arrived: () => string,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(waiter)
      }
      const waiter: Waiter = {
        offer(call) {
          try {
            const picked = pick(call)
            if (picked === undefined) return
            leave()
            resolve(picked)
          } catch (error) {
            leave()
            reject(error)
          }
        },
        giveUp(reason) {
          leave()
          reject(new Error(`Waited for ${wanted}, but ${reason}. ${arrived()}`))
        },
      }
      const timer = setTimeout(
        () => waiter.giveUp(`it did not arrive within ${timeoutMs} ms`),
        Math.min(timeoutMs, MAX_TIMER_MS),
      )
      this.#waiting.add(waiter)
    })
  }

  /** Shows a call that has just arrived to everyone who waits. */
  offer(call: ReceivedCall): void {
    for (const waiter of this.#waiting) waiter.offer(call)
  }

  /** Ends all waiting with an error. */
  giveUp(reason: string): void {
    for (const waiter of this.#waiting) waiter.giveUp(reason)
  }
}
