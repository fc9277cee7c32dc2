import { messageOf } from '../failure.js'
import type {
  AsideReason,
  Erased,
  Erasure,
  OpenOutbox,
  Outbox,
  OutboxSession,
  StoredCall,
  TakenCall,
  TakeOptions,
  Waiting,
} from './outbox.js'
import { nothingIfClosed, Retries } from './retries.js'

/** Opens an outbox: one that says `isRetried` without waiting for its engine. */
export async function openOutbox(outbox: Outbox, session: OutboxSession): Promise<OpenOutbox> {
  return outbox.isRetried ? new RetriedOutbox(outbox, session) : outbox.open(session)
}

/**
 * An outbox whose engine can be away: what rejects of its opening, writes, takes and removals is tried again until it succeeds,
 * and the delivery is told meanwhile. Whatever else it is asked is asked once.
 */
class RetriedOutbox implements OpenOutbox {
  readonly #session: OutboxSession
  readonly #retries = new Retries()
  readonly #opening: Promise<OpenOutbox>
  #opened: OpenOutbox | undefined
  /** What has failed and not succeeded since. */
  readonly #failing = new Set<unknown>()

  constructor(outbox: Outbox, session: OutboxSession) {
    this.#session = session
    this.#opening = this.#repeated(() => this.#open(outbox))
    this.#opening.catch(() => {})
  }

  write(calls: readonly StoredCall[], room: number): Promise<readonly TakenCall[]> {
    let owed: readonly StoredCall[] | undefined
    return this.#until((opened) => {
      owed = owed ? this.#session.owed(calls) : calls
      return owed.length > 0 ? opened.write(owed, room) : []
    })
  }

  take(most: number, options?: TakeOptions): Promise<readonly TakenCall[]> {
    return this.#until((opened) => opened.take(most, options)).catch(nothingIfClosed)
  }

  settle(receipts: readonly unknown[]): Promise<void> {
    return this.#until((opened) => opened.settle(receipts))
  }

  async setAside(call: StoredCall, reason: AsideReason, detail: string | undefined): Promise<void> {
    return this.#engine.setAside(call, reason, detail)
  }

  async erase(whose: Erasure): Promise<Erased> {
    return this.#engine.erase(whose)
  }

  async waiting(): Promise<Waiting> {
    const waiting = await this.#engine.waiting?.()
    if (waiting) return waiting
    throw new Error('the outbox cannot tell what waits')
  }

  async isThere(): Promise<boolean> {
    return (await this.#opened?.isThere?.()) ?? true
  }

  async close(): Promise<void> {
    this.#retries.close()
    await this.#opened?.close()
  }

  abandon(): void {
    this.#retries.close()
    this.#opened?.abandon?.()
  }

  get #engine(): OpenOutbox {
    if (this.#opened) return this.#opened
    throw new Error('the outbox is not open yet')
  }

  async #open(outbox: Outbox): Promise<OpenOutbox> {
    const opened = await outbox.open(this.#session)
    if (this.#retries.isClosed) await opened.close()
    this.#opened = opened
    return opened
  }

  async #until<T>(work: (opened: OpenOutbox) => T | Promise<T>): Promise<T> {
    const opened = await this.#opening
    return this.#repeated(async () => work(opened))
  }

  async #repeated<T>(work: () => Promise<T>): Promise<T> {
    const done = await this.#retries.until(
      () => this.#retries.whileOpen(work()),
      (error) => {
        this.#failing.add(work)
        this.#session.troubled(new Error(messageOf(error)))
      },
    )
    if (this.#failing.delete(work) && this.#failing.size === 0) this.#session.troubled(undefined)
    return done
  }
}
