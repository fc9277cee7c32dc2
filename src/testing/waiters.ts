import { clearTimeout, setTimeout } from '../support/clock.js'
import type { ReceivedCall } from './received-calls.js'

/** The longest delay of a Node timer; with a longer one it would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

interface Waiter {
  offer(call: ReceivedCall): void
  giveUp(reason: string): void
}

/** The waits for calls that have not arrived yet. */
export class Waiters {
  readonly #waiting = new Set<Waiter>()

  /**
   * Waits for further calls.
   *
   * @param pick - Called for every call that arrives; its first result other than `undefined` ends the wait.
   * @param timeoutMs - Milliseconds until the wait fails.
   * @param wanted - Describes the expected calls in the error.
   * @param arrived - Describes the arrived calls in the error.
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

  /** Offers an arrived call to every wait. */
  offer(call: ReceivedCall): void {
    for (const waiter of this.#waiting) waiter.offer(call)
  }

  /** Ends every wait with an error. */
  giveUp(reason: string): void {
    for (const waiter of this.#waiting) waiter.giveUp(reason)
  }
}
