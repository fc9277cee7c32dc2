import { clearTimeout, setImmediate, setTimeout } from '../../support/clock.js'

/** Milliseconds after which an outbox that has not answered counts as hanging. */
const PATIENCE_MS = 2_000

/** Notices when an outbox hangs, and when it answers again. */
export class AnswerWatch {
  readonly #hangs: () => void
  readonly #answers: () => void
  /** The operations under way, and whether each is late. */
  readonly #operations = new Map<Promise<unknown>, boolean>()
  #late = 0
  #isWorried = false

  /**
   * @param hangs - Called when the first operation is late.
   * @param answers - Called when no operation is late any more, after the last one's result was taken in.
   */
  constructor(hangs: () => void, answers: () => void) {
    this.#hangs = hangs
    this.#answers = answers
  }

  /** Whether an operation is late. */
  get isHanging(): boolean {
    return this.#late > 0
  }

  /** Whether the outbox itself says that it cannot work. */
  get isWorried(): boolean {
    return this.#isWorried
  }

  /** Waits for an operation, however long it takes. */
  async watch<T>(operation: Promise<T>): Promise<T> {
    this.#operations.set(operation, false)
    const timer = setTimeout(() => this.#isLate(operation), PATIENCE_MS)
    timer.unref()
    try {
      return await operation
    } finally {
      clearTimeout(timer)
      const wasLate = this.#operations.get(operation)
      this.#operations.delete(operation)
      if (wasLate) setImmediate(() => this.#settled())
    }
  }

  /** Waits no longer than this for what is under way. */
  hurry(patienceMs: number): void {
    if (this.#operations.size === 0) return
    const underWay = [...this.#operations.keys()]
    const timer = setTimeout(() => {
      for (const operation of underWay) this.#isLate(operation)
    }, patienceMs)
    timer.unref()
  }

  /** The outbox itself says that it cannot work at the moment: that counts as an operation that is late. */
  worry(): void {
    if (this.#isWorried) return
    this.#isWorried = true
    this.#late++
    if (this.#late === 1) this.#hangs()
  }

  /** The outbox itself says that it works again. */
  relax(): void {
    if (!this.#isWorried) return
    this.#isWorried = false
    // What it has answered is taken in first.
    setImmediate(() => this.#settled())
  }

  #isLate(operation: Promise<unknown>): void {
    if (this.#operations.get(operation) !== false) return
    this.#operations.set(operation, true)
    this.#late++
    if (this.#late === 1) this.#hangs()
  }

  #settled(): void {
    this.#late--
    if (this.#late === 0) this.#answers()
  }
}
