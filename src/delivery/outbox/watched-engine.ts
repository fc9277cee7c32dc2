import { clearTimeout, setTimeout } from '../../support/clock.js'
import { AnswerWatch } from './answer-watch.js'
import type { OpenOutbox, Outbox, OutboxSession } from './outbox.js'
import { openOutbox } from './retried-outbox.js'

/** Milliseconds between looks for what was written. */
const CHECK_INTERVAL_MS = 5_000

const HANGS = 'the outbox does not answer: calls go on in memory until it does'

/** Hears how an engine does. */
export interface WatchedEngineListener {
  /** It does not answer. */
  hangs(): void
  /** It answers again. */
  answers(): void
  /** It has failed. */
  failed(problem: string, error: unknown): void
}

/** An engine, which may be anybody's: it can hang, throw where it should reject, and lose what it has stored. */
export class WatchedEngine {
  readonly #outbox: Outbox
  readonly #listener: WatchedEngineListener
  readonly #watch: AnswerWatch
  #opened: OpenOutbox | undefined
  #isUsable = true
  #isGone = false
  #isClosed = false
  #trouble: unknown
  #checking: NodeJS.Timeout | undefined
  #checked: Promise<void> = Promise.resolve()

  constructor(outbox: Outbox, listener: WatchedEngineListener) {
    this.#outbox = outbox
    this.#listener = listener
    this.#watch = new AnswerWatch(
      () => this.#hangs(),
      () => {
        if (this.#isUsable && !this.#isClosed) listener.answers()
      },
    )
  }

  /** The engine, once it is open. */
  get opened(): OpenOutbox | undefined {
    return this.#opened
  }

  /** Whether it has not failed for good. */
  get isUsable(): boolean {
    return this.#isUsable
  }

  /** Whether it does not answer. */
  get isHanging(): boolean {
    return this.#watch.isHanging
  }

  /** Whether settled calls can be removed: an engine that says that it cannot write still can do that. */
  get canSettle(): boolean {
    // A disk that hangs blocks a thread with each operation.
    return !this.isHanging || this.#watch.isWorried
  }

  /** Whether the last check found the stored calls gone: no later process will find them. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** Resolves when no check is under way. */
  get checked(): Promise<void> {
    return this.#checked
  }

  /** Whether it is closed. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Opens it. Never rejects. */
  async open(session: OutboxSession): Promise<void> {
    try {
      this.#opened = await this.#watch.watch(openOutbox(this.#outbox, session))
    } catch (error) {
      this.stop('the outbox could not be opened: calls are kept in memory only', error)
    }
  }

  /** Looks from time to time whether what was written can still be found. */
  checkRegularly(): void {
    if (this.#opened?.isThere) this.#checkLater()
  }

  /** Waits for an answer, however long that takes. */
  watch<R>(answer: Promise<R>): Promise<R> {
    return this.#watch.watch(answer)
  }

  /** Waits no longer than this for what is under way. */
  hurry(patienceMs: number): void {
    this.#watch.hurry(patienceMs)
  }

  /** The engine itself says that it cannot work, or, without an error, that it works again. */
  troubled(error: unknown): void {
    this.#trouble = error
    if (error === undefined) this.#watch.relax()
    else this.#watch.worry()
  }

  /** Asks it something that nothing else depends on. */
  async ask<R>(
    method: (opened: OpenOutbox) => R,
    failed: (error: unknown) => void,
  ): Promise<Awaited<R> | undefined> {
    if (!this.#opened) return undefined
    try {
      return await method(this.#opened)
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  /** Says nothing after it has failed for good: that was said. */
  tell(problem: string, error: unknown): void {
    if (this.#isUsable) this.#listener.failed(problem, error)
  }

  /** It has failed for good. */
  stop(problem: string, error: unknown): void {
    this.tell(problem, error)
    this.#isUsable = false
  }

  /** Checks whether what was written can still be found. */
  async check(): Promise<void> {
    if (this.#isGone) return
    const failed = (error: unknown) => this.tell('the outbox could not be looked at', error)
    if ((await this.ask((opened) => opened.isThere?.(), failed)) !== false) return
    this.#isGone = true
    this.stop(
      'the outbox cannot be used any more: calls are kept in memory only',
      new Error('its directory has vanished'),
    )
  }

  /** Closes it, or gives it up. */
  async close(isGivenUp: boolean): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#checking)
    const failed = (error: unknown) => this.tell('a store could not be closed', error)
    await this.ask((opened) => (isGivenUp ? opened.abandon?.() : opened.close()), failed)
  }

  #hangs(): void {
    if (!this.#isUsable || this.#isClosed) return
    this.tell(HANGS, this.#trouble ?? new Error('nothing was heard of it for seconds'))
    this.#listener.hangs()
  }

  #checkLater(): void {
    this.#checking = setTimeout(() => {
      this.#checked = this.check().then(() => {
        if (!this.#isClosed && !this.#isGone) this.#checkLater()
      })
    }, CHECK_INTERVAL_MS)
    this.#checking.unref()
  }
}
