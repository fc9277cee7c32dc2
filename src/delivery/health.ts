import type { GateState } from './gate.js'

/** Whether calls get through. */
export interface Health {
  /**
   * `ok`; `retrying` while Segment cannot be reached or answers with errors; `refused` while it does not accept the write
   * key; `closed` after the shutdown.
   */
  readonly state: 'ok' | 'retrying' | 'refused' | 'closed'
  /** Milliseconds since 1970 at which this state began. */
  readonly since: number
  /** Calls without an outcome. */
  readonly pending: number
  /** Milliseconds that the oldest of them has waited; 0 without one. */
  readonly oldestPendingMs: number
  /** The last error, if there was one. */
  readonly lastError: string | undefined
}

/** The state of the delivery, and since when it holds. */
export class HealthState {
  #state: Health['state'] = 'ok'
  #since = Date.now()

  /** Sets the state; `closed` is final. */
  set(state: GateState | 'closed'): void {
    if (state === this.#state || this.#state === 'closed') return
    this.#state = state
    this.#since = Date.now()
  }

  /** The state with the given details. */
  health(now: Pick<Health, 'pending' | 'oldestPendingMs' | 'lastError'>): Health {
    return { state: this.#state, since: this.#since, ...now }
  }
}
