import { access } from 'node:fs/promises'
import { basename } from 'node:path'
import type { CallStore, ReadCall } from './call-store.js'
import { markBroken, markDone, protect, removeStore } from './directory.js'
import { type Database, hold, isDamaged, letGo, openDatabase } from './engine.js'
import { Mark, type MarkContent } from './mark.js'
import type { StoredCall } from './outbox.js'
import { isCallKey, keyOf, readRecord, recordOf } from './record.js'

/** The engine starts a new file about this often; the mode of each has to be set. */
const PROTECT_EVERY_BYTES = 1024 * 1024

const KEPT_AS_BROKEN = 'the store is damaged: its unreadable rest is kept as *.broken'

/** Hears what a store finds when it reads. */
export interface StoreListener {
  /** A record was changed on the disk. Answers whether it is kept elsewhere: the store then removes it. */
  damaged(line: string): Promise<boolean>
  /** A record is none that this version knows: the store keeps it. Said once. */
  unknown(): void
  /** So many calls are missing. */
  missing(calls: number): void
}

/** What was found when a store was opened. */
export interface Found {
  /** What its mark says; a store of the first format has none. */
  readonly mark: MarkContent | undefined
  /** Whether its files are kept when its calls are sent, since some of them could not be read. */
  readonly isBroken: boolean
  /** How many of its calls are missing already. */
  readonly missing: number
}

/** A LevelDB database with the calls of one process. */
export class LevelStore implements CallStore {
  readonly writeKeyHash?: string
  readonly #db: Database
  readonly #directory: string
  readonly #mark: Mark
  readonly #listener: StoreListener | undefined
  /** What an ended process has left; the delivery itself knows how many calls it stores. */
  readonly #found: Found | undefined
  #isBroken: boolean
  #unprotected = 0
  /** Records that were read, other than those that this version does not know. */
  #seen = 0
  /** Keys of records that stay in the store although they are no calls. */
  readonly #passedOver = new Set<string>()

  private constructor(db: Database, directory: string, listener?: StoreListener, found?: Found) {
    this.#db = db
    this.#directory = directory
    this.#listener = listener
    this.#found = found
    this.#isBroken = found?.isBroken ?? false
    this.#mark = new Mark(directory, found?.mark)
    if (found?.mark?.writeKeyHash) this.writeKeyHash = found.mark.writeKeyHash
  }

  /**
   * Makes a store and locks it for this process.
   *
   * @throws If another process has it, or the engine is not installed.
   */
  static async make(directory: string, listener: StoreListener): Promise<LevelStore> {
    hold(directory)
    try {
      const db = await openDatabase(directory, true)
      await protect(directory)
      const store = new LevelStore(db, directory, listener)
      await store.#mark.added(0)
      return store
    } catch (error) {
      letGo(directory)
      throw error
    }
  }

  /** Makes a store of an open database that an ended process has left. */
  static async of(
    db: Database,
    directory: string,
    found: Found,
    listener?: StoreListener,
  ): Promise<LevelStore> {
    const store = new LevelStore(db, directory, listener, found)
    if (found.missing > 0) await store.#mark.removed(found.missing)
    return store
  }

  async write(calls: readonly { readonly number: number; readonly call: StoredCall }[]): Promise<void> {
    // Before the write: a failure must leave nothing written.
    if (this.#unprotected >= PROTECT_EVERY_BYTES) {
      await protect(this.#directory)
      this.#unprotected = 0
    }
    const batch = this.#db.batch()
    for (const { number, call } of calls) {
      const key = keyOf(number)
      const record = recordOf(key, call)
      this.#unprotected += record.length
      batch.put(key, record)
    }
    await batch.write()
    await this.#mark.added(calls.length, calls[0]?.call.writeKeyHash)
  }

  async remove(numbers: readonly number[]): Promise<void> {
    const batch = this.#db.batch()
    for (const number of numbers) batch.del(keyOf(number))
    await this.#countRemoved(numbers.length)
    await batch.write()
  }

  async read(after: number, most: number): Promise<ReadCall[]> {
    const calls: ReadCall[] = []
    const damaged: [key: string, record: string][] = []
    for await (const [key, record] of this.#db.iterator({ gt: keyOf(after) })) {
      if (this.#passedOver.has(key)) continue
      const found = readRecord(key, record)
      if (found.kind === 'damaged') damaged.push([key, record])
      else if (found.kind === 'call') {
        this.#seen++
        const number = Number(key)
        if (calls.push({ ...found.call, number }) === most) break
      } else this.#passOver(key, found.kind === 'newer')
    }
    for (const [key, record] of damaged) await this.#setAside(key, record)
    if (calls.length < most) await this.#countMissing()
    return calls
  }

  async isThere(): Promise<boolean> {
    return access(this.#directory).then(
      () => true,
      () => false,
    )
  }

  async close(): Promise<void> {
    let isEmpty: boolean
    try {
      isEmpty = (await this.#db.keys({ limit: 1 }).all()).length === 0
    } catch (error) {
      await this.#letGo()
      if (!isDamaged(error)) throw error
      await markBroken(this.#directory)
      throw new Error(KEPT_AS_BROKEN, { cause: error })
    }
    if (isEmpty) return this.#remove()
    await this.#letGo()
    await protect(this.#directory)
  }

  /** A store of the first format stays one. */
  async #countRemoved(count: number): Promise<void> {
    if (!this.#found || this.#found.mark) await this.#mark.removed(count)
  }

  #passOver(key: string, isNewer: boolean): void {
    if (this.#passedOver.size === 0) this.#listener?.unknown()
    this.#passedOver.add(key)
    if (isNewer) this.#seen++
  }

  async #setAside(key: string, record: string): Promise<void> {
    this.#seen++
    this.#passedOver.add(key)
    if (!this.#listener) return
    const line = { reason: 'damaged', at: new Date(), store: basename(this.#directory), key, record }
    if (!(await this.#listener.damaged(JSON.stringify(line)))) return
    await this.#countRemoved(1)
    await this.#db.del(key)
  }

  /** What was never seen is lost: the engine has left it out, or nobody can tell that it was a call. */
  async #countMissing(): Promise<void> {
    const { mark, missing } = this.#found ?? { mark: undefined, missing: 0 }
    if (!mark || !this.#listener) return
    const lost = mark.calls - missing - this.#seen
    if (lost <= 0) return
    this.#seen += lost
    this.#isBroken = true
    await this.#mark.removed(lost)
    this.#listener.missing(lost)
  }

  async #remove(): Promise<void> {
    if (this.#isBroken) {
      await this.#letGo()
      await markBroken(this.#directory)
      throw new Error(KEPT_AS_BROKEN)
    }
    // Somebody may have removed it already: its files are open all the same.
    const retired = await markDone(this.#directory).finally(() => this.#letGo())
    await removeStore(retired)
  }

  async #letGo(): Promise<void> {
    await this.#mark.close()
    await this.#db.close()
    letGo(this.#directory)
  }
}

/** Counts the calls of a database. Rejects where the engine cannot read it. */
export async function countCalls(db: Database): Promise<number> {
  let count = 0
  for await (const key of db.keys()) if (isCallKey(key)) count++
  return count
}
