import { messageOf } from '../delivery/failure.js'
import { Retries } from '../delivery/outbox/retries.js'
import { clearTimeout, performance, setTimeout } from '../support/clock.js'
import type { Connection } from './client.js'

/** Milliseconds after which Redis counts as not answering. */
const ANSWER_MS = 1_500
const NO_CONNECTION = 'there is no connection to Redis'

/** Redis does not answer. */
export class NoAnswer extends Error {
  override readonly message = 'Redis does not answer'
}

/**
 * Waits for Redis while it is away: says so, tries again with pauses, and says when it works again. A command that is not
 * answered is waited for rather than sent again, so that nothing piles up in the client and nothing is written twice.
 */
export class Patience {
  readonly #connection: Connection
  readonly #troubled: (error: unknown) => void
  /** Called before Redis counts as working again. */
  readonly #recover: () => Promise<void>
  readonly #retries: Retries
  #isTroubled = false
  #wellSince = performance.now()
  #isProbing = false
  /** Commands that are late. */
  #late = 0

  /** @param longestPauseMs - Milliseconds between two tries, at most. */
  constructor(
    connection: Connection,
    troubled: (error: unknown) => void,
    recover: () => Promise<void>,
    longestPauseMs: number,
  ) {
    this.#connection = connection
    this.#retries = new Retries(longestPauseMs)
    this.#troubled = troubled
    this.#recover = recover
  }

  /** Whether Redis is away. */
  get isTroubled(): boolean {
    return this.#isTroubled
  }

  /** For how many milliseconds Redis has been here, as far as is known. */
  get wellForMs(): number {
    return this.#isTroubled ? 0 : performance.now() - this.#wellSince
  }

  /**
   * Does something until it succeeds.
   *
   * @throws Closed when the outbox is closed meanwhile.
   */
  async until<T>(work: () => Promise<T>): Promise<T> {
    const recovered = async () => {
      if (this.#isTroubled) await this.#watched(this.#recover())
      const done = await this.#watched(work())
      this.#isWell()
      return done
    }
    return this.#repeated(recovered, (error) => this.#isAway(error))
  }

  /**
   * Does something until it succeeds that may work while other things do not: who may not write can still remove. That it
   * works does not say that Redis does.
   *
   * @throws Closed when the outbox is closed meanwhile.
   */
  async regardless<T>(work: () => Promise<T>): Promise<T> {
    return this.#repeated(
      () => this.#watched(work()),
      (error) => {
        if (!this.#isTroubled) this.#isAway(error)
        this.#probe()
      },
    )
  }

  /**
   * Does something once, for as long as Redis may take to answer.
   *
   * @param late - Is given what has come too late.
   * @throws What has failed, or NoAnswer.
   */
  async once<T>(work: () => Promise<T>, late: (done: T) => void = () => {}): Promise<T> {
    try {
      if (!this.#connection.isReady) throw new Error(NO_CONNECTION)
      if (this.#late > 0) throw new NoAnswer()
      const done = await this.#inTime(this.#isTroubled ? this.#recover().then(work) : work(), late)
      this.#isWell()
      return done
    } catch (error) {
      this.#isAway(error)
      this.#probe()
      throw error
    }
  }

  /** Ends everything that waits. */
  close(): void {
    this.#retries.close()
  }

  /** Tries again with longer and longer pauses. */
  #repeated<T>(work: () => Promise<T>, failed: (error: unknown) => void): Promise<T> {
    return this.#retries.until(async () => {
      if (!this.#connection.isReady) throw new Error(NO_CONNECTION)
      return work()
    }, failed)
  }

  /** Waits for an answer however long it takes, and says when it is late. */
  async #watched<T>(answer: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.#isAway(new NoAnswer()), ANSWER_MS)
    timer.unref()
    try {
      return await this.#retries.whileOpen(answer)
    } finally {
      clearTimeout(timer)
    }
  }

  async #inTime<T>(working: Promise<T>, late: (done: T) => void): Promise<T> {
    let isLate = false
    const lateness = setTimeout(() => {
      isLate = true
      this.#late++
      rejectLate()
    }, ANSWER_MS)
    lateness.unref()
    let rejectLate = () => {}
    const expired = new Promise<never>((_, reject) => {
      rejectLate = () => reject(new NoAnswer())
    })
    working
      .then((done) => {
        if (isLate) late(done)
      })
      .catch(() => {})
      .finally(() => {
        clearTimeout(lateness)
        if (isLate) this.#late--
      })
    return Promise.race([working, expired])
  }

  /** Finds out when Redis is back, if nobody else does. */
  #probe(): void {
    if (this.#isProbing || this.#retries.isClosed) return
    this.#isProbing = true
    this.until(async () => {})
      .catch(() => {})
      .finally(() => {
        this.#isProbing = false
      })
  }

  #isAway(error: unknown): void {
    if (this.#retries.isClosed) return
    this.#isTroubled = true
    this.#troubled(new Error(messageOf(error)))
  }

  #isWell(): void {
    if (!this.#isTroubled) return
    this.#isTroubled = false
    this.#wellSince = performance.now()
    this.#troubled(undefined)
  }
}
