import type { CallStore, OpenOutbox, Outbox, Place, ReadCall, StoredCall } from './outbox.js'

/** How many calls are read from disk at a time. */
const READ_AT_ONCE = 200
/** How often the directory is looked at: for stores of processes that have ended, and for its own. */
const LOOK_EVERY_MS = 5_000

/** What the delivery is told. `T` is what it holds in memory for a call. */
export interface DurableListener<T> {
  /** Calls are on disk, or never will be: they can go. */
  stored(held: readonly T[]): void
  /** Calls were read from disk, oldest first. `number` is that of a call which this process has made. */
  loaded(calls: readonly ReadCall[], isOwn: boolean): void
  /** Something is wrong with the disk: what it concerns goes on in memory. */
  failed(problem: string, error: unknown): void
  /** So many calls were on disk only, and cannot be read. */
  lost(count: number): void
}

interface Unwritten<T> {
  readonly number: number
  readonly call: StoredCall
  /** What memory holds of it, too. */
  readonly held: T | undefined
}

/** Calls on disk that are not in memory: one store, read from front to back. */
interface Source {
  readonly store: CallStore
  readonly isOwn: boolean
  after: number
  /** Calls that were read from it and are still there. */
  open: number
  isRead: boolean
}

/**
 * Writes calls to an outbox in groups, takes them off again when they have their outcome, and reads those that memory
 * does not hold: what came while it was full, and what processes that have ended left behind.
 */
export class Durable<T> {
  readonly #outbox: Outbox
  readonly #listener: DurableListener<T>
  readonly #sources: Source[] = []
  #opened: OpenOutbox | undefined
  #unwritten: Unwritten<T>[] = []
  #unwrittenBytes = 0
  #settled = new Map<CallStore, number[]>()
  #bytes = 0
  /** Calls of this process that are on disk only, or about to be. */
  #behind = 0
  /** The first of them that was not read. */
  #firstBehind = 0
  /** Those of them that are not written yet, or just being. */
  #unwrittenBehind = 0
  #works = true
  /** Whether what was written is not there any more. */
  #isGone = false
  #timer: NodeJS.Timeout | undefined
  #looking: NodeJS.Timeout | undefined
  #looked: Promise<void> = Promise.resolve()
  #committing: Promise<void> = Promise.resolve()
  #closing: Promise<unknown> = Promise.resolve()
  #isReading = false
  /** Whether calls of other processes are taken over. */
  #adopts = true
  #isClosed = false
  readonly #opening: Promise<void>

  constructor(outbox: Outbox, listener: DurableListener<T>) {
    this.#outbox = outbox
    this.#listener = listener
    this.#opening = this.#open()
  }

  /** Whether calls are written at all. */
  get works(): boolean {
    return this.#works
  }

  /** Whether what was written is not there any more, as far as it was looked at: no later process will find it. */
  get isGone(): boolean {
    return this.#isGone
  }

  /** The size of the calls that this process has on disk, in characters. */
  get bytes(): number {
    return this.#bytes
  }

  /** The size of those that wait to be written, or are being written, in characters: memory holds them. */
  get unwrittenBytes(): number {
    return this.#unwrittenBytes
  }

  /** Calls of this process that are on disk only. */
  get behind(): number {
    return this.#behind
  }

  /** The oldest of them. */
  get firstBehind(): number | undefined {
    return this.#behind > 0 ? this.#firstBehind : undefined
  }

  /** Whether there are calls to read. */
  get hasMore(): boolean {
    return this.#behind > 0 || (this.#adopts && this.#sources.some(({ isRead, isOwn }) => !isRead && !isOwn))
  }

  /**
   * Writes a call with the next group.
   *
   * @param held - What memory holds of it, too; without it the call is read again when its turn comes.
   */
  add(number: number, call: StoredCall, held: T | undefined): void {
    this.#unwritten.push({ number, call, held })
    this.#bytes += call.text.length
    this.#unwrittenBytes += call.text.length
    if (held === undefined) {
      if (this.#behind === 0) this.#firstBehind = number
      this.#behind++
      this.#unwrittenBehind++
    }
    if (this.#unwritten.length >= this.#outbox.limits.commitAt) this.#commitNow()
    else this.#commitSoon()
  }

  /** Gives the oldest call back that memory holds and that is not being written yet: it will not be. */
  withdraw(): T | undefined {
    const index = this.#unwritten.findIndex(({ held }) => held !== undefined)
    const [withdrawn] = index < 0 ? [] : this.#unwritten.splice(index, 1)
    if (withdrawn) {
      this.#bytes -= withdrawn.call.text.length
      this.#unwrittenBytes -= withdrawn.call.text.length
    }
    return withdrawn?.held
  }

  /** Takes a call off the disk with the next group. */
  settled(place: Place): void {
    const { store, number, size } = place
    if (store === this.#opened?.own) this.#bytes -= size
    const numbers = this.#settled.get(store)
    if (numbers) numbers.push(number)
    else this.#settled.set(store, [number])
    this.#commitSoon()
  }

  /** Where a call of this process is. */
  placeOf(number: number, size: number): Place | undefined {
    return this.#opened && { store: this.#opened.own, number, size }
  }

  /** Keeps a call aside. */
  setAside(...given: Parameters<OpenOutbox['setAside']>): void {
    this.#opened?.setAside(...given).catch((error: unknown) => {
      this.#tell('a call could not be kept aside', error)
    })
  }

  /** Reads on, unless it does already; what it finds is told. */
  read(): void {
    if (this.#isReading || this.#isClosed || !this.#opened) return
    const source = this.#sources.find(({ isOwn, isRead }) =>
      isOwn ? this.#behind > 0 : !isRead && this.#adopts,
    )
    if (!source) return
    this.#isReading = true
    void this.#read(source).finally(() => {
      this.#isReading = false
    })
  }

  /** Looks whether what it has written is still there. */
  async check(): Promise<void> {
    if (!this.#opened || this.#isGone || (await this.#opened.own.isThere())) return
    this.#isGone = true
    this.#stop(
      'the outbox cannot be used any more: calls are kept in memory only',
      new Error('its directory has vanished'),
    )
  }

  /** Nobody will read any more what only the disk has: how much that was. */
  forgetBehind(): number {
    const behind = this.#behind
    this.#behind = 0
    return behind
  }

  /** Leaves to others what processes that have ended left behind, but for what has been read. */
  stopAdopting(): void {
    this.#adopts = false
  }

  /** Resolves when everything is on disk that was to be written before. */
  async commit(): Promise<void> {
    await this.#opening
    this.#commitNow()
    await this.#committing
  }

  /** Writes what is left and lets go of all stores. */
  async close(): Promise<void> {
    await this.commit()
    await this.#looked
    clearTimeout(this.#looking)
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const { store } of this.#sources) await this.#letGo(store)
    await this.#closing
  }

  async #letGo(store: CallStore): Promise<void> {
    await store.close().catch((error: unknown) => this.#tell('a store could not be closed', error))
  }

  async #open(): Promise<void> {
    try {
      this.#opened = await this.#outbox.open()
      this.#sources.push({ store: this.#opened.own, isOwn: true, after: 0, open: 0, isRead: true })
    } catch (error) {
      this.#stop('the outbox could not be opened: calls are kept in memory only', error)
    }
    // What came meanwhile does not wait until the stores of others have been opened, or mended.
    this.#commitNow()
    this.#looked = this.#look()
  }

  #stop(problem: string, error: unknown): void {
    this.#tell(problem, error)
    this.#works = false
  }

  /** Where nothing is written any more, that has been said: what else fails then is part of it. */
  #tell(problem: string, error: unknown): void {
    if (this.#works) this.#listener.failed(problem, error)
  }

  /** Looks for what other processes have left, and whether its own files are still there. */
  async #look(): Promise<void> {
    if (!this.#opened || this.#isClosed || !this.#adopts) return
    await this.check()
    if (this.#isGone) return
    try {
      const adopted = await this.#opened.adopt((problem, error) => this.#tell(problem, error))
      for (const store of adopted) {
        this.#sources.splice(-1, 0, { store, isOwn: false, after: -1, open: 0, isRead: false })
      }
    } catch (error) {
      this.#tell('what ended processes left in the outbox cannot be looked for at the moment', error)
    }
    this.#release()
    if (this.hasMore) this.#listener.loaded([], false)
    this.#looking = setTimeout(() => {
      this.#looked = this.#look()
    }, LOOK_EVERY_MS)
    this.#looking.unref()
  }

  /** Lets go of adopted stores of which nothing is left. */
  #release(): void {
    for (const source of [...this.#sources]) {
      const { store, isOwn, isRead, open } = source
      if (isOwn || !isRead || open > 0) continue
      this.#sources.splice(this.#sources.indexOf(source), 1)
      this.#closing = Promise.all([this.#closing, this.#letGo(store)])
    }
  }

  async #read(source: Source): Promise<void> {
    const { store, isOwn } = source
    try {
      if (isOwn) {
        source.after = Math.max(source.after, this.#firstBehind - 1)
        this.#commitNow()
        await this.#committing
      }
      const onDisk = this.#behind - this.#unwrittenBehind
      const calls = await store.read(source.after, READ_AT_ONCE)
      const last = calls.at(-1)
      if (this.#isClosed || !(isOwn || this.#adopts)) return
      if (last) source.after = last.number
      source.open += calls.length
      if (isOwn) {
        this.#firstBehind = source.after + 1
        this.#behind -= calls.length
        if (calls.length < READ_AT_ONCE) this.#lose(onDisk - calls.length)
      } else if (calls.length < READ_AT_ONCE) source.isRead = true
      this.#listener.loaded(calls, isOwn)
    } catch (error) {
      source.isRead = true
      this.#tell('calls could not be read from the outbox', error)
      await this.check()
      if (isOwn && this.#isGone) this.#lose(this.#behind - this.#unwrittenBehind)
    }
  }

  #lose(count: number): void {
    if (count <= 0) return
    this.#behind -= count
    this.#listener.lost(count)
  }

  #commitSoon(): void {
    if (this.#timer || this.#isClosed) return
    this.#timer = setTimeout(() => this.#commitNow(), this.#outbox.limits.commitInterval)
    this.#timer.unref()
  }

  #commitNow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#opened && this.#works) return
    const unwritten = this.#unwritten
    const settled = this.#settled
    this.#unwritten = []
    this.#settled = new Map()
    if (unwritten.length > 0 || settled.size > 0) {
      this.#committing = this.#committing.then(() => this.#commit(unwritten, settled))
    }
  }

  async #commit(
    unwritten: readonly Unwritten<T>[],
    settled: ReadonlyMap<CallStore, number[]>,
  ): Promise<void> {
    if (unwritten.length > 0) await this.#write(unwritten)
    for (const [store, numbers] of settled) {
      try {
        await store.remove(numbers)
        const source = this.#sources.find((each) => each.store === store)
        if (source) source.open -= numbers.length
      } catch (error) {
        this.#tell('settled calls could not be taken off the outbox: they may be sent again', error)
      }
    }
    if (settled.size > 0) this.#release()
  }

  async #write(unwritten: readonly Unwritten<T>[]): Promise<void> {
    try {
      if (this.#works) await this.#opened?.own.write(unwritten)
    } catch (error) {
      this.#stop('the outbox cannot be written: calls are kept in memory only', error)
    }
    for (const { call } of unwritten) this.#unwrittenBytes -= call.text.length
    const held = unwritten.flatMap((each) => (each.held === undefined ? [] : [each.held]))
    this.#unwrittenBehind -= unwritten.length - held.length
    if (held.length > 0) this.#listener.stored(held)
    if (this.#works) return
    // What memory does not hold and the disk has not got is handed over as if it had been read.
    const lost = unwritten.filter((each) => each.held === undefined)
    this.#behind -= lost.length
    if (lost.length > 0)
      this.#listener.loaded(
        lost.map(({ number, call }) => ({ ...call, number })),
        true,
      )
  }
}
