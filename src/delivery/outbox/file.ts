import { randomBytes } from 'node:crypto'
import { appendFile, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import {
  ASIDE_FILE,
  condemn,
  FILE_MODE,
  makeDirectory,
  newStoreName,
  removeLeftovers,
  storeNames,
} from './directory.js'
import { isDamaged, LevelStore } from './level-store.js'
import type { AsideReason, CallStore, OpenOutbox, Outbox, StoredCall } from './outbox.js'

export type { Outbox } from './outbox.js'

/** Where calls are kept, and how. */
export interface FileOutboxOptions {
  /** A directory of its own, on a local disk. It is made where it is missing; several processes may share it. */
  directory: string
  /**
   * Bytes of calls on disk for each process. Over it the oldest are given up: they fail with the reason `overflow`.
   * Defaults to `delivery.maxBytes` where that is set, and to 1 GB.
   */
  maxBytes?: number
  /**
   * Milliseconds that a call may wait to be written together with others. A process that is killed loses what it made in
   * this time. 0 writes at the end of every turn of the event loop. Defaults to 50.
   */
  commitInterval?: number
  /** So many calls are written at once, without waiting for the interval. Defaults to 500. */
  commitAt?: number
}

const MOST_TRIES = 3
/** What is kept aside stops growing here. */
const MAX_ASIDE_BYTES = 64 * 1024 * 1024

/**
 * Keeps calls on disk from the moment they are made until Segment has taken them, so that a crash, a kill or a long
 * outage loses none. The next process with the same directory sends what is left. Needs the package `classic-level`.
 *
 * What is in the files is personal data, as in the calls themselves: the files are 0600, the directory 0700, and
 * `delivery.maxAge` bounds their age.
 *
 * @throws TypeError for an option that is not one.
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
  /** The names of the stores that this process has, or cannot have for good. */
  readonly #known: Set<string>

  private constructor(directory: string, own: CallStore, name: string) {
    this.own = own
    this.#directory = directory
    this.#known = new Set([name])
  }

  static async open(given: string): Promise<FileOutbox> {
    await makeDirectory(given)
    // One store has one path, by whatever way the directory was named.
    const directory = await realpath(given)
    await removeLeftovers(directory)
    for (let tries = 1; ; tries++) {
      const name = newStoreName(randomBytes(4).toString('hex'))
      try {
        return new FileOutbox(directory, await LevelStore.open(join(directory, name)), name)
      } catch (error) {
        // Another process has looked into the new store before this one had it: the next one, then.
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

  /** The system's lock on a store goes with its process: what can be opened belongs to nobody. */
  async #open(store: string, tell: Tell): Promise<CallStore | undefined> {
    try {
      return await LevelStore.open(store)
    } catch (error) {
      if (isTaken(error)) return undefined
      if (!isDamaged(error)) {
        // A full disk, too many open files: nothing is wrong with the store. It is looked at again.
        tell('what an ended process left in the outbox cannot be opened at the moment', error)
        return undefined
      }
    }
    try {
      await LevelStore.repair(store)
      const mended = await LevelStore.open(store)
      tell('what an ended process left in the outbox is damaged: what could be read is sent', undefined)
      return mended
    } catch (error) {
      if (isTaken(error)) return undefined
      tell('what an ended process left in the outbox cannot be read: it is kept as *.broken', error)
      await condemn(store).catch(() => {})
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
