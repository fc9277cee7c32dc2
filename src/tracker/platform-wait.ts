import type { Reporter } from '../observe/reporter.js'
import { answerWithin, isPromise } from '../support/maybe.js'
import type { Scope } from './scope.js'

/** Milliseconds after the end of a scope for which a platform is kept from freezing the process. */
const MOST_MS = 5_000

/** Keeps a platform whose process is frozen after the answer from doing so before the events have gone. */
export type WaitUntil = (work: Promise<unknown>) => void

/** Tells the platform what to wait for: by a request's own function, else by `config.waitUntil`. */
export class PlatformWait {
  readonly #waitUntil: WaitUntil | undefined
  readonly #flush: (timeoutMs: number) => Promise<void>
  readonly #reporter: Reporter
  readonly #open = new Map<Scope, () => void>()

  /** @param flush - Waits until every call has its outcome, or the time is over. It never rejects. */
  constructor(
    waitUntil: WaitUntil | undefined,
    flush: (timeoutMs: number) => Promise<void>,
    reporter: Reporter,
  ) {
    this.#waitUntil = waitUntil
    this.#flush = flush
    this.#reporter = reporter
  }

  /** A scope has collected an event; its first one tells the platform, in the context of the code that tracked it. */
  collected(tracker: Scope): void {
    const waitUntil = tracker.waitUntilOfHost ?? this.#waitUntil
    if (!waitUntil) return
    if (tracker.outcome) this.#hold(waitUntil, Promise.resolve())
    else if (!this.#open.has(tracker)) this.#holdUntilEnd(waitUntil, tracker)
  }

  /** A scope has ended, and its events are ready. */
  ended(tracker: Scope): void {
    this.#open.get(tracker)?.()
    this.#open.delete(tracker)
  }

  #holdUntilEnd(waitUntil: WaitUntil, tracker: Scope): void {
    this.#hold(waitUntil, new Promise((resolve) => this.#open.set(tracker, resolve)))
  }

  #hold(waitUntil: WaitUntil, end: Promise<void>): void {
    try {
      const given: unknown = waitUntil(end.then(() => answerWithin(this.#flush(MOST_MS), MOST_MS)))
      if (isPromise(given)) given.then(undefined, (error) => this.#failed(error))
    } catch (error) {
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    this.#reporter.fault('the function waitUntil failed: the platform may not wait', error)
  }
}
