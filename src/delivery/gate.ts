import { clearTimeout, setTimeout } from '../support/clock.js'

/** Whether Segment takes requests at the moment. */
export type GateState = 'ok' | 'retrying' | 'refused'

/** How long the gate stays closed. */
export interface GateOptions {
  /** Whether a closed gate keeps the process alive. */
  readonly keepsAlive: boolean
  /** Milliseconds after a first failure. Doubles with each further one. */
  readonly firstMs: number
  /** Milliseconds after a first refusal of the write key. Doubles, too. */
  readonly firstRefusedMs: number
  /** Milliseconds that it stays closed at most, unless Segment asks for more. */
  readonly longestMs: number
}

const DEFAULTS: GateOptions = { keepsAlive: false, firstMs: 250, firstRefusedMs: 2_000, longestMs: 30_000 }

/** A longer `Retry-After` is taken for a mistake. */
const LONGEST_RETRY_AFTER_MS = 60 * 60 * 1_000

/** Identifies the closing before which a request started: an older failure brings no news. */
export type Pass = number

/**
 * A circuit breaker for all requests to Segment. It is open while Segment answers, closed for a while after a failure, then
 * lets one request through, and twice as many after each success.
 */
export class Gate {
  /** The most requests at a time. */
  readonly most: number
  readonly #options: GateOptions
  readonly #openListeners = new Set<() => void>()
  readonly #stateListeners = new Set<(state: GateState) => void>()
  readonly #closeListeners = new Set<() => void>()
  #lastError: string | undefined
  #state: GateState = 'ok'
  #limit: number
  #failures = 0
  #closings = 0
  #timer: NodeJS.Timeout | undefined
  /** Whether Segment has said how long to wait. */
  #hasRetryAfter = false

  /** @param most - The most requests at a time. */
  constructor(most: number, options: Partial<GateOptions> = {}) {
    this.most = most
    this.#limit = most
    this.#options = { ...DEFAULTS, ...options }
  }

  /** Whether Segment takes requests. */
  get state(): GateState {
    return this.#state
  }

  /** The last failure. */
  get lastError(): string | undefined {
    return this.#lastError
  }

  /** Whether a request may go now. */
  get isOpen(): boolean {
    return this.#timer === undefined
  }

  /** How many requests may be in flight. */
  get limit(): number {
    return this.#limit
  }

  /** A request takes a pass when it starts and gives it back with its result. */
  pass(): Pass {
    return this.#closings
  }

  /** Calls the listener whenever the gate opens. */
  onOpen(opened: () => void): void {
    this.#openListeners.add(opened)
  }

  /** Calls the listener whenever the state changes. */
  onChange(changed: (state: GateState) => void): void {
    this.#stateListeners.add(changed)
  }

  /** Calls the listener whenever the gate closes. */
  onClose(closed: () => void): void {
    this.#closeListeners.add(closed)
  }

  /** Segment has answered a request. */
  succeeded(pass: Pass = this.#closings): void {
    if (this.#state === 'ok' && this.#limit === this.most) return
    if (pass !== this.#closings || !this.isOpen) return
    this.#failures = 0
    this.#limit = Math.min(this.most, this.#limit * 2)
    this.#setState('ok')
  }

  /**
   * A request has failed, and a retry may succeed.
   *
   * @param detail - The error.
   * @param retryAfterMs - Milliseconds that Segment asks to wait, if it does.
   * @returns Whether the gate closed: requests that fail together close it once.
   */
  failed(detail: string, pass: Pass = this.#closings, retryAfterMs?: number): boolean {
    this.#lastError = detail
    return this.#close(pass, 'retrying', this.#options.firstMs, retryAfterMs)
  }

  /** Segment refuses the write key. */
  refused(detail: string, pass: Pass = this.#closings): boolean {
    this.#lastError = detail
    return this.#close(pass, 'refused', this.#options.firstRefusedMs, undefined)
  }

  /** Opens for one request now, unless Segment has asked to wait. */
  probe(): void {
    if (!this.isOpen && !this.#hasRetryAfter) this.#open()
  }

  /** Stops the timer and all listeners for good; the gate stays open. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#openListeners.clear()
    this.#stateListeners.clear()
    this.#closeListeners.clear()
  }

  #close(pass: Pass, state: GateState, firstMs: number, retryAfterMs: number | undefined): boolean {
    if (pass !== this.#closings || !this.isOpen) return false
    if (state !== this.#state) this.#failures = 0
    const backoff = Math.min(this.#options.longestMs, firstMs * 2 ** Math.min(this.#failures, 30))
    this.#failures++
    this.#closings++
    this.#limit = 1
    this.#hasRetryAfter = retryAfterMs !== undefined
    const delay =
      retryAfterMs === undefined
        ? backoff * (0.5 + Math.random() / 2)
        : Math.min(Math.max(retryAfterMs, firstMs), LONGEST_RETRY_AFTER_MS)
    this.#timer = setTimeout(() => this.#open(), delay)
    if (!this.#options.keepsAlive) this.#timer.unref()
    this.#setState(state)
    for (const closed of this.#closeListeners) closed()
    return true
  }

  #open(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const opened of this.#openListeners) opened()
  }

  #setState(state: GateState): void {
    if (state === this.#state) return
    this.#state = state
    for (const changed of this.#stateListeners) changed(state)
  }
}
