import { writtenPath } from '../support/written-path.js'

/** One thing that is wrong with a tracking plan. */
export interface PlanProblem {
  /** Where it is: `events["order complete"]`, `rules[3].jsonSchema`; empty for the plan itself. */
  readonly path: string
  /** What was given, what was expected, and what to do. */
  readonly message: string
}

/** What making a tracking plan throws for something that is none: one error with every problem. */
export class PlanError extends Error {
  override readonly name = 'PlanError'
  readonly problems: readonly PlanProblem[]

  /**
   * @param problems - What is wrong; the message has a line for each.
   * @param maker - The function that was given it.
   */
  constructor(problems: readonly PlanProblem[], maker: string) {
    const lines = problems.map(({ path, message }) => `  ${path || 'plan'}: ${message}`)
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    super(`the tracking plan of ${maker}() has ${count}:\n${lines.join('\n')}`)
    this.problems = problems
  }
}

/** Gathers what is wrong with a tracking plan, to tell all of it at once. */
export class PlanProblems {
  readonly list: PlanProblem[] = []

  add(path: readonly PropertyKey[], message: string): void {
    this.list.push({ path: writtenPath(path), message })
  }

  /** @throws PlanError if anything is wrong. */
  throwIfAny(maker: string): void {
    if (this.list.length > 0) throw new PlanError(this.list, maker)
  }
}
