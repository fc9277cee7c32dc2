/** How an outbox is checked. */
export interface OutboxCheckOptions {
  /**
   * Milliseconds after which another process has to have what one has left that has closed its outbox or was killed.
   * Defaults to 10000.
   */
  readonly takeoverMs: number
  /** Milliseconds to wait for calls that must not come. Defaults to 200. */
  readonly settleMs: number
  /** Milliseconds within which every method has to settle while nothing is wrong. Defaults to 10000. */
  readonly answerMs: number
  /** How many calls the outbox holds at most, where it bounds them itself: the oldest have to be told as evicted. */
  readonly maxCalls?: number | undefined
  /**
   * The path or URL of a module that exports the outbox's maker as `make`. A process that has loaded it is then killed
   * between a write and its outcome.
   */
  readonly module?: string | undefined
  /** Makes what the outbox stands on fail, and work again. */
  readonly fault?: OutboxFault | undefined
}

/** A fault of what an outbox stands on, such as a database that is away. */
export interface OutboxFault {
  /** It fails from now on. */
  begin(): unknown
  /** It works again. */
  end(): unknown
}

/** The defaults. */
export const DEFAULTS = { takeoverMs: 10_000, settleMs: 200, answerMs: 10_000 } as const
