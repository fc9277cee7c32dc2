import { clearTimeout, nextTurn, setTimeout } from '../support/clock.js'
import { compareIds, LeftEntries } from './left-entries.js'

/** Milliseconds that the answer to a read that waited may be on its way, on its own connection. */
const UNDER_WAY_MS = 100
const BEFORE_ALL = '0-0'

/** What asks about this process's writes, and is told of them. */
export interface OwnWritesParts {
  /** Whether an answer may be on its way that hands entries to this process. */
  isUnderWay(): boolean
  /** Others have taken calls that this process has written. */
  relayed(calls: number, characters: number): void
}

/**
 * What this process has written and does not have: a stream is handed out in its order, so that whatever came before an
 * entry that was handed out is somebody's.
 */
export class OwnWrites {
  readonly #parts: OwnWritesParts
  readonly #left = new LeftEntries()
  #newest = BEFORE_ALL
  /** Everything up to this id was handed out, maybe to this process by an answer that is on its way. */
  #passedUpTo = BEFORE_ALL
  #passing: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(parts: OwnWritesParts) {
    this.#parts = parts
  }

  /** The id of the newest. */
  get newest(): string {
    return this.#newest
  }

  /** The newest has this id. */
  wrote(last: string): void {
    this.#newest = last
  }

  /** Calls up to an id wait for whoever takes them. */
  wait(last: string, texts: readonly { readonly text: string }[]): void {
    const characters = texts.reduce((all, { text }) => all + text.length, 0)
    this.#left.add(last, { calls: texts.length, characters })
  }

  /** This process has taken one itself; tells whether it waited. */
  take(id: string, characters: number): boolean {
    return this.#left.take(id, characters)
  }

  /** Everything up to an id was handed out to somebody. */
  passed(upTo: string): void {
    if (!this.#left.isAny(upTo)) return
    if (!this.#parts.isUnderWay()) return this.#relayed(upTo)
    if (compareIds(upTo, this.#passedUpTo) > 0) this.#passedUpTo = upTo
    this.#passing ??= setTimeout(() => void this.#passLate(), UNDER_WAY_MS).unref()
  }

  /** Redis has come back with nothing after an id: tells how many calls that waited are gone, or `undefined` if none can be. */
  cutAfter(last: string): number | undefined {
    if (compareIds(last, this.#newest) >= 0) return undefined
    this.#newest = last
    return this.#left.vanished(last).calls
  }

  /**
   * Redis had lost the stream, and it begins anew.
   *
   * @param first - The id of its first entry; `undefined` while it is empty.
   * @returns How many calls that waited before it are gone.
   */
  lostBefore(first: string | undefined): number {
    return this.#left.passed(first === undefined ? this.#newest : idBefore(first)).calls
  }

  /** Tells of nothing more. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#passing)
  }

  async #passLate(): Promise<void> {
    // Where this process was late itself, the answer is read on this turn.
    await nextTurn()
    this.#passing = undefined
    if (!this.#isStopped) this.#relayed(this.#passedUpTo)
  }

  /** Everything up to an id that this process does not have is others'. */
  #relayed(upTo: string): void {
    const { calls, characters } = this.#left.passed(upTo)
    if (calls > 0) this.#parts.relayed(calls, characters)
  }
}

/** The id before an id. */
function idBefore(id: string): string {
  const [ms = '0', number = '0'] = id.split('-')
  return Number(number) > 0 ? `${ms}-${Number(number) - 1}` : `${Number(ms) - 1}-${Number.MAX_SAFE_INTEGER}`
}
