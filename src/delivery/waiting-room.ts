import type { PendingCall } from './pending-call.js'

/** The list is compacted when this many places, and at least half of all, are free. */
const COMPACT_AT = 1_024

/** Calls that wait for the client, in order: returned ones before new ones. */
export class WaitingRoom {
  #calls: (PendingCall | undefined)[] = []
  #first = 0
  #returned: PendingCall[] = []
  #isSorted = true

  /** How many wait. */
  get size(): number {
    return this.#calls.length - this.#first + this.#returned.length
  }

  /** Adds a new call behind all others. */
  add(call: PendingCall): void {
    this.#calls.push(call)
  }

  /** Returns a call that the client could not deliver: it is older than all that were never submitted. */
  requeue(call: PendingCall): void {
    const last = this.#returned.at(-1)
    if (last && last.number > call.number) this.#isSorted = false
    this.#returned.push(call)
  }

  /** The next call. */
  get next(): PendingCall | undefined {
    return this.#sortedReturned()[0] ?? this.#calls[this.#first]
  }

  /** Removes the next call. */
  take(): PendingCall | undefined {
    return this.#sortedReturned().shift() ?? this.#takeNew()
  }

  /** Removes the next call whose number is at least `number`. */
  takeFrom(number: number): PendingCall | undefined {
    const index = this.#sortedReturned().findIndex((call) => call.number >= number)
    return index < 0 ? this.#takeNew() : this.#returned.splice(index, 1)[0]
  }

  /** Removes a call, and tells whether it was there. */
  remove(call: PendingCall): boolean {
    if (this.#calls[this.#first] === call) return this.#takeNew() === call
    const index = this.#returned.indexOf(call)
    if (index >= 0) return this.#returned.splice(index, 1).length > 0
    const place = this.#calls.indexOf(call, this.#first)
    return place >= 0 && this.#calls.splice(place, 1).length > 0
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

  #sortedReturned(): PendingCall[] {
    if (!this.#isSorted) {
      this.#returned.sort((one, other) => one.number - other.number)
      this.#isSorted = true
    }
    return this.#returned
  }
}
