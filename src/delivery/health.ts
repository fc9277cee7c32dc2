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
  /** How long the oldest of them has waited, in milliseconds; 0 where there is none. */
  readonly oldestPendingMs: number
  /** What went wrong last, if anything did. */
  readonly lastError: string | undefined
}

/** Remembers how the delivery is, and since when. */
export class Condition {
  #state: Health['state'] = 'ok'
  #since = Date.now()

  /** The state changes; the last one stays: closed. */
  turn(state: GateState | 'closed'): void {
    if (state === this.#state || this.#state === 'closed') return
    this.#state = state
    this.#since = Date.now()
  }

  /** How it is now. */
  health(now: Pick<Health, 'pending' | 'oldestPendingMs' | 'lastError'>): Health {
    return { state: this.#state, since: this.#since, ...now }
  }
}
