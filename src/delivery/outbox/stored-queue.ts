import type { Remembered } from '../../model/segment-call.js'
import { clearTimeout, setTimeout } from '../../support/clock.js'
import { AnswerWatch } from './answer-watch.js'
import { callsIn, placeOf } from './engine-answer.js'
import { LeftCalls } from './left-calls.js'
import type { OpenOutbox, Outbox, OutboxSession, StoredCall, TakenCall, Waiting } from './outbox.js'
import { Settlements } from './settlements.js'
import type { InMemory, LoadedCall, Place, StoredQueueListener } from './stored-queue-listener.js'

/** How many calls are taken at a time. */
const TAKE_AT_ONCE = 200
/** Milliseconds between looks for what was written. */
const CHECK_INTERVAL_MS = 5_000
/** Milliseconds after a failure to take before the next try. */
const RETRY_MS = 1_000

const HANGS = 'the outbox does not answer: calls go on in memory until it does'

const FOREIGN = 'the outbox has handed out calls of another write key: they stay in it'

interface Unwritten<T> {
  readonly number: number
  readonly call: StoredCall
  /** Its object in memory, if there is one. */
  readonly held: T | undefined
  readonly remembered: Remembered | undefined
  /** Whether it is sent from memory already, since the outbox hung. */
  isPassedOn: boolean
  /** Whether memory has sent it before it could be stored: it is stored no more. */
  isDone: boolean
}

/** Whose calls are stored, and by whom they are sent. */
export interface QueueOptions {
  /** The outbox hands out no calls of other write keys. */
  readonly writeKeyHash: string | undefined
  /** Whether this process sends. */
  readonly sends: boolean
}

/**
 * Writes calls to an outbox in groups, removes them when they have their outcome, and takes those that memory does not hold:
 * calls made while it was full, and calls of other processes.
 */
export class StoredQueue<T> {
  readonly #outbox: Outbox
  readonly #options: QueueOptions
  readonly #listener: StoredQueueListener<T>
  #opened: OpenOutbox | undefined
  #unwritten: Unwritten<T>[] = []
  #unwrittenBytes = 0
  /** The groups whose turn to be written comes. */
  readonly #groups = new Set<Unwritten<T>[]>()
  /** The group that is being written. */
  #writing: Unwritten<T>[] = []
  readonly #watch = new AnswerWatch(
    () => this.#passOn(),
    () => this.#goOn(),
  )
  readonly #settlements = new Settlements({
    // A disk that hangs blocks a thread with each operation; an engine that says that it cannot write can still remove.
    isPossible: () => !this.isHanging || this.#watch.isWorried,
    settle: (receipts) => this.#settle(receipts),
  })
  /** The calls in memory that are not written yet. */
  readonly #held = new Set<T>()
  #bytes = 0
  /** Calls of this process that only the outbox holds, or will hold. */
  readonly #left = new LeftCalls()
  /** Those of them that are not written yet. */
  #unwrittenLeft = 0
  /** Calls that wait in the outbox although they were sent from memory. */
  readonly #sentFromMemory = new Set<string>()
  #isUsable = true
  /** Whether the stored calls are gone. */
  #isGone = false
  #trouble: unknown
  #timer: NodeJS.Timeout | undefined
  #checking: NodeJS.Timeout | undefined
  #checked: Promise<void> = Promise.resolve()
  #committing: Promise<void> = Promise.resolve()
  #isTaking = false
  /** Whether the outbox may have calls to take. */
  #mayHaveMore = false
  /** Whether calls of other processes are taken. */
  #adopts = true
  /** Whether every call of this process has ended, or is left to others. */
  #isOver = false
  #isClosed = false
  readonly #opening: Promise<void>

  constructor(outbox: Outbox, options: QueueOptions, listener: StoredQueueListener<T>) {
    this.#outbox = outbox
    this.#options = options
    this.#listener = listener
    this.#opening = this.#open()
  }

  /** Whether calls are stored at all. A process that does not send has nothing else to do with them. */
  get isUsable(): boolean {
    return this.#isUsable && (!this.isHanging || !this.#options.sends)
  }

  /** Whether the outbox does not answer. */
  get isHanging(): boolean {
    return this.#watch.isHanging
  }

  /** Whether the last check found the stored calls gone: no later process will find them. */
  get isGone(): boolean {
    return this.#isGone
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
    return this.#left.size
  }

  /** The number of the oldest of them. */
  get firstStoredOnly(): number | undefined {
    return this.#left.first
  }

  /** Whether there may be calls to take. */
  get hasMore(): boolean {
    return this.#mayHaveMore && this.#options.sends && (this.#adopts || this.#left.size > 0)
  }

  /** Writes a call with the next group. */
  add(number: number, call: StoredCall, { held, remembered, isPassedOn = false }: InMemory<T>): void {
    this.#unwritten.push({ number, call, held, remembered, isPassedOn, isDone: false })
    this.#bytes += call.text.length
    this.#unwrittenBytes += call.text.length
    if (held !== undefined && !isPassedOn) this.#held.add(held)
    if (held === undefined) {
      this.#left.add(number)
      this.#unwrittenLeft++
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
      this.#forgetSize([withdrawn])
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

  /** Removes a call. */
  settled({ receipt, characters, isOwn }: Place): void {
    if (isOwn) this.#bytes -= characters
    this.#settlements.add(receipt)
  }

  /** Sets a call aside. */
  setAside(...given: Parameters<OpenOutbox['setAside']>): void {
    if (!this.#opened) return
    const failed = (error: unknown) => this.#tell('a call could not be set aside', error)
    // Every operation of a disk that hangs blocks one of the four threads that also resolve names.
    if (this.isHanging) failed(new Error('the outbox does not answer'))
    else void this.#ask(this.#opened, (opened) => opened.setAside(...given), failed)
  }

  /** Takes the next calls, unless that is being done, and tells the listener. */
  take(): void {
    if (this.#isTaking || this.#isClosed || !this.#opened || !this.hasMore) return
    this.#isTaking = true
    void this.#take(this.#opened).finally(() => {
      this.#isTaking = false
      // What was said to be there during the look has not been looked for.
      if (this.hasMore) this.#ready()
      this.#listener.looked()
    })
  }

  /** Looks for calls to take, although nothing says that there are any. */
  look(): void {
    this.#ready()
  }

  /** Whether calls are being looked for, or are about to be. */
  get isLooking(): boolean {
    return this.#isUsable && !this.#isClosed && (this.#isTaking || this.hasMore)
  }

  /** What waits, of all processes; `undefined` where the outbox cannot tell. */
  async waiting(): Promise<Waiting | undefined> {
    return (
      this.#opened &&
      this.#ask(
        this.#opened,
        (opened) => opened.waiting?.(),
        () => {},
      )
    )
  }

  /** Checks whether what was written can still be found. */
  async check(): Promise<void> {
    if (!this.#opened || this.#isGone) return
    const failed = (error: unknown) => this.#tell('the outbox could not be looked at', error)
    if ((await this.#ask(this.#opened, (opened) => opened.isThere?.(), failed)) !== false) return
    this.#isGone = true
    this.#stop(
      'the outbox cannot be used any more: calls are kept in memory only',
      new Error('its directory has vanished'),
    )
  }

  /**
   * Forgets the calls that only the outbox holds, and tells how many it has, and how many were never written. What is taken
   * from now on is left untold.
   */
  forgetStoredOnly(): { readonly written: number; readonly unwritten: number } {
    this.#isOver = true
    const unwritten = this.#unwrittenLeft
    return { written: this.#left.clear() - unwritten, unwritten }
  }

  /** Waits for the outbox no longer than this, since a shutdown has begun. */
  hurry(patienceMs: number): void {
    this.#watch.hurry(patienceMs)
  }

  /** Leaves to others what they have written. */
  stopAdopting(): void {
    this.#adopts = false
  }

  /** Resolves when every earlier call is written, and those that have their outcome are removed. */
  async commit(): Promise<void> {
    await this.#opening
    this.#commitNow()
    await this.#committing
    if (!this.isHanging) await this.#settlements.done()
  }

  /** Writes the rest and closes the outbox. */
  async close(): Promise<void> {
    const isHanging = this.isHanging && this.#opened?.abandon !== undefined
    if (!isHanging) await this.commit()
    if (!isHanging) await this.#checked
    this.#isClosed = true
    clearTimeout(this.#checking)
    clearTimeout(this.#timer)
    const failed = (error: unknown) => this.#tell('a store could not be closed', error)
    const end = (opened: OpenOutbox) => (isHanging ? opened.abandon?.() : opened.close())
    if (this.#opened) await this.#ask(this.#opened, end, failed)
  }

  /** Asks an engine, which may be anybody's: it can throw where it should reject. */
  async #ask<R>(
    opened: OpenOutbox,
    method: (opened: OpenOutbox) => R,
    failed: (error: unknown) => void,
  ): Promise<Awaited<R> | undefined> {
    try {
      return await method(opened)
    } catch (error) {
      failed(error)
      return undefined
    }
  }

  async #open(): Promise<void> {
    try {
      this.#opened = await this.#watch.watch(this.#outbox.open(this.#session()))
    } catch (error) {
      this.#stop('the outbox could not be opened: calls are kept in memory only', error)
    }
    this.#commitNow()
    if (this.#opened?.isThere) this.#checkLater()
  }

  #session(): OutboxSession {
    const { writeKeyHash = '', sends } = this.#options
    return {
      writeKeyHash,
      sends,
      ready: () => this.#ready(),
      troubled: (error, goesOn = false) => {
        if (goesOn) return this.#listener.degraded(error)
        this.#trouble = error
        if (error === undefined) this.#watch.relax()
        else this.#watch.worry()
      },
      owed: (calls) => this.#owed(calls),
      warn: (advice) => this.#listener.warn(advice),
      problem: (problem, error, lost = 0) => this.#listener.troubled(problem, error, lost),
      lost: (calls) => this.#lose(calls),
      relayed: (calls, characters) => this.#relayed(calls, characters),
      robbed: (receipts) => this.#listener.robbed(new Set(receipts)),
      gone: (receipts) => this.#listener.gone(new Set(receipts)),
      trimmed: (storedAt) => this.#listener.trimmed(storedAt),
      evicted: (calls) => this.#listener.evicted(calls.map((call) => this.#load(call))),
    }
  }

  #checkLater(): void {
    this.#checking = setTimeout(() => {
      this.#checked = this.check().then(() => {
        if (!this.#isClosed && !this.#isGone) this.#checkLater()
      })
    }, CHECK_INTERVAL_MS)
    this.#checking.unref()
  }

  #ready(): void {
    this.#mayHaveMore = true
    if (!this.#isClosed) this.#listener.ready()
  }

  #stop(problem: string, error: unknown): void {
    this.#tell(problem, error)
    this.#isUsable = false
  }

  /** The outbox hangs: what waits for it goes on in memory, but for the group that is being written. */
  #passOn(): void {
    if (!this.#isUsable || this.#isClosed) return
    this.#tell(HANGS, this.#trouble ?? new Error('nothing was heard of it for seconds'))
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (!this.#options.sends) return
    const waiting: Unwritten<T>[] = []
    for (const group of this.#groups) if (group !== this.#writing) waiting.push(...group.splice(0))
    waiting.push(...this.#unwritten.splice(0))
    this.#forgetSize(waiting)
    const passedOn = [...this.#writing, ...waiting].filter((each) => !each.isPassedOn)
    for (const each of passedOn) each.isPassedOn = true
    const held = passedOn.flatMap((each) => (each.held === undefined ? [] : [each.held]))
    for (const each of held) this.#held.delete(each)
    if (held.length > 0) this.#listener.stored(held.map((each) => ({ held: each, place: undefined })))
    this.#passLeft(passedOn)
  }

  /** Those of the calls that are being written which have no outcome yet. */
  #owed(calls: readonly StoredCall[]): readonly StoredCall[] {
    const done = new Set<string>()
    for (const each of this.#writing) {
      each.isDone = each.isPassedOn && !this.#listener.isPending(each.call.messageId)
      if (each.isDone) done.add(each.call.messageId)
    }
    return done.size === 0 ? calls : calls.filter(({ messageId }) => !done.has(messageId))
  }

  /** Passes calls on that neither memory nor the outbox holds. */
  #passLeft(unwritten: readonly Unwritten<T>[]): void {
    const left = unwritten.filter(({ held }) => held === undefined)
    this.#unwrittenLeft -= left.length
    this.#left.drop(left.length)
    if (left.length > 0) this.#listener.passed(left)
  }

  #forgetSize(unwritten: readonly Unwritten<T>[]): void {
    for (const { call } of unwritten) {
      this.#bytes -= call.text.length
      this.#unwrittenBytes -= call.text.length
    }
  }

  #goOn(): void {
    if (!this.#isUsable || this.#isClosed) return
    this.#listener.answers()
    this.#settlements.schedule()
    this.#commitSoon()
    if (this.hasMore) this.#listener.ready()
  }

  /** Says nothing after the outbox has failed as a whole: that was said. */
  #tell(problem: string, error: unknown): void {
    if (this.#isUsable) this.#listener.failed(problem, error)
  }

  async #take(opened: OpenOutbox): Promise<void> {
    try {
      if (this.#unwrittenLeft > 0) {
        this.#commitNow()
        await this.#committing
      }
      this.#mayHaveMore = false
      const taken = callsIn(await this.#watch.watch(opened.take(TAKE_AT_ONCE, { onlyOwn: !this.#adopts })))
      if (taken.length >= TAKE_AT_ONCE) this.#mayHaveMore = true
      if (!this.#isClosed) this.#loadAll(taken)
    } catch (error) {
      this.#tell('calls could not be read from the outbox', error)
      await this.check()
      if (this.#isGone) this.#lose(this.#left.size - this.#unwrittenLeft)
      else setTimeout(() => this.#ready(), RETRY_MS).unref()
    }
  }

  #loadAll(taken: readonly TakenCall[]): void {
    const loaded: LoadedCall[] = []
    for (const call of taken) {
      if (this.#isForeign(call)) this.#listener.troubled(FOREIGN, undefined, 0)
      else if (call.isOwn && this.#sentFromMemory.delete(call.messageId)) {
        this.#listener.placed([{ place: placeOf(call), messageId: call.messageId }])
      } else loaded.push(this.#load(call))
    }
    // What is left untold is handed out anew when the outbox is closed.
    if (loaded.length > 0 && !this.#isOver) this.#listener.loaded(loaded)
  }

  /** An engine hands out no calls of other write keys; where one does, they go to no wrong source. */
  #isForeign({ writeKeyHash }: TakenCall): boolean {
    const own = this.#options.writeKeyHash
    return own !== undefined && writeKeyHash !== undefined && writeKeyHash !== own
  }

  #load(taken: TakenCall): LoadedCall {
    const { receipt: _receipt, isOwn, refusal, ...call } = taken
    const number = isOwn && this.#left.size > this.#unwrittenLeft ? this.#left.shift() : undefined
    if (this.#left.size === 0) this.#sentFromMemory.clear()
    return { call, refusal, number, place: { ...placeOf(taken), isOwn: number !== undefined } }
  }

  #lose(count: number): void {
    const lost = this.#shift(count)
    if (lost > 0) this.#listener.lost(lost)
  }

  #relayed(count: number, characters: number): void {
    this.#bytes = Math.max(this.#unwrittenBytes, this.#bytes - characters)
    const relayed = this.#shift(count)
    if (relayed > 0) this.#listener.relayed(relayed)
  }

  /** Forgets the oldest calls that only the outbox holds; no more than there are. */
  #shift(count: number): number {
    const most = Math.min(count, this.#left.size - this.#unwrittenLeft)
    for (let left = most; left > 0; left--) this.#left.shift()
    return most
  }

  #commitSoon(): void {
    if (this.#timer || this.#isClosed) return
    this.#timer = setTimeout(() => this.#commitNow(), this.#outbox.limits.commitInterval)
    this.#timer.unref()
  }

  #commitNow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if ((!this.#opened || this.isHanging) && this.#isUsable) return
    const unwritten = this.#unwritten
    if (unwritten.length === 0) return
    this.#unwritten = []
    this.#groups.add(unwritten)
    this.#committing = this.#committing.then(() => this.#commit(unwritten))
  }

  async #commit(unwritten: Unwritten<T>[]): Promise<void> {
    if (unwritten.length > 0) await this.#write(unwritten)
    this.#groups.delete(unwritten)
  }

  async #settle(receipts: readonly unknown[]): Promise<void> {
    if (!this.#opened) return
    try {
      await this.#watch.watch(this.#opened.settle(receipts))
    } catch (error) {
      this.#tell('settled calls could not be removed from the outbox: they may be sent again', error)
    }
  }

  async #write(unwritten: Unwritten<T>[]): Promise<void> {
    this.#writing = unwritten
    let taken: readonly TakenCall[] | undefined
    try {
      if (this.#isUsable && this.#opened) {
        const room = this.#options.sends ? unwritten.filter(({ held }) => held !== undefined).length : 0
        const calls = this.#owed(unwritten.map(({ call }) => call))
        taken = calls.length > 0 ? callsIn(await this.#watch.watch(this.#opened.write(calls, room))) : []
      }
    } catch (error) {
      this.#stop('the outbox cannot be written: calls are kept in memory only', error)
    }
    this.#writing = []
    for (const { call } of unwritten) this.#unwrittenBytes -= call.text.length
    if (taken) this.#written(unwritten, taken)
    else this.#goOnWithout(unwritten.filter((each) => !each.isPassedOn))
  }

  #written(unwritten: readonly Unwritten<T>[], taken: readonly TakenCall[]): void {
    const remembered = unwritten.flatMap((each) => (each.isDone ? [] : (each.remembered ?? [])))
    if (remembered.length > 0) this.#listener.kept(remembered)
    this.#takeIn(unwritten, taken)
  }

  /** What could not be written, and is not sent yet, goes on in memory, or ends where nothing is sent from it. */
  #goOnWithout(unwritten: readonly Unwritten<T>[]): void {
    const held = unwritten.flatMap((each) => (each.held === undefined ? [] : [each.held]))
    for (const each of held) this.#held.delete(each)
    if (held.length > 0) this.#listener.stored(held.map((each) => ({ held: each, place: undefined })))
    if (this.#options.sends) return this.#passLeft(unwritten)
    this.#unwrittenLeft -= unwritten.length
    this.#lose(unwritten.length)
  }

  /** Calls are written: those that this process has taken can be sent, and the others wait in the outbox. */
  #takeIn(unwritten: readonly Unwritten<T>[], taken: readonly TakenCall[]): void {
    const mine = new Map<string, TakenCall>()
    for (const each of taken) if (each.isOwn) mine.set(each.messageId, each)
    const found = (messageId: string) => {
      const call = mine.get(messageId)
      mine.delete(messageId)
      return call
    }
    const stored: { held: T; place: Place }[] = []
    const placed: { place: Place; messageId: string }[] = []
    const left: T[] = []
    let relayed = 0
    let characters = 0
    for (const { number, call, held, isPassedOn, isDone } of unwritten) {
      if (isDone) {
        this.#bytes -= call.text.length
        continue
      }
      if (held === undefined && !isPassedOn) {
        this.#unwrittenLeft--
        if (this.#options.sends) this.#mayHaveMore = true
        else {
          relayed++
          characters += call.text.length
        }
        continue
      }
      const own = found(call.messageId)
      if (isPassedOn && own) placed.push({ place: placeOf(own), messageId: call.messageId })
      else if (isPassedOn && this.#listener.letGo(call.messageId)) this.#left.add(number)
      else if (isPassedOn || (held !== undefined && !own && !this.#held.has(held)))
        this.#sentFromMemory.add(call.messageId)
      else if (held !== undefined && own) stored.push({ held, place: placeOf(own) })
      else if (held !== undefined) {
        this.#left.add(number)
        left.push(held)
      }
      if (!own) this.#mayHaveMore = true
      if (held !== undefined) this.#held.delete(held)
    }
    if (relayed > 0) this.#relayed(relayed, characters)
    if (left.length > 0) this.#listener.left(left)
    if (placed.length > 0) this.#listener.placed(placed)
    const passed = new Set([...stored, ...placed].map(({ place }) => place.receipt))
    this.#loadAll(taken.filter(({ receipt }) => !passed.has(receipt)))
    if (stored.length > 0) this.#listener.stored(stored)
    if (this.hasMore) this.#listener.ready()
  }
}
