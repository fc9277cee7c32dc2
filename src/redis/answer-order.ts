/**
 * Takes answers in in the order in which their commands were sent: of two that come together, the one that needs fewer
 * steps would be first, and what this process has itself would look as if others had taken it.
 */
export class AnswerOrder {
  /** Resolves when the answers to all commands so far are taken in. */
  #answered: Promise<void> = Promise.resolve()

  /** Takes an answer in after those to all commands that were sent before. */
  async take<A, T>(asked: Promise<A>, takeIn: (answer: A) => T): Promise<T> {
    const before = this.#answered
    let done = () => {}
    this.#answered = new Promise((resolve) => {
      done = resolve
    })
    try {
      const answer = await asked
      await before
      return takeIn(answer)
    } finally {
      void before.then(done)
    }
  }
}
