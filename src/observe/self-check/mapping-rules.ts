import { wordsOf } from '../../model/event-name.js'
import { differByOneLetter } from '../../support/one-letter.js'
import { type CheckState, type EventCheck, type JudgedEvent, quoted, type Say } from './finding.js'

const EVENTS = 1_000
/** More names than an application has. Names may hold what visitors wrote, and must not fill the memory. */
const MOST_NAMES = 500
const MOST_PAIRS = 3

/** Finds a mapping rule that has matched nothing, while an event's name differs from it by a letter or by case. */
export class MappingRulesCheck implements EventCheck {
  readonly #say: Say
  readonly #unmatched: Set<string>
  readonly #rules: ReadonlySet<string>
  readonly #names = new Set<string>()
  #left = EVENTS

  /** @param rules - The keys of the rules for an entity, such as `order complete` and `order *`. */
  constructor(rules: readonly string[], say: Say) {
    this.#say = say
    this.#rules = new Set(rules)
    this.#unmatched = new Set(rules)
  }

  see({ name, isMapped, rule }: JudgedEvent): CheckState {
    if (isMapped) {
      if (rule !== undefined) this.#unmatched.delete(rule)
      if (this.#names.size < MOST_NAMES) this.#names.add(name)
    }
    if (this.#unmatched.size === 0) return 'over'
    if (--this.#left > 0) return 'open'
    this.#compare()
    return 'over'
  }

  #compare(): void {
    const names = [...this.#names].filter((name) => !this.#rules.has(name))
    const entities = new Set([...this.#rules].map((rule) => wordsOf(rule).entity))
    const strangers = names.filter((name) => !entities.has(wordsOf(name).entity))
    const pairs = [...this.#unmatched].flatMap((rule) => {
      const { entity, action } = wordsOf(rule)
      const name =
        action === '*'
          ? strangers.find((each) => differByOneLetter(wordsOf(each).entity, entity))
          : names.find((each) => differByOneLetter(each, rule))
      return name === undefined ? [] : [{ rule, name }]
    })
    if (pairs.length === 0) return
    const listed = pairs
      .slice(0, MOST_PAIRS)
      .map(({ rule, name }) => `the rule ${quoted(rule)} has matched none, while ${quoted(name)} was tracked`)
    const more = pairs.length > MOST_PAIRS ? `; and ${pairs.length - MOST_PAIRS} more` : ''
    this.#say({
      code: 'REQTRACK_UNMATCHED_RULE',
      message:
        `of the first ${EVENTS} events ${listed.join('; ')}${more}. Rules are found by the exact name: write it alike in ` +
        'mapping and in track().',
    })
  }
}
