import type { Remembered } from '../../model/segment-call.js'
import { clearTimeout, setTimeout } from '../../support/clock.js'
import { callsIn, placeOf } from './engine-answer.js'
import type { OutboxLimits, StoredCall, TakenCall } from './outbox.js'
import type { StoredCounts } from './stored-counts.js'
import type { InMemory, Place, StoredQueueListener } from './stored-queue-listener.js'
import type { TakenCalls } from './taken-calls.js'
import type { WatchedEngine } from './watched-engine.js'

/** A call that is to be written. */
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

/** What calls are written with. */
export interface GroupedWritesParts<T> {
  readonly engine: WatchedEngine
  readonly limits: OutboxLimits
  readonly counts: StoredCounts
  readonly taken: TakenCalls
  readonly listener: StoredQueueListener<T>
  /** Whether this process sends. */
  readonly sends: boolean
}

/** Writes calls in groups. What cannot be written goes on in memory. */
export class GroupedWrites<T> {
  readonly #parts: GroupedWritesParts<T>
  #unwritten: Unwritten<T>[] = []
  /** The groups whose turn to be written comes. */
  readonly #groups = new Set<Unwritten<T>[]>()
  /** The group that is being written. */
  #writing: Unwritten<T>[] = []
  /** The calls in memory that are not written yet. */
  readonly #held = new Set<T>()
  #timer: NodeJS.Timeout | undefined
  #committing: Promise<void> = Promise.resolve()

  constructor(parts: GroupedWritesParts<T>) {
    this.#parts = parts
  }

  /** How many calls in memory are not written yet. */
  get size(): number {
    return this.#held.size
  }

  /** Writes a call with the next group. */
  add(number: number, call: StoredCall, { held, remembered, isPassedOn = false }: InMemory<T>): void {
    const { counts, limits } = this.#parts
    this.#unwritten.push({ number, call, held, remembered, isPassedOn, isDone: false })
    counts.add(call.text.length)
    if (held !== undefined && !isPassedOn) this.#held.add(held)
    if (held === undefined) counts.leaveUnwritten(number)
    if (this.#unwritten.length >= limits.commitAt) this.begin()
    else this.beginSoon()
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

  /** A call in memory has its outcome before it is written: it is written nonetheless, and removed again. */
  forget(held: T): void {
    this.#held.delete(held)
  }

  /** Writes what waits when the interval of the outbox is over. */
  beginSoon(): void {
    const { engine, limits } = this.#parts
    if (this.#timer || engine.isClosed) return
    this.#timer = setTimeout(() => this.begin(), limits.commitInterval)
    this.#timer.unref()
  }

  /** Writes what waits, behind what is being written. */
  begin(): void {
    const { engine } = this.#parts
    this.stopWaiting()
    if ((!engine.opened || engine.isHanging) && engine.isUsable) return
    const unwritten = this.#unwritten
    if (unwritten.length === 0) return
    this.#unwritten = []
    this.#groups.add(unwritten)
    this.#committing = this.#committing.then(() => this.#commit(unwritten))
  }

  /** Writes what waits, and resolves when every earlier call is written. */
  async commit(): Promise<void> {
    this.begin()
    await this.#committing
  }

  /** Waits for no interval any more. */
  stopWaiting(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** The outbox hangs: what waits for it goes on in memory, but for the group that is being written. */
  passOn(): void {
    const { listener, sends } = this.#parts
    this.stopWaiting()
    if (!sends) return
    const waiting: Unwritten<T>[] = []
    for (const group of this.#groups) if (group !== this.#writing) waiting.push(...group.splice(0))
    waiting.push(...this.#unwritten.splice(0))
    this.#forgetSize(waiting)
    const passedOn = [...this.#writing, ...waiting].filter((each) => !each.isPassedOn)
    for (const each of passedOn) each.isPassedOn = true
    const held = passedOn.flatMap((each) => (each.held === undefined ? [] : [each.held]))
    for (const each of held) this.#held.delete(each)
    if (held.length > 0) listener.stored(held.map((each) => ({ held: each, place: undefined })))
    this.#passLeft(passedOn)
  }

  /** Those of the calls that are being written which have no outcome yet. */
  owed(calls: readonly StoredCall[]): readonly StoredCall[] {
    const done = new Set<string>()
    for (const each of this.#writing) {
      each.isDone = each.isPassedOn && !this.#parts.listener.isPending(each.call.messageId)
      if (each.isDone) done.add(each.call.messageId)
    }
    return done.size === 0 ? calls : calls.filter(({ messageId }) => !done.has(messageId))
  }

  /** Passes calls on that neither memory nor the outbox holds. */
  #passLeft(unwritten: readonly Unwritten<T>[]): void {
    const left = unwritten.filter(({ held }) => held === undefined)
    this.#parts.counts.takeUnwritten(left.length)
    if (left.length > 0) this.#parts.listener.passed(left)
  }

  #forgetSize(unwritten: readonly Unwritten<T>[]): void {
    for (const { call } of unwritten) this.#parts.counts.withdraw(call.text.length)
  }

  async #commit(unwritten: Unwritten<T>[]): Promise<void> {
    if (unwritten.length > 0) await this.#write(unwritten)
    this.#groups.delete(unwritten)
  }

  async #write(unwritten: Unwritten<T>[]): Promise<void> {
    const { engine, counts, sends } = this.#parts
    this.#writing = unwritten
    let taken: readonly TakenCall[] | undefined
    try {
      if (engine.isUsable && engine.opened) {
        const room = sends ? unwritten.filter(({ held }) => held !== undefined).length : 0
        const calls = this.owed(unwritten.map(({ call }) => call))
        taken = calls.length > 0 ? callsIn(await engine.watch(engine.opened.write(calls, room))) : []
      }
    } catch (error) {
      engine.stop('the outbox cannot be written: calls are kept in memory only', error)
    }
    this.#writing = []
    for (const { call } of unwritten) counts.written(call.text.length)
    if (taken) this.#written(unwritten, taken)
    else this.#goOnWithout(unwritten.filter((each) => !each.isPassedOn))
  }

  #written(unwritten: readonly Unwritten<T>[], taken: readonly TakenCall[]): void {
    const remembered = unwritten.flatMap((each) => (each.isDone ? [] : (each.remembered ?? [])))
    if (remembered.length > 0) this.#parts.listener.kept(remembered)
    this.#takeIn(unwritten, taken)
  }

  /** What could not be written, and is not sent yet, goes on in memory, or ends where nothing is sent from it. */
  #goOnWithout(unwritten: readonly Unwritten<T>[]): void {
    const { counts, listener, sends } = this.#parts
    const held = unwritten.flatMap((each) => (each.held === undefined ? [] : [each.held]))
    for (const each of held) this.#held.delete(each)
    if (held.length > 0) listener.stored(held.map((each) => ({ held: each, place: undefined })))
    if (sends) return this.#passLeft(unwritten)
    counts.leftWritten(unwritten.length)
    counts.lose(unwritten.length)
  }

  /** Calls are written: those that this process has taken can be sent, and the others wait in the outbox. */
  #takeIn(unwritten: readonly Unwritten<T>[], answer: readonly TakenCall[]): void {
    const { counts, listener, sends, taken } = this.#parts
    const mine = new Map<string, TakenCall>()
    for (const each of answer) if (each.isOwn) mine.set(each.messageId, each)
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
        counts.remove(call.text.length)
        continue
      }
      if (held === undefined && !isPassedOn) {
        counts.leftWritten(1)
        if (sends) taken.expect()
        else {
          relayed++
          characters += call.text.length
        }
        continue
      }
      const own = found(call.messageId)
      if (isPassedOn && own) placed.push({ place: placeOf(own), messageId: call.messageId })
      else if (isPassedOn && listener.letGo(call.messageId)) counts.leave(number)
      else if (isPassedOn || (held !== undefined && !own && !this.#held.has(held)))
        taken.sentFromMemory(call.messageId)
      else if (held !== undefined && own) stored.push({ held, place: placeOf(own) })
      else if (held !== undefined) {
        counts.leave(number)
        left.push(held)
      }
      if (!own) taken.expect()
      if (held !== undefined) this.#held.delete(held)
    }
    if (relayed > 0) counts.relay(relayed, characters)
    if (left.length > 0) listener.left(left)
    if (placed.length > 0) listener.placed(placed)
    const passed = new Set([...stored, ...placed].map(({ place }) => place.receipt))
    taken.loadAll(answer.filter(({ receipt }) => !passed.has(receipt)))
    if (stored.length > 0) listener.stored(stored)
    if (taken.hasMore) listener.ready()
  }
}
