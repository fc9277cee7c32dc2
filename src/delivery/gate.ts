/** What stands between calls and Segment at the moment. */
export type GateState = 'ok' | 'retrying' | 'refused'

/** How long a gate stays closed. */
export interface GateOptions {
  /** Whether a closed gate keeps the process alive. */
  readonly keepsAlive: boolean
  /** Milliseconds after a first failure. Doubles with each further one. */
  readonly firstMs: number
  /** Milliseconds after a first refusal of the write key. Doubles, too. */
  readonly firstRefusedMs: number
  /** The longest that it is closed by itself, in milliseconds. */
  readonly longestMs: number
}

const DEFAULTS: GateOptions = { keepsAlive: false, firstMs: 250, firstRefusedMs: 2_000, longestMs: 30_000 }

/** A `Retry-After` beyond this is a mistake rather than a wish. */
const LONGEST_RETRY_AFTER_MS = 60 * 60 * 1_000

/** Stands for one request that was let through; a failure that is older than the last closing tells nothing new. */
export type Pass = number

/**
 * Lets requests through to Segment: all of them while it answers, none for a while after a failure, then a single one,
 * and twice as many after each success. It is one for all requests, so that what one of them has learned holds for all.
 */
export class Gate {
  /** The most requests at a time. */
  readonly most: number
  readonly #options: GateOptions
  readonly #openings = new Set<() => void>()
  readonly #changes = new Set<(state: GateState) => void>()
  readonly #closed = new Set<() => void>()
  #lastError: string | undefined
  #state: GateState = 'ok'
  #limit: number
  #failures = 0
  #closings = 0
  #timer: NodeJS.Timeout | undefined
  /** Whether it was Segment that said how long to wait. */
  #bidden = false

  /** @param most - The most requests at a time. */
  constructor(most: number, options: Partial<GateOptions> = {}) {
    this.most = most
    this.#limit = most
    this.#options = { ...DEFAULTS, ...options }
  }

  /** What stands in the way. */
  get state(): GateState {
    return this.#state
  }

  /** What the last failure was. */
  get lastError(): string | undefined {
    return this.#lastError
  }

  /** Whether a request may go now. */
  get isOpen(): boolean {
    return this.#timer === undefined
  }

  /** How many requests may be under way at a time. */
  get limit(): number {
    return this.#limit
  }

  /** To be asked for when a request starts, and given back with its result. */
  pass(): Pass {
    return this.#closings
  }

  /** Calls back whenever the gate has opened. */
  onOpen(opened: () => void): void {
    this.#openings.add(opened)
  }

  /** Calls back whenever the state has changed. */
  onChange(changed: (state: GateState) => void): void {
    this.#changes.add(changed)
  }

  /** Calls back whenever the gate has closed. */
  onClose(closed: () => void): void {
    this.#closed.add(closed)
  }

  /** Segment has answered a request as it should. */
  succeeded(pass: Pass = this.#closings): void {
    if (this.#state === 'ok' && this.#limit === this.most) return
    if (pass !== this.#closings || !this.isOpen) return
    this.#failures = 0
    this.#limit = Math.min(this.most, this.#limit * 2)
    this.#turn('ok')
  }

  /**
   * A request has failed for a reason that may pass.
   *
   * @param detail - What Segment or the way to it has said.
   * @param retryAfterMs - How long Segment has asked to wait, where it has.
   * @returns Whether that was news: requests that fail together close the gate once.
   */
  failed(detail: string, pass: Pass = this.#closings, retryAfterMs?: number): boolean {
    this.#lastError = detail
    return this.#close(pass, 'retrying', this.#options.firstMs, retryAfterMs)
  }

  /** Segment does not accept the write key. */
  refused(detail: string, pass: Pass = this.#closings): boolean {
    this.#lastError = detail
    return this.#close(pass, 'refused', this.#options.firstRefusedMs, undefined)
  }

  /** Opens for one request now, unless Segment itself has asked to wait. */
  probe(): void {
    if (!this.isOpen && !this.#bidden) this.#open()
  }

  /** Ends its waiting for good: requests may go, as far as anybody makes one. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#openings.clear()
    this.#changes.clear()
    this.#closed.clear()
  }

  #close(pass: Pass, state: GateState, firstMs: number, retryAfterMs: number | undefined): boolean {
    if (pass !== this.#closings || !this.isOpen) return false
    if (state !== this.#state) this.#failures = 0
    const byItself = Math.min(this.#options.longestMs, firstMs * 2 ** Math.min(this.#failures, 30))
    this.#failures++
    this.#closings++
    this.#limit = 1
    this.#bidden = retryAfterMs !== undefined
    const delay =
      retryAfterMs === undefined
        ? byItself * (0.5 + Math.random() / 2)
        : Math.min(Math.max(retryAfterMs, firstMs), LONGEST_RETRY_AFTER_MS)
    this.#timer = setTimeout(() => this.#open(), delay)
    if (!this.#options.keepsAlive) this.#timer.unref()
    this.#turn(state)
    for (const closed of this.#closed) closed()
    return true
  }

  #open(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const opened of this.#openings) opened()
  }

  #turn(state: GateState): void {
    if (state === this.#state) return
    this.#state = state
    for (const changed of this.#changes) changed(state)
  }
}
