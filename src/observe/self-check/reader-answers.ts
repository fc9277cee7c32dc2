import { isRecord } from '../../model/values.js'
import type { Say } from './finding.js'

/** Where a reader stands in the configuration, such as `request.userId`. */
export type ReaderPlace = 'userId' | 'anonymousId' | 'consent' | 'user' | 'skip'

const EXPECTED: Readonly<Record<ReaderPlace, string>> = {
  userId: 'a string or a number, such as request.user?.id, or undefined',
  anonymousId: 'a string, such as request.cookies.get("visitor"), or undefined',
  consent: 'an object such as { analytics: true }, or undefined',
  user: "an object such as { email: 'a@example.com' }, or undefined",
  skip: 'true or false',
}

/** Finds readers that answer with what can be no answer: each place is told once. */
export class ReaderAnswersCheck {
  readonly #say: Say
  readonly #told = new Set<string>()

  constructor(say: Say) {
    this.#say = say
  }

  /**
   * A reader has answered with what cannot be used.
   *
   * @param reader - Its name.
   */
  see(place: ReaderPlace, reader: string, answer: unknown): void {
    if (!isMistake(place, answer) || this.#told.has(place)) return
    this.#told.add(place)
    this.#say({
      code: 'REQTRACK_READER_ANSWER',
      message:
        `the reader ${JSON.stringify(reader.slice(0, 60))} in request.${place} answered with ${kindOf(place, answer)}, which counts as ` +
        `no answer: expected ${EXPECTED[place]}.${adviceFor(place, answer)}`,
    })
  }
}

/** `undefined`, `null`, `false`, an empty string and NaN are how code says that it has no answer. */
function isMistake(place: ReaderPlace, answer: unknown): boolean {
  return place === 'consent' && isRecord(answer) ? holdsOtherThanChoices(answer) : Boolean(answer)
}

/** An object whose members are unknown is no mistake: nobody has chosen yet. */
function holdsOtherThanChoices(answer: Readonly<Record<string, unknown>>): boolean {
  try {
    return Object.values(answer).some((choice) => choice !== undefined && choice !== null)
  } catch {
    return false
  }
}

function kindOf(place: ReaderPlace, answer: unknown): string {
  if (typeof answer !== 'object' || answer === null) return `a ${typeof answer}`
  if (Array.isArray(answer)) return 'a list'
  return place === 'consent' ? 'an object in which nothing is true or false' : 'an object'
}

function adviceFor(place: ReaderPlace, answer: unknown): string {
  if (typeof answer === 'function')
    return ' A function that makes readers has to be called: write `oneTrust()` in the list, not a function that gives it.'
  const isId = place === 'userId' || place === 'anonymousId'
  return isId && typeof answer === 'object'
    ? ' Of an ObjectId, and of its like, give the text: String(id).'
    : ''
}
