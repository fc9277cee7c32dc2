import { randomBytes } from 'node:crypto'
import { appendFile, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  ASIDE_FILE,
  FILE_MODE,
  makeDirectory,
  markBroken,
  newStoreName,
  removeLeftovers,
  storeNames,
} from './directory.js'
import { isDamaged, LevelStore } from './level-store.js'
import type { AsideReason, CallStore, OpenOutbox, Outbox, StoredCall } from './outbox.js'

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
/** The file of calls that were set aside grows no further. */
const MAX_ASIDE_BYTES = 64 * 1024 * 1024

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
  /** The stores that this process owns or has found unreadable. */
  readonly #known: Set<string>

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
        return new FileOutbox(directory, await LevelStore.open(join(directory, name)), name)
      } catch (error) {
        // Another process opened the new store first: try another name.
        if (tries === MOST_TRIES || !isTaken(error)) throw error
      }
    }
  }

  async adopt(tell: Tell): Promise<CallStore[]> {
    const adopted: CallStore[] = []
    for (const name of await storeNames(this.#directory)) {
      if (this.#known.has(name)) continue
      const store = await this.#open(join(this.#directory, name), tell)
      if (!store) continue
      this.#known.add(name)
      adopted.push(store)
    }
    return adopted
  }

  async setAside(call: StoredCall, reason: AsideReason, detail: string | undefined): Promise<void> {
    const file = join(this.#directory, ASIDE_FILE)
    const { size } = await stat(file).catch(() => ({ size: 0 }))
    if (size > MAX_ASIDE_BYTES) return
    const { type, messageId, madeAt, text } = call
    const head = JSON.stringify({ reason, detail, at: new Date(), madeAt: new Date(madeAt), type, messageId })
    await appendFile(file, `${head.slice(0, -1)},"params":${text}}\n`, { mode: FILE_MODE })
  }

  /** The system releases a lock when its process ends: a store that opens has no owner. */
  async #open(store: string, tell: Tell): Promise<CallStore | undefined> {
    try {
      return await LevelStore.open(store)
    } catch (error) {
      if (isTaken(error)) return undefined
      if (!isDamaged(error)) {
        // A full disk or too many open files: the store itself is fine, and is tried again later.
        tell('the store of an ended process cannot be opened at the moment', error)
        return undefined
      }
    }
    try {
      await LevelStore.repair(store)
      const repaired = await LevelStore.open(store)
      tell('the store of an ended process is damaged: its readable calls are sent', undefined)
      return repaired
    } catch (error) {
      if (isTaken(error)) return undefined
      tell('the store of an ended process cannot be read: it is kept as *.broken', error)
      await markBroken(store).catch(() => {})
      return undefined
    }
  }
}

type Tell = Parameters<OpenOutbox['adopt']>[0]

function isTaken(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('code' in each && each.code === 'LEVEL_LOCKED') return true
    if ('code' in each && each.code === 'ENOENT') return true
  }
  return false
}
