import { LeftCalls } from './left-calls.js'

/** Hears of calls that only the outbox held. */
export interface StoredCountsListener {
  /** This many cannot be taken. */
  lost(count: number): void
  /** Others send this many. */
  relayed(count: number): void
}

/** The size of the calls of this process that are stored, and which of them only the outbox holds, or will hold. */
export class StoredCounts {
  readonly #listener: StoredCountsListener
  #bytes = 0
  #unwrittenBytes = 0
  readonly #left = new LeftCalls()
  /** Those of them that are not written yet. */
  #unwrittenLeft = 0

  constructor(listener: StoredCountsListener) {
    this.#listener = listener
  }

  /** The size of the calls, in characters. */
  get bytes(): number {
    return this.#bytes
  }

  /** The size of those that are not written yet. */
  get unwrittenBytes(): number {
    return this.#unwrittenBytes
  }

  /** How many calls only the outbox holds, or will hold. */
  get left(): number {
    return this.#left.size
  }

  /** The number of the oldest of them. */
  get firstLeft(): number | undefined {
    return this.#left.first
  }

  /** How many of them are not written yet. */
  get unwrittenLeft(): number {
    return this.#unwrittenLeft
  }

  /** How many of them are written. */
  get writtenLeft(): number {
    return this.#left.size - this.#unwrittenLeft
  }

  /** A call is to be written. */
  add(characters: number): void {
    this.#bytes += characters
    this.#unwrittenBytes += characters
  }

  /** A call is written, or cannot be. */
  written(characters: number): void {
    this.#unwrittenBytes -= characters
  }

  /** A call is stored no more. */
  remove(characters: number): void {
    this.#bytes -= characters
  }

  /** A call that is to be written is not: memory alone has it. */
  withdraw(characters: number): void {
    this.#bytes -= characters
    this.#unwrittenBytes -= characters
  }

  /** Memory does not hold a call that is to be written. */
  leaveUnwritten(number: number): void {
    this.#left.add(number)
    this.#unwrittenLeft++
  }

  /** Memory lets go of a call that is written. */
  leave(number: number): void {
    this.#left.add(number)
  }

  /** Calls that memory does not hold are written. */
  leftWritten(count: number): void {
    this.#unwrittenLeft -= count
  }

  /** Calls that are not written go on in memory. */
  takeUnwritten(count: number): void {
    this.#unwrittenLeft -= count
    this.#left.drop(count)
  }

  /** Tells the number of the oldest call that is written and that only the outbox holds, and forgets it. */
  take(): number | undefined {
    return this.writtenLeft > 0 ? this.#left.shift() : undefined
  }

  /** The oldest calls that only the outbox holds cannot be taken. */
  lose(count: number): void {
    const lost = this.#forget(count)
    if (lost > 0) this.#listener.lost(lost)
  }

  /** Others have taken the oldest calls that only the outbox holds. */
  relay(count: number, characters: number): void {
    this.#bytes = Math.max(this.#unwrittenBytes, this.#bytes - characters)
    const relayed = this.#forget(count)
    if (relayed > 0) this.#listener.relayed(relayed)
  }

  /** Forgets all calls that only the outbox holds, and tells how many it has, and how many were never written. */
  clear(): { readonly written: number; readonly unwritten: number } {
    const unwritten = this.#unwrittenLeft
    return { written: this.#left.clear() - unwritten, unwritten }
  }

  /** No more are forgotten than there are. */
  #forget(count: number): number {
    const most = Math.min(count, this.writtenLeft)
    for (let left = most; left > 0; left--) this.#left.shift()
    return most
  }
}
