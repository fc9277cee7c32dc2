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
  readonly #isClosed: () => boolean
  #own: OwnConnection | undefined
  #isWaiting = false
  #pause: (() => void) | undefined

  constructor(
    connection: Connection,
    stream: CallStream,
    found: (entries: readonly Entry[]) => void,
    isClosed: () => boolean,
  ) {
    this.#connection = connection
    this.#stream = stream
    this.#found = found
    this.#isClosed = isClosed
  }

  /** Whether a read waits, whose answer may be on its way. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Waits until there is an entry; while it waits already, nothing more. */
  wait(most: number): void {
    if (this.#isWaiting || this.#isClosed()) return
    this.#isWaiting = true
    void this.#waitFor(Math.min(most, MOST_TAKEN)).finally(() => {
      this.#isWaiting = false
    })
  }

  /** Closes the connection. */
  close(): void {
    this.#drop()
    this.#pause?.()
  }

  async #waitFor(most: number): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS
    while (!this.#isClosed()) {
      try {
        this.#own ??= await this.#connection.duplicate()
        if (this.#isClosed()) return this.#drop()
        const entries = await this.#read(most, this.#own)
        pauseMs = FIRST_PAUSE_MS
        if (entries.length > 0) return this.#found(entries)
      } catch {
        // The commands of the delivery say what is wrong.
        this.#drop()
        await this.#sleep(pauseMs)
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2)
      }
    }
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

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        this.#pause = undefined
        resolve()
      }
      const timer = setTimeout(end, ms)
      timer.unref()
      this.#pause = end
    })
  }
}
