/**
 * Stands in for the client, as `env.analytics`: each call is delivered on a later turn. What is measured then ends where the
 * SDK begins, and begins again where it ends.
 */
export class SegmentStub {
  calls = 0
  #wanted = Number.POSITIVE_INFINITY
  #reached: () => void = () => {}
  #taken = 0
  #told: Promise<void> | undefined
  readonly track = (): Promise<void> => this.#take()
  readonly identify = (): Promise<void> => this.#take()
  readonly group = (): Promise<void> => this.#take()
  readonly page = (): Promise<void> => this.#take()
  readonly screen = (): Promise<void> => this.#take()

  /** Resolves when so many more calls have been made and told delivered. */
  more(count: number): Promise<void> {
    this.#wanted = this.calls + count
    return new Promise((resolve) => {
      this.#reached = resolve
    })
  }

  #take(): Promise<void> {
    this.#taken++
    this.#told ??= new Promise((resolve) => setImmediate(() => this.#tell(resolve)))
    return this.#told
  }

  #tell(resolve: () => void): void {
    this.calls += this.#taken
    this.#taken = 0
    this.#told = undefined
    resolve()
    if (this.calls < this.#wanted) return
    this.#wanted = Number.POSITIVE_INFINITY
    setImmediate(this.#reached)
  }
}
