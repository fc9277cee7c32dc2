/** A run of numbers without gaps. */
interface Run {
  from: number
  to: number
}

/** The numbers of calls that wait in the outbox and not in memory, the oldest first. A million of them take little room. */
export class LeftCalls {
  readonly #runs: Run[] = []
  #size = 0

  /** How many there are. */
  get size(): number {
    return this.#size
  }

  /** The oldest. */
  get first(): number | undefined {
    return this.#runs[0]?.from
  }

  /** Adds a number, in order. */
  add(number: number): void {
    this.#size++
    const last = this.#runs.at(-1)
    if (last && number === last.to + 1) {
      last.to = number
      return
    }
    const at = this.#runs.findIndex(({ from }) => from > number)
    this.#runs.splice(at < 0 ? this.#runs.length : at, 0, { from: number, to: number })
  }

  /** Removes the oldest; `undefined` if there is none. */
  shift(): number | undefined {
    const [run] = this.#runs
    if (!run) return undefined
    this.#size--
    const number = run.from++
    if (run.from > run.to) this.#runs.shift()
    return number
  }

  /** Removes the newest ones. */
  drop(count: number): void {
    for (let left = Math.min(count, this.#size); left > 0; ) {
      const run = this.#runs.at(-1)
      if (!run) return
      const dropped = Math.min(left, run.to - run.from + 1)
      run.to -= dropped
      left -= dropped
      this.#size -= dropped
      if (run.from > run.to) this.#runs.pop()
    }
  }

  /** Removes all, and tells how many there were. */
  clear(): number {
    const size = this.#size
    this.#size = 0
    this.#runs.length = 0
    return size
  }
}
