import type { PendingCall } from './pending-call.js'

/** Freed places at the front are given back when there are so many, and no fewer than places that are taken. */
const COMPACT_AT = 1_024

/** Where calls wait until the client takes them: in order, those that come back before those that are new. */
export class WaitingRoom {
  #calls: (PendingCall | undefined)[] = []
  #first = 0
  #returned: PendingCall[] = []
  #isSorted = true

  /** How many wait. */
  get size(): number {
    return this.#calls.length - this.#first + this.#returned.length
  }

  /** A new call, behind all others. */
  add(call: PendingCall): void {
    this.#calls.push(call)
  }

  /** A call that the client could not deliver: it was made before all that have not been handed in yet. */
  giveBack(call: PendingCall): void {
    const last = this.#returned.at(-1)
    if (last && last.number > call.number) this.#isSorted = false
    this.#returned.push(call)
  }

  /** The call whose turn it is. */
  get next(): PendingCall | undefined {
    return this.#back()[0] ?? this.#calls[this.#first]
  }

  /** Takes the call whose turn it is out. */
  take(): PendingCall | undefined {
    return this.#back().shift() ?? this.#takeNew()
  }

  /** Takes out whose turn it is among those numbered from `number` on. */
  takeFrom(number: number): PendingCall | undefined {
    const index = this.#back().findIndex((call) => call.number >= number)
    return index < 0 ? this.#takeNew() : this.#returned.splice(index, 1)[0]
  }

  #takeNew(): PendingCall | undefined {
    const call = this.#calls[this.#first]
    if (!call) return undefined
    this.#calls[this.#first] = undefined
    this.#first++
    const left = this.#calls.length - this.#first
    if (left === 0 || this.#first >= Math.max(COMPACT_AT, left)) {
      this.#calls = this.#calls.slice(this.#first)
      this.#first = 0
    }
    return call
  }

  #back(): PendingCall[] {
    if (!this.#isSorted) {
      this.#returned.sort((one, other) => one.number - other.number)
      this.#isSorted = true
    }
    return this.#returned
  }
}
