import { nothingIfClosed, Retries } from '../delivery/outbox/retries.js'
import { clearTimeout, setTimeout } from '../support/clock.js'
import type { Connection, OwnConnection } from './client.js'
import type { Entry } from './entry.js'
import type { CallStream } from './stream.js'

/** Milliseconds that a read waits in Redis. */
const BLOCK_MS = 2_000
/** Milliseconds after which a read that should have ended is given up, and its connection with it. */
const GIVE_UP_MS = 10_000
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 10_000
/** Entries that are taken while nobody has asked for them are few. */
const MOST_TAKEN = 50

/** Waits for new entries on a connection of its own, since a waiting read occupies it. */
export class Waiter {
  readonly #connection: Connection
  readonly #stream: CallStream
  readonly #found: (entries: readonly Entry[]) => void
  readonly #retries = new Retries(LONGEST_PAUSE_MS, FIRST_PAUSE_MS)
  #own: OwnConnection | undefined
  #isWaiting = false

  constructor(connection: Connection, stream: CallStream, found: (entries: readonly Entry[]) => void) {
    this.#connection = connection
    this.#stream = stream
    this.#found = found
  }

  /** Whether a read waits, whose answer may be on its way. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Waits until there is an entry; while it waits already, nothing more. */
  wait(most: number): void {
    if (this.#isWaiting || this.#retries.isClosed) return
    this.#isWaiting = true
    this.#waitFor(Math.min(most, MOST_TAKEN))
      .catch(nothingIfClosed)
      .finally(() => {
        this.#isWaiting = false
      })
  }

  /** Closes the connection. */
  close(): void {
    this.#retries.close()
    this.#drop()
  }

  async #waitFor(most: number): Promise<void> {
    for (;;) {
      // The commands of the delivery say what is wrong.
      const entries = await this.#retries.until(
        () => this.#next(most),
        () => this.#drop(),
      )
      if (entries.length > 0) return this.#found(entries)
    }
  }

  /** What comes within one read. */
  async #next(most: number): Promise<Entry[]> {
    this.#own ??= await this.#connection.duplicate()
    if (!this.#retries.isClosed) return this.#read(most, this.#own)
    this.#drop()
    return []
  }

  /** A connection whose other end is gone without a word would wait for ever. */
  async #read(most: number, own: OwnConnection): Promise<Entry[]> {
    const timer = setTimeout(() => this.#drop(), GIVE_UP_MS)
    timer.unref()
    try {
      return await this.#stream.waitFor(most, BLOCK_MS, own)
    } finally {
      clearTimeout(timer)
    }
  }

  #drop(): void {
    this.#own?.close()
    this.#own = undefined
  }
}
