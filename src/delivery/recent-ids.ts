/** The names of the latest things, at most twice as many as are asked for. */
export class RecentIds {
  readonly #most: number
  #newer = new Set<string>()
  #older = new Set<string>()

  /** @param most - How many are known at least, once there were so many. */
  constructor(most: number) {
    this.#most = most
  }

  /** Adds one. */
  add(id: string): void {
    this.#newer.add(id)
    if (this.#newer.size < this.#most) return
    this.#older = this.#newer
    this.#newer = new Set()
  }

  /** Whether one is among them. */
  has(id: string): boolean {
    return this.#newer.has(id) || this.#older.has(id)
  }
}
