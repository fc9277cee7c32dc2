/** The messageIds of keyed calls that only the outbox holds, with the numbers of the calls. */
export class StoredKeys {
  readonly #numbers = new Map<string, number>()
  readonly #most: number

  /** @param most - How many to know at most. A repetition of any other is one message at Segment all the same. */
  constructor(most: number) {
    this.#most = most
  }

  /**
   * A keyed call is left to the outbox.
   *
   * @param first - The number of the first call that only the outbox holds; `undefined` if there is none.
   */
  add(messageId: string, number: number, first: number | undefined): void {
    for (const [known, old] of this.#numbers) {
      if (old >= (first ?? number)) break
      this.#numbers.delete(known)
    }
    if (this.#numbers.size < this.#most) this.#numbers.set(messageId, number)
  }

  /** A call is in memory again. */
  delete(messageId: string): void {
    this.#numbers.delete(messageId)
  }

  /** Whether the outbox holds a call with a messageId. What is older than all that it holds was taken from it, or is lost. */
  has(messageId: string, first: number | undefined): boolean {
    const number = this.#numbers.get(messageId)
    return number !== undefined && first !== undefined && number >= first
  }
}
