import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { addAside } from './aside.js'
import type { CallStore, ReadCall, TellProblem } from './call-store.js'
import { FILE_MODE, storeNames } from './directory.js'
import { isTaken } from './engine.js'
import { isOf } from './erasure.js'
import { openLeftStore } from './left-store.js'
import type { StoreListener } from './level-store.js'
import { readMark } from './mark.js'
import type { Erased, Erasure, TakenCall } from './outbox.js'
import { FORMAT } from './record.js'
import { StoreReceipt } from './store-receipt.js'

const READ_AT_ONCE = 1_000

/** A store of an ended process, read from front to back. */
interface Source {
  readonly store: CallStore
  after: number
  /** Calls that were handed out and not removed yet. */
  open: number
  isRead: boolean
}

/** The stores of ended processes in a directory: each has one owner, and this is it. */
export class LeftStores {
  readonly #directory: string
  readonly #writeKeyHash: string
  readonly #tell: TellProblem
  readonly #sources: Source[] = []
  /** The stores that this process owns, has found unreadable, or leaves to others for good. */
  readonly #known: Set<string>
  #closing: Promise<unknown> = Promise.resolve()

  /**
   * @param own - The name of the process's own store.
   * @param writeKeyHash - Stores of other write keys are left to their processes.
   */
  constructor(directory: string, own: string, writeKeyHash: string, tell: TellProblem) {
    this.#directory = directory
    this.#writeKeyHash = writeKeyHash
    this.#tell = tell
    this.#known = new Set([own])
  }

  /** Whether there may be calls to take. */
  get hasUnread(): boolean {
    return this.#sources.some(({ isRead }) => !isRead)
  }

  /** Opens the stores of processes that have ended, the oldest first. */
  async adopt(): Promise<void> {
    for (const name of await storeNames(this.#directory)) {
      if (this.#known.has(name)) continue
      const store = await this.#open(name)
      if (!store) continue
      if (this.#isOurs(store)) this.#sources.push({ store, after: -1, open: 0, isRead: false })
      else await this.#close(store)
    }
  }

  /** Hands out calls, the oldest store's first. */
  async take(most: number): Promise<TakenCall[]> {
    const taken: TakenCall[] = []
    for (const source of [...this.#sources]) {
      while (!source.isRead && taken.length < most) {
        const calls = await this.#read(source, most - taken.length)
        for (const { number, ...call } of calls)
          taken.push({ ...call, isOwn: false, receipt: new StoreReceipt(source.store, number) })
      }
    }
    return taken
  }

  /** Calls of a store were removed; a store whose calls are all removed is closed. */
  settled(store: CallStore, count: number): void {
    const source = this.#sources.find((each) => each.store === store)
    if (!source) return
    source.open -= count
    this.#release(source)
  }

  /** Removes a person's calls that were not handed out. */
  async erase(whose: Erasure): Promise<Erased> {
    let erased = 0
    let held = 0
    for (const { store, after } of this.#sources) {
      const found: number[] = []
      for await (const { number, text } of readFrom(store, -1)) {
        if (!isOf(whose, text)) continue
        if (number > after) found.push(number)
        else held++
      }
      if (found.length > 0) await store.remove(found)
      erased += found.length
    }
    return { erased, held }
  }

  /** Counts a person's calls in stores that other processes have open. */
  async countElsewhere(whose: Erasure): Promise<number> {
    const { readStores } = await import('./inspection.js')
    const stores = await readStores(this.#directory, this.#known)
    return stores.reduce(
      (count, { calls }) => count + calls.filter(({ text }) => isOf(whose, text)).length,
      0,
    )
  }

  /** Gives the stores up that are still open, to be closed. */
  giveUp(): CallStore[] {
    return this.#sources.splice(0).map(({ store }) => store)
  }

  /** Resolves when the stores are closed that were emptied. */
  async closed(): Promise<void> {
    await this.#closing
  }

  async #read(source: Source, most: number): Promise<ReadCall[]> {
    try {
      const calls = await source.store.read(source.after, most)
      source.after = calls.at(-1)?.number ?? source.after
      source.isRead = calls.length < most
      const ours = calls.filter((call) => this.#isOurs(call))
      source.open += ours.length
      this.#release(source)
      return ours
    } catch (error) {
      source.isRead = true
      this.#tell('calls could not be read from the outbox', error)
      return []
    }
  }

  #release(source: Source): void {
    if (!source.isRead || source.open > 0) return
    this.#sources.splice(this.#sources.indexOf(source), 1)
    this.#closing = Promise.all([this.#closing, this.#close(source.store)])
  }

  async #close(store: CallStore): Promise<void> {
    await store.close().catch((error: unknown) => this.#tell('a store could not be closed', error))
  }

  /** A call goes to no other source than the one that it was made for. The first format did not say. */
  #isOurs({ writeKeyHash }: { readonly writeKeyHash?: string | undefined }): boolean {
    return !writeKeyHash || !this.#writeKeyHash || writeKeyHash === this.#writeKeyHash
  }

  /** The system releases a lock when its process ends: a store that opens has no owner. */
  async #open(name: string): Promise<CallStore | undefined> {
    const directory = join(this.#directory, name)
    const mark = await readMark(directory)
    if (mark && mark.format > FORMAT) {
      this.#known.add(name)
      this.#tell('a newer version has written a store of the outbox: it is left to that version', undefined)
      return undefined
    }
    if (mark?.writeKeyHash && !this.#isOurs(mark)) return undefined
    try {
      await access(directory)
      const store = await openLeftStore(directory, mark, this.#tell, this.#listener)
      this.#known.add(name)
      return store
    } catch (error) {
      // A full disk or too many open files: the store itself is fine, and is tried again later.
      if (!isTaken(error)) this.#tell('the store of an ended process cannot be opened at the moment', error)
      return undefined
    }
  }

  /** Sets aside what is damaged, and says what a store finds. */
  get #listener(): StoreListener {
    return {
      damaged: async (line) => {
        this.#tell('a call was changed on the disk: it is set aside', undefined, 1)
        return addAside(this.#directory, line, FILE_MODE).catch(() => false)
      },
      unknown: () =>
        this.#tell(
          'the outbox holds records that this version cannot read: they are left in their store',
          undefined,
        ),
      missing: (calls) =>
        this.#tell('calls are missing from the store of an ended process', undefined, calls),
    }
  }
}

/** Reads all calls of a store after a number. */
export async function* readFrom(store: CallStore, after: number): AsyncGenerator<ReadCall> {
  for (let from = after; ; ) {
    const some = await store.read(from, READ_AT_ONCE)
    yield* some
    const last = some.at(-1)
    if (!last || some.length < READ_AT_ONCE) return
    from = last.number
  }
}
