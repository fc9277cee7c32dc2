import { after, type Maybe } from '../support/maybe.js'
import { isThere, type Offence, offencesOf, type Path } from './offence.js'
import type { StandardIssue, StandardResult } from './standard-schema.js'
import type { Subject } from './subject.js'
import { kindOfPath } from './violations.js'
import { without } from './without.js'

/**
 * Some libraries tell one unknown member at a time. After so many rounds more is left out than is asked for, since each
 * round has its cost and a visitor may be the one who named the members.
 */
const MAX_EXACT_ROUNDS = 20

/** What is left of a value. */
export interface Omission {
  /** The places that were not as planned. */
  readonly offences: readonly Offence[]
  /** What is left; `undefined` where the value is wrong as a whole. */
  readonly rest: { readonly value: unknown } | undefined
  /** What the schema says of what is left; `undefined` where it could not say. */
  readonly result: StandardResult<unknown> | undefined
}

/** Asks the schema about what is left. */
type AskAgain = (value: unknown) => Maybe<StandardResult<unknown> | undefined>

/**
 * Leaves out of a value what its schema complains of, and asks again until nothing is left that it complains of: only
 * what is missing. What is not on the way to such a place stays as it was.
 *
 * @param issues - What the schema says of the value.
 */
export function omitOffences(
  planned: { readonly subject: Subject },
  value: unknown,
  issues: readonly StandardIssue[],
  again: AskAgain,
): Maybe<Omission> {
  return new Rounds(planned.subject, again).next(value, { issues })
}

class Rounds {
  readonly #subject: Subject
  readonly #again: AskAgain
  readonly #offences: Offence[] = []
  /** What was told to be missing, and what is because it was left out. */
  readonly #missing = new Set<string>()
  #round = 0

  constructor(subject: Subject, again: AskAgain) {
    this.#subject = subject
    this.#again = again
  }

  next(value: unknown, result: StandardResult<unknown> | undefined): Maybe<Omission> {
    const found = result?.issues ? offencesOf(result.issues, value) : []
    const present = found.filter(isThere)
    this.#offences.push(...found.filter((offence) => isThere(offence) || this.#isNews(offence)))
    for (const offence of found) this.#missing.add(kindOfPath(offence.path))
    if (present.length === 0) return { offences: this.#offences, rest: { value }, result }
    const cuts = present.map(({ path }) => this.#cut(path))
    if (cuts.some((path) => this.#subject.isRoot(path))) {
      return { offences: this.#offences, rest: undefined, result }
    }
    this.#round++
    const rest = without(value, cuts)
    return after(this.#again(rest), (judged) => this.next(rest, judged))
  }

  #isNews({ path }: Offence): boolean {
    return !this.#missing.has(kindOfPath(path))
  }

  #cut(path: Path): Path {
    const beyond = Math.max(0, this.#round - MAX_EXACT_ROUNDS)
    return path.slice(0, Math.max(0, path.length - beyond))
  }
}
