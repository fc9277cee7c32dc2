/** Names and paths may be a visitor's words: so many kinds are told apart. */
const MAX_KINDS = 1_000
/** Stands for the event and for the problem of all kinds beyond. */
const OTHERS = '(others)'

/** How often events were against the tracking plan, by event and problem. */
export type ViolationCounts = Readonly<Record<string, Readonly<Record<string, number>>>>

/** Counts what was against the tracking plan, in a bounded memory. */
export class ViolationCounter {
  readonly #counts = new Map<string, Map<string, number>>()
  #kinds = 0

  /**
   * Counts one.
   *
   * @returns Whether it is the first of its kind; of those beyond the bound only the very first is.
   */
  count(event: string, problem: string): boolean {
    const known = this.#counts.get(event)?.get(problem)
    if (known === undefined && this.#kinds >= MAX_KINDS) return this.#add(OTHERS, OTHERS)
    return this.#add(event, problem)
  }

  /** The counts as they are now: a plain copy. */
  counts(): ViolationCounts {
    const events = [...this.#counts].map(([event, problems]) => [event, Object.fromEntries(problems)])
    return Object.fromEntries(events)
  }

  #add(event: string, problem: string): boolean {
    const problems = this.#counts.get(event) ?? new Map<string, number>()
    this.#counts.set(event, problems)
    const before = problems.get(problem) ?? 0
    if (before === 0) this.#kinds++
    problems.set(problem, before + 1)
    return before === 0
  }
}
