import { randomBytes } from 'node:crypto'
import { access, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { wallTime } from '../../support/clock.js'
import { addAside, removeOldAside } from './aside.js'
import { FILE_MODE, makeDirectory, newStoreName, removeLeftovers, storeNames } from './directory.js'
import { isTaken } from './engine.js'
import { openLeftStore } from './left-store.js'
import { LevelStore, type StoreListener } from './level-store.js'
import { readMark } from './mark.js'
import type { AsideReason, CallStore, OpenOutbox, Outbox, StoredCall, TellProblem } from './outbox.js'
import { FORMAT } from './record.js'

export type { Outbox } from './outbox.js'

/** Where and how calls are stored. */
export interface FileOutboxOptions {
  /** A directory of its own on a local disk. It is made if it is missing; several processes may share it. */
  directory: string
  /**
   * Bytes of calls on disk for each process. Beyond them the oldest calls fail with the reason `overflow`. Defaults to
   * `delivery.maxBytes` if that is set, and to 1 GB.
   */
  maxBytes?: number
  /**
   * Milliseconds that a call waits to be written with others. A killed process loses the calls of this time. 0 writes at the
   * end of every turn of the event loop. Defaults to 50.
   */
  commitInterval?: number
  /** The number of waiting calls that are written at once, before the interval is over. Defaults to 500. */
  commitAt?: number
}

const MOST_TRIES = 3
/** Milliseconds between two looks for what was set aside too long ago. */
const ASIDE_CHECK_MS = 60 * 60 * 1_000

/**
 * Stores calls on disk until Segment has taken them, so that a crash, a kill or a long outage loses none. The next process
 * with the same directory sends the rest. Needs the package `classic-level`.
 *
 * The files hold personal data, as the calls do: they are 0600, the directory is 0700, and `delivery.maxAge` bounds their
 * age.
 *
 * @throws TypeError for an invalid option.
 *
 * @example
 * const tracking = createTracking({
 *   settings: { writeKey: 'KEY' },
 *   delivery: { outbox: fileOutbox({ directory: '/var/lib/shop/outbox' }) },
 * })
 */
export function fileOutbox(options: FileOutboxOptions): Outbox {
  const { maxBytes, commitInterval = 50, commitAt = 500 } = options
  if (typeof options.directory !== 'string' || options.directory === '') {
    throw new TypeError('fileOutbox: directory is the path of a directory, such as /var/lib/shop/outbox')
  }
  if (maxBytes !== undefined && !(maxBytes >= 1)) {
    throw new TypeError(`fileOutbox: maxBytes is a number of bytes from 1 on; given ${maxBytes}`)
  }
  if (!(commitInterval >= 0 && commitInterval <= 60_000)) {
    throw new TypeError(`fileOutbox: commitInterval is 0 to 60000 milliseconds; given ${commitInterval}`)
  }
  if (!(commitAt >= 1))
    throw new TypeError(`fileOutbox: commitAt is a number of calls from 1 on; given ${commitAt}`)
  const directory = resolve(options.directory)
  return {
    limits: { commitInterval, commitAt, maxBytes },
    open: () => FileOutbox.open(directory),
  }
}

class FileOutbox implements OpenOutbox {
  readonly own: CallStore
  readonly #directory: string
  /** The stores that this process owns, has found unreadable, or leaves to others for good. */
  readonly #known: Set<string>
  /** When what was set aside is looked at next. */
  #asideCheckAt = 0

  private constructor(directory: string, own: CallStore, name: string) {
    this.own = own
    this.#directory = directory
    this.#known = new Set([name])
  }

  static async open(given: string): Promise<FileOutbox> {
    await makeDirectory(given)
    // Every store needs one path, however the directory was named.
    const directory = await realpath(given)
    await removeLeftovers(directory)
    for (let tries = 1; ; tries++) {
      const name = newStoreName(randomBytes(4).toString('hex'))
      try {
        const listener = listenerOf(directory, () => {})
        return new FileOutbox(directory, await LevelStore.make(join(directory, name), listener), name)
      } catch (error) {
        // Another process opened the new store first: try another name.
        if (tries === MOST_TRIES || !isTaken(error)) throw error
      }
    }
  }

  async adopt(tell: TellProblem, writeKeyHash?: string): Promise<CallStore[]> {
    if (wallTime() >= this.#asideCheckAt) {
      this.#asideCheckAt = wallTime() + ASIDE_CHECK_MS
      await removeOldAside(this.#directory)
    }
    const adopted: CallStore[] = []
    for (const name of await storeNames(this.#directory)) {
      if (this.#known.has(name)) continue
      const store = await this.#open(name, tell, writeKeyHash)
      if (store) adopted.push(store)
    }
    return adopted
  }

  async setAside(call: StoredCall, reason: AsideReason, detail: string | undefined): Promise<void> {
    const { type, messageId, madeAt, text } = call
    const head = JSON.stringify({ reason, detail, at: new Date(), madeAt: new Date(madeAt), type, messageId })
    await addAside(this.#directory, `${head.slice(0, -1)},"params":${text}}`, FILE_MODE)
  }

  /** The system releases a lock when its process ends: a store that opens has no owner. */
  async #open(
    name: string,
    tell: TellProblem,
    writeKeyHash: string | undefined,
  ): Promise<CallStore | undefined> {
    const directory = join(this.#directory, name)
    const mark = await readMark(directory)
    if (mark && mark.format > FORMAT) {
      this.#known.add(name)
      tell('a newer version has written a store of the outbox: it is left to that version', undefined)
      return undefined
    }
    if (writeKeyHash && mark?.writeKeyHash && mark.writeKeyHash !== writeKeyHash) return undefined
    try {
      await access(directory)
      const store = await openLeftStore(directory, mark, tell, listenerOf(this.#directory, tell))
      this.#known.add(name)
      return store
    } catch (error) {
      // A full disk or too many open files: the store itself is fine, and is tried again later.
      if (!isTaken(error)) tell('the store of an ended process cannot be opened at the moment', error)
      return undefined
    }
  }
}

/** Sets aside what is damaged, and says what a store finds. */
function listenerOf(directory: string, tell: TellProblem): StoreListener {
  return {
    async damaged(line) {
      tell('a call was changed on the disk: it is set aside', undefined, 1)
      return addAside(directory, line, FILE_MODE).catch(() => false)
    },
    unknown: () =>
      tell('the outbox holds records that this version cannot read: they are left in their store', undefined),
    missing: (calls) => tell('calls are missing from the store of an ended process', undefined, calls),
  }
}
