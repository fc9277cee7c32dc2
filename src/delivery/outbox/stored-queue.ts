import { clearTimeout, setTimeout } from '../../support/clock.js'
import { DiskWatch } from './disk-watch.js'
import type { CallStore, OpenOutbox, Outbox, Place, ReadCall, StoredCall, TellProblem } from './outbox.js'

/** How many calls are read at a time. */
const READ_AT_ONCE = 200
/** Milliseconds between looks for the stores of ended processes, and for its own. */
const ADOPT_INTERVAL_MS = 5_000

const HANGS = 'the outbox does not answer: calls go on in memory until it does'

/** What the delivery hears. `T` is its object for a call in memory. */
export interface StoredQueueListener<T> {
  /** Calls are stored, or never will be: they can be sent. */
  stored(held: readonly T[]): void
  /** Calls were read, oldest first. `number` is valid for this process's own calls. */
  loaded(calls: readonly ReadCall[], isOwn: boolean): void
  /** Calls that were passed on while the disk hung are stored after all. Some have their outcome already. */
  placed(calls: readonly { readonly place: Place; readonly messageId: string }[]): void
  /** The disk hung and answers again: calls can be stored. */
  answers(): void
  /** The outbox fails: the calls concerned go on in memory. */
  failed(problem: string, error: unknown): void
  /** This many calls were only stored, and cannot be read. */
  lost(count: number): void
  /** There is a problem with what ended processes have left, and this many of their calls are lost by it. */
  leftDamaged(problem: string, error: unknown, lost: number): void
}

interface Unwritten<T> {
  readonly number: number
  readonly call: StoredCall
  /** Its object in memory, if there is one. */
  readonly held: T | undefined
  /** Whether it is sent from memory already, since the disk hung. */
  isPassedOn: boolean
}

/** A store whose calls are not in memory, read from front to back. */
interface Source {
  readonly store: CallStore
  readonly isOwn: boolean
  after: number
  /** Calls that were read and not removed yet. */
  open: number
  isRead: boolean
}

/**
 * Writes calls to an outbox in groups, removes them when they have their outcome, and reads those that memory does not hold:
 * calls made while it was full, and calls of ended processes.
 */
export class StoredQueue<T> {
  readonly #outbox: Outbox
  readonly #writeKeyHash: string | undefined
  readonly #listener: StoredQueueListener<T>
  readonly #sources: Source[] = []
  #opened: OpenOutbox | undefined
  #unwritten: Unwritten<T>[] = []
  #unwrittenBytes = 0
  /** The groups whose turn to be written comes. */
  readonly #groups = new Set<Unwritten<T>[]>()
  /** The group that is being written. */
  #writing: Unwritten<T>[] = []
  readonly #disk = new DiskWatch(
    () => this.#passOn(),
    () => this.#goOn(),
  )
  /** The calls in memory that are not written yet. */
  readonly #held = new Set<T>()
  #settled = new Map<CallStore, number[]>()
  #bytes = 0
  /** Calls of this process that only the outbox holds, or will hold. */
  #storedOnly = 0
  /** The first of them that was not read. */
  #firstStoredOnly = 0
  /** Those of them that are not written yet. */
  #unwrittenStoredOnly = 0
  #isUsable = true
  /** Whether the stored calls are gone. */
  #directoryMissing = false
  #timer: NodeJS.Timeout | undefined
  #looking: NodeJS.Timeout | undefined
  #looked: Promise<void> = Promise.resolve()
  #committing: Promise<void> = Promise.resolve()
  #closing: Promise<unknown> = Promise.resolve()
  #isReading = false
  /** Whether calls of ended processes are taken over. */
  #adopts = true
  #isClosed = false
  readonly #opening: Promise<void>

  /** @param writeKeyHash - What stands with every call; calls of other write keys are left to their processes. */
  constructor(outbox: Outbox, writeKeyHash: string | undefined, listener: StoredQueueListener<T>) {
    this.#outbox = outbox
    this.#writeKeyHash = writeKeyHash
    this.#listener = listener
    this.#opening = this.#open()
  }

  /** Whether calls are stored at all. */
  get isUsable(): boolean {
    return this.#isUsable && !this.#disk.isHanging
  }

  /** Whether the disk does not answer. */
  get isHanging(): boolean {
    return this.#disk.isHanging
  }

  /** Whether the last check found the stored calls gone: no later process will find them. */
  get directoryMissing(): boolean {
    return this.#directoryMissing
  }

  /** The size of the stored calls of this process, in characters. */
  get bytes(): number {
    return this.#bytes
  }

  /** The size of the calls that are not written yet, in characters: memory holds them. */
  get unwrittenBytes(): number {
    return this.#unwrittenBytes
  }

  /** How many calls of this process only the outbox holds. */
  get storedOnly(): number {
    return this.#storedOnly
  }

  /** The number of the oldest of them. */
  get firstStoredOnly(): number | undefined {
    return this.#storedOnly > 0 ? this.#firstStoredOnly : undefined
  }

  /** Whether there are calls to read. */
  get hasMore(): boolean {
    return (
      this.#storedOnly > 0 || (this.#adopts && this.#sources.some(({ isRead, isOwn }) => !isRead && !isOwn))
    )
  }

  /**
   * Writes a call with the next group.
   *
   * @param held - Its object in memory; without one the call is read again when its turn comes.
   * @param isPassedOn - Whether it is sent from memory already.
   */
  add(number: number, call: StoredCall, held: T | undefined, isPassedOn = false): void {
    this.#unwritten.push({ number, call, held, isPassedOn })
    this.#bytes += call.text.length
    this.#unwrittenBytes += call.text.length
    if (held !== undefined && !isPassedOn) this.#held.add(held)
    if (held === undefined) {
      if (this.#storedOnly === 0) this.#firstStoredOnly = number
      this.#storedOnly++
      this.#unwrittenStoredOnly++
    }
    if (this.#unwritten.length >= this.#outbox.limits.commitAt) this.#commitNow()
    else this.#commitSoon()
  }

  /** Withdraws the oldest call that memory holds and that is not being written yet. */
  withdraw(): T | undefined {
    const index = this.#unwritten.findIndex(({ held, isPassedOn }) => held !== undefined && !isPassedOn)
    const [withdrawn] = index < 0 ? [] : this.#unwritten.splice(index, 1)
    if (withdrawn) {
      if (withdrawn.held !== undefined) this.#held.delete(withdrawn.held)
      this.#bytes -= withdrawn.call.text.length
      this.#unwrittenBytes -= withdrawn.call.text.length
    }
    return withdrawn?.held
  }

  /** How many calls in memory are not written yet. */
  get unwritten(): number {
    return this.#held.size
  }

  /** A call in memory has its outcome before it is written: it is written nonetheless, and removed again. */
  forget(held: T): void {
    this.#held.delete(held)
  }

  /** Removes a call with the next group. */
  settled(place: Place): void {
    const { store, number, size } = place
    if (store === this.#opened?.own) this.#bytes -= size
    const numbers = this.#settled.get(store)
    if (numbers) numbers.push(number)
    else this.#settled.set(store, [number])
    this.#commitSoon()
  }

  /** Where a call of this process is stored. */
  placeOf(number: number, size: number): Place | undefined {
    return this.#opened && { store: this.#opened.own, number, size }
  }

  /** Sets a call aside. */
  setAside(...given: Parameters<OpenOutbox['setAside']>): void {
    if (!this.#opened) return
    const failed = (error: unknown) => this.#tell('a call could not be set aside', error)
    // Every operation of a disk that hangs blocks one of the four threads that also resolve names.
    if (this.#disk.isHanging) failed(new Error('the disk does not answer'))
    else this.#opened.setAside(...given).catch(failed)
  }

  /** Reads the next calls, unless a read is running, and tells the listener. */
  read(): void {
    if (this.#isReading || this.#isClosed || !this.#opened) return
    const source = this.#sources.find(({ isOwn, isRead }) =>
      isOwn ? this.#storedOnly > 0 : !isRead && this.#adopts,
    )
    if (!source) return
    this.#isReading = true
    void this.#read(source).finally(() => {
      this.#isReading = false
    })
  }

  /** Checks whether its store still exists. */
  async check(): Promise<void> {
    if (!this.#opened || this.#directoryMissing || (await this.#opened.own.isThere())) return
    this.#directoryMissing = true
    this.#stop(
      'the outbox cannot be used any more: calls are kept in memory only',
      new Error('its directory has vanished'),
    )
  }

  /** Forgets the calls that only the outbox holds, and returns how many there were. */
  forgetStoredOnly(): number {
    const storedOnly = this.#storedOnly
    this.#storedOnly = 0
    return storedOnly
  }

  /** Waits for the disk no longer than this, since a shutdown has begun. */
  hurry(patienceMs: number): void {
    this.#disk.hurry(patienceMs)
  }

  /** Leaves the unread calls of ended processes to others. */
  stopAdopting(): void {
    this.#adopts = false
  }

  /** Resolves when every earlier call is written. */
  async commit(): Promise<void> {
    await this.#opening
    this.#commitNow()
    await this.#committing
  }

  /** Writes the rest and closes all stores. */
  async close(): Promise<void> {
    await this.commit()
    await this.#looked
    clearTimeout(this.#looking)
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const { store } of this.#sources) await this.#closeStore(store)
    await this.#closing
  }

  async #closeStore(store: CallStore): Promise<void> {
    await store.close().catch((error: unknown) => this.#tell('a store could not be closed', error))
  }

  async #open(): Promise<void> {
    try {
      this.#opened = await this.#disk.watch(this.#outbox.open())
      this.#sources.push({ store: this.#opened.own, isOwn: true, after: 0, open: 0, isRead: true })
    } catch (error) {
      this.#stop('the outbox could not be opened: calls are kept in memory only', error)
    }
    // Waiting calls are written before the stores of others are opened or repaired.
    this.#commitNow()
    this.#looked = this.#look()
  }

  #stop(problem: string, error: unknown): void {
    this.#tell(problem, error)
    this.#isUsable = false
  }

  /** The disk hangs: what waits for it goes on in memory, but for the group that is being written. */
  #passOn(): void {
    if (!this.#isUsable || this.#isClosed) return
    this.#tell(HANGS, new Error('nothing was heard of the disk for seconds'))
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting: Unwritten<T>[] = []
    for (const group of this.#groups) if (group !== this.#writing) waiting.push(...group.splice(0))
    waiting.push(...this.#unwritten.splice(0))
    for (const { call } of waiting) {
      this.#bytes -= call.text.length
      this.#unwrittenBytes -= call.text.length
    }
    const passedOn = [...this.#writing, ...waiting].filter((each) => !each.isPassedOn)
    for (const each of passedOn) each.isPassedOn = true
    const held = passedOn.flatMap((each) => (each.held === undefined ? [] : [each.held]))
    for (const each of held) this.#held.delete(each)
    this.#unwrittenStoredOnly -= passedOn.length - held.length
    if (held.length > 0) this.#listener.stored(held)
    this.#passStoredOnly(passedOn)
  }

  /** Passes calls on that neither memory nor the outbox holds, as if they had been read. */
  #passStoredOnly(unwritten: readonly Unwritten<T>[]): void {
    const lost = unwritten.filter(({ held }) => held === undefined)
    this.#storedOnly -= lost.length
    if (lost.length > 0)
      this.#listener.loaded(
        lost.map(({ number, call }) => ({ ...call, number })),
        true,
      )
  }

  #goOn(): void {
    if (!this.#isUsable || this.#isClosed) return
    this.#listener.answers()
    this.#commitSoon()
    if (this.hasMore) this.#listener.loaded([], false)
  }

  /** Says nothing after the outbox has failed as a whole: that was said. */
  #tell(problem: string, error: unknown): void {
    if (this.#isUsable) this.#listener.failed(problem, error)
  }

  /** Adopts the stores of ended processes, and checks its own. */
  async #look(): Promise<void> {
    if (!this.#opened || this.#isClosed || !this.#adopts) return
    if (!this.#disk.isHanging) await this.#adopt(this.#opened)
    if (this.#directoryMissing) return
    this.#looking = setTimeout(() => {
      this.#looked = this.#look()
    }, ADOPT_INTERVAL_MS)
    this.#looking.unref()
  }

  async #adopt(opened: OpenOutbox): Promise<void> {
    await this.check()
    if (this.#directoryMissing) return
    try {
      const tell: TellProblem = (problem, error, lost = 0) => this.#listener.leftDamaged(problem, error, lost)
      const adopted = await opened.adopt(tell, this.#writeKeyHash)
      for (const store of adopted) {
        if (!this.#isOurs(store)) await this.#closeStore(store)
        else this.#sources.splice(-1, 0, { store, isOwn: false, after: -1, open: 0, isRead: false })
      }
    } catch (error) {
      this.#tell('the outbox cannot be searched for stores of ended processes at the moment', error)
    }
    this.#release()
    if (this.hasMore) this.#listener.loaded([], false)
  }

  /** Closes the adopted stores whose calls are all removed. */
  #release(): void {
    for (const source of [...this.#sources]) {
      const { store, isOwn, isRead, open } = source
      if (isOwn || !isRead || open > 0) continue
      this.#sources.splice(this.#sources.indexOf(source), 1)
      this.#closing = Promise.all([this.#closing, this.#closeStore(store)])
    }
  }

  /** A call goes to no other source than the one that it was made for. The first format did not say. */
  #isOurs({ writeKeyHash }: { readonly writeKeyHash?: string }): boolean {
    return !writeKeyHash || !this.#writeKeyHash || writeKeyHash === this.#writeKeyHash
  }

  async #read(source: Source): Promise<void> {
    const { store, isOwn } = source
    try {
      if (isOwn) {
        source.after = Math.max(source.after, this.#firstStoredOnly - 1)
        this.#commitNow()
        await this.#committing
      }
      const onDisk = this.#storedOnly - this.#unwrittenStoredOnly
      const calls = await this.#disk.watch(store.read(source.after, READ_AT_ONCE))
      const last = calls.at(-1)
      if (this.#isClosed || !(isOwn || this.#adopts)) return
      if (last) source.after = last.number
      const ours = isOwn ? calls : calls.filter((call) => this.#isOurs(call))
      source.open += ours.length
      if (isOwn) {
        this.#firstStoredOnly = source.after + 1
        this.#storedOnly -= calls.length
        if (calls.length < READ_AT_ONCE) this.#lose(onDisk - calls.length)
      } else if (calls.length < READ_AT_ONCE) source.isRead = true
      if (source.isRead && source.open === 0) this.#release()
      this.#listener.loaded(ours, isOwn)
    } catch (error) {
      source.isRead = true
      this.#tell('calls could not be read from the outbox', error)
      await this.check()
      if (isOwn && this.#directoryMissing) this.#lose(this.#storedOnly - this.#unwrittenStoredOnly)
    }
  }

  #lose(count: number): void {
    if (count <= 0) return
    this.#storedOnly -= count
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
    if ((!this.#opened || this.#disk.isHanging) && this.#isUsable) return
    const unwritten = this.#unwritten
    const settled = this.#settled
    this.#unwritten = []
    this.#settled = new Map()
    if (unwritten.length > 0 || settled.size > 0) {
      this.#groups.add(unwritten)
      this.#committing = this.#committing.then(() => this.#commit(unwritten, settled))
    }
  }

  async #commit(unwritten: Unwritten<T>[], settled: ReadonlyMap<CallStore, number[]>): Promise<void> {
    if (unwritten.length > 0) await this.#write(unwritten)
    this.#groups.delete(unwritten)
    for (const [store, numbers] of settled) {
      try {
        await this.#disk.watch(store.remove(numbers))
        const source = this.#sources.find((each) => each.store === store)
        if (source) source.open -= numbers.length
      } catch (error) {
        this.#tell('settled calls could not be removed from the outbox: they may be sent again', error)
      }
    }
    if (settled.size > 0) this.#release()
  }

  async #write(unwritten: Unwritten<T>[]): Promise<void> {
    this.#writing = unwritten
    const own = this.#opened?.own
    try {
      if (this.#isUsable && own) await this.#disk.watch(own.write(unwritten))
    } catch (error) {
      this.#stop('the outbox cannot be written: calls are kept in memory only', error)
    }
    this.#writing = []
    for (const { call } of unwritten) this.#unwrittenBytes -= call.text.length
    const passedOn = unwritten.filter((each) => each.isPassedOn)
    const others = passedOn.length === 0 ? unwritten : unwritten.filter((each) => !each.isPassedOn)
    const held = others.flatMap((each) => (each.held === undefined ? [] : [each.held]))
    this.#unwrittenStoredOnly -= others.length - held.length
    for (const each of held) this.#held.delete(each)
    if (held.length > 0) this.#listener.stored(held)
    if (!this.#isUsable) return this.#passStoredOnly(others)
    if (passedOn.length === 0 || !own) return
    this.#listener.placed(
      passedOn.map(({ number, call: { messageId, text } }) => ({
        messageId,
        place: { store: own, number, size: text.length },
      })),
    )
  }
}
