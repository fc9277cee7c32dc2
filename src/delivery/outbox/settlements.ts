import { setImmediate } from '../../support/clock.js'

/** What removes calls from an outbox. */
export interface SettlementParts {
  /** Whether anything can be removed now. */
  isPossible(): boolean
  /** Removes calls. Never rejects. */
  settle(receipts: readonly unknown[]): Promise<void>
}

/**
 * Removes calls from the outbox as soon as they have their outcome: what is still there when a process is killed is sent
 * again. Those of one turn are removed together, and one removal waits for the other.
 */
export class Settlements {
  readonly #parts: SettlementParts
  #receipts: unknown[] = []
  #isScheduled = false
  #settling: Promise<void> | undefined

  constructor(parts: SettlementParts) {
    this.#parts = parts
  }

  /** A call has its outcome. */
  add(receipt: unknown): void {
    this.#receipts.push(receipt)
    this.schedule()
  }

  /** Removes what there is on a later turn. */
  schedule(): void {
    if (this.#isScheduled || this.#settling || this.#receipts.length === 0) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      this.#begin()
    })
  }

  /** Resolves when every earlier call is removed, or none can be. */
  async done(): Promise<void> {
    for (this.#begin(); this.#settling; this.#begin()) await this.#settling
  }

  #begin(): void {
    if (this.#settling || this.#receipts.length === 0 || !this.#parts.isPossible()) return
    const receipts = this.#receipts
    this.#receipts = []
    this.#settling = this.#parts.settle(receipts).finally(() => {
      this.#settling = undefined
      this.schedule()
    })
  }
}
