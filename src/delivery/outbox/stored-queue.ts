import { GroupedWrites } from './grouped-writes.js'
import type { OpenOutbox, Outbox, OutboxSession, StoredCall, Waiting } from './outbox.js'
import { Settlements } from './settlements.js'
import { StoredCounts } from './stored-counts.js'
import type { InMemory, Place, StoredQueueListener } from './stored-queue-listener.js'
import { type QueueOptions, TakenCalls } from './taken-calls.js'
import { WatchedEngine } from './watched-engine.js'

/**
 * Writes calls to an outbox in groups, removes them when they have their outcome, and takes those that memory does not hold:
 * calls made while it was full, and calls of other processes.
 */
export class StoredQueue<T> {
  readonly #options: QueueOptions
  readonly #listener: StoredQueueListener<T>
  readonly #engine: WatchedEngine
  readonly #counts: StoredCounts
  readonly #taken: TakenCalls
  readonly #writes: GroupedWrites<T>
  readonly #settlements: Settlements
  readonly #opening: Promise<void>

  constructor(outbox: Outbox, options: QueueOptions, listener: StoredQueueListener<T>) {
    this.#options = options
    this.#listener = listener
    const counts = new StoredCounts(listener)
    const engine = new WatchedEngine(outbox, {
      hangs: () => this.#writes.passOn(),
      answers: () => this.#goOn(),
      failed: (problem, error) => listener.failed(problem, error),
    })
    const taken = new TakenCalls({
      engine,
      counts,
      options,
      listener,
      commit: () => this.#writes.commit(),
    })
    const { limits } = outbox
    this.#engine = engine
    this.#counts = counts
    this.#taken = taken
    this.#writes = new GroupedWrites({ engine, limits, counts, taken, listener, sends: options.sends })
    this.#settlements = new Settlements({
      isPossible: () => engine.canSettle,
      settle: (receipts) => this.#settle(receipts),
    })
    this.#opening = this.#open()
  }

  /** Whether calls are stored at all. A process that does not send has nothing else to do with them. */
  get isUsable(): boolean {
    return this.#engine.isUsable && (!this.isHanging || !this.#options.sends)
  }

  /** Whether the outbox does not answer. */
  get isHanging(): boolean {
    return this.#engine.isHanging
  }

  /** Whether the last check found the stored calls gone: no later process will find them. */
  get isGone(): boolean {
    return this.#engine.isGone
  }

  /** The size of the stored calls of this process, in characters. */
  get bytes(): number {
    return this.#counts.bytes
  }

  /** The size of the calls that are not written yet, in characters: memory holds them. */
  get unwrittenBytes(): number {
    return this.#counts.unwrittenBytes
  }

  /** How many calls of this process only the outbox holds. */
  get storedOnly(): number {
    return this.#counts.left
  }

  /** The number of the oldest of them. */
  get firstStoredOnly(): number | undefined {
    return this.#counts.firstLeft
  }

  /** Whether there may be calls to take. */
  get hasMore(): boolean {
    return this.#taken.hasMore
  }

  /** How many calls in memory are not written yet. */
  get unwritten(): number {
    return this.#writes.size
  }

  /** Whether calls are being looked for, or are about to be. */
  get isLooking(): boolean {
    return this.#taken.isLooking
  }

  /** Writes a call with the next group. */
  add(number: number, call: StoredCall, inMemory: InMemory<T>): void {
    this.#writes.add(number, call, inMemory)
  }

  /** Withdraws the oldest call that memory holds and that is not being written yet. */
  withdraw(): T | undefined {
    return this.#writes.withdraw()
  }

  /** A call in memory has its outcome before it is written: it is written nonetheless, and removed again. */
  forget(held: T): void {
    this.#writes.forget(held)
  }

  /** Removes a call. */
  settled({ receipt, characters, isOwn }: Place): void {
    if (isOwn) this.#counts.remove(characters)
    this.#settlements.add(receipt)
  }

  /** Sets a call aside. */
  setAside(...given: Parameters<OpenOutbox['setAside']>): void {
    if (!this.#engine.opened) return
    const failed = (error: unknown) => this.#engine.tell('a call could not be set aside', error)
    // Every operation of a disk that hangs blocks one of the four threads that also resolve names.
    if (this.isHanging) failed(new Error('the outbox does not answer'))
    else void this.#engine.ask((opened) => opened.setAside(...given), failed)
  }

  /** Takes the next calls, unless that is being done, and tells the listener. */
  take(): void {
    this.#taken.take()
  }

  /** Looks for calls to take, although nothing says that there are any. */
  look(): void {
    this.#taken.ready()
  }

  /** What waits, of all processes; `undefined` where the outbox cannot tell. */
  waiting(): Promise<Waiting | undefined> {
    return this.#engine.ask(
      (opened) => opened.waiting?.(),
      () => {},
    )
  }

  /** Checks whether what was written can still be found. */
  check(): Promise<void> {
    return this.#engine.check()
  }

  /**
   * Forgets the calls that only the outbox holds, and tells how many it has, and how many were never written. What is taken
   * from now on is left untold.
   */
  forgetStoredOnly(): { readonly written: number; readonly unwritten: number } {
    this.#taken.end()
    return this.#counts.clear()
  }

  /** Waits for the outbox no longer than this, since a shutdown has begun. */
  hurry(patienceMs: number): void {
    this.#engine.hurry(patienceMs)
  }

  /** Leaves to others what they have written. */
  stopAdopting(): void {
    this.#taken.stopAdopting()
  }

  /** Resolves when every earlier call is written, and those that have their outcome are removed. */
  async commit(): Promise<void> {
    await this.#opening
    await this.#writes.commit()
    if (!this.isHanging) await this.#settlements.done()
  }

  /** Writes the rest and closes the outbox. */
  async close(): Promise<void> {
    const isGivenUp = this.isHanging && this.#engine.opened?.abandon !== undefined
    if (!isGivenUp) await this.commit()
    if (!isGivenUp) await this.#engine.checked
    this.#writes.stopWaiting()
    await this.#engine.close(isGivenUp)
  }

  async #open(): Promise<void> {
    await this.#engine.open(this.#session())
    this.#writes.begin()
    this.#engine.checkRegularly()
  }

  #session(): OutboxSession {
    const { writeKeyHash = '', sends } = this.#options
    const listener = this.#listener
    return {
      writeKeyHash,
      sends,
      ready: () => this.#taken.ready(),
      troubled: (error, goesOn = false) => (goesOn ? listener.degraded(error) : this.#engine.troubled(error)),
      owed: (calls) => this.#writes.owed(calls),
      warn: (advice) => listener.warn(advice),
      problem: (problem, error, lost = 0) => listener.troubled(problem, error, lost),
      lost: (calls) => this.#counts.lose(calls),
      relayed: (calls, characters) => this.#counts.relay(calls, characters),
      robbed: (receipts) => listener.robbed(new Set(receipts)),
      gone: (receipts) => listener.gone(new Set(receipts)),
      trimmed: (storedAt) => listener.trimmed(storedAt),
      evicted: (calls) => listener.evicted(calls.map((call) => this.#taken.load(call))),
    }
  }

  /** The outbox hung, and answers again. */
  #goOn(): void {
    this.#listener.answers()
    this.#settlements.schedule()
    this.#writes.beginSoon()
    if (this.hasMore) this.#listener.ready()
  }

  async #settle(receipts: readonly unknown[]): Promise<void> {
    await this.#engine.ask(
      (opened) => this.#engine.watch(opened.settle(receipts)),
      (error) =>
        this.#engine.tell(
          'settled calls could not be removed from the outbox: they may be sent again',
          error,
        ),
    )
  }
}
