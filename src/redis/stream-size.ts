import type { StoredCall } from '../delivery/outbox/outbox.js'

/** The share of a new call in the mean size of one. */
const NEW_SHARE = 1 / 64
/** What an entry takes in Redis besides its text. */
const ENTRY_BYTES = 160
const FIRST_MEAN_BYTES = 1_024

/** How much a stream may hold. */
export interface SizeLimits {
  readonly maxCalls: number
  readonly maxBytes: number
}

/** Estimates how much the stream holds, from what this process writes and last heard of it. */
export class StreamSize {
  readonly #limits: SizeLimits
  #calls = 0
  #meanBytes = FIRST_MEAN_BYTES
  /** Calls that make room, and are in the stream until they are settled. */
  readonly #evicted = new Set<unknown>()

  constructor(limits: SizeLimits) {
    this.#limits = limits
  }

  /** How many calls it had when that was last heard. */
  get calls(): number {
    return this.#calls
  }

  /** It has so many calls. */
  has(calls: number): void {
    this.#calls = calls
  }

  /** Calls were written. */
  wrote(calls: readonly StoredCall[]): void {
    for (const { text } of calls)
      this.#meanBytes += (Buffer.byteLength(text) + ENTRY_BYTES - this.#meanBytes) * NEW_SHARE
  }

  /** Calls were removed. */
  removed(receipts: readonly unknown[]): void {
    this.#calls = Math.max(0, this.#calls - receipts.length)
    for (const receipt of receipts) this.#evicted.delete(receipt)
  }

  /** A call makes room: it is removed when it is settled. */
  evicts(receipt: unknown): void {
    this.#evicted.add(receipt)
  }

  /** How many calls are too many; 0 or less where there is room. */
  get excess(): number {
    const { maxCalls, maxBytes } = this.#limits
    return this.#calls - this.#evicted.size - Math.min(maxCalls, Math.floor(maxBytes / this.#meanBytes))
  }
}
