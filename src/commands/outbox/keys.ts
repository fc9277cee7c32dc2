import { writeKeyHashOf } from '../../delivery/write-key-hash.js'

/** The write keys of the environment: they say whose calls a command changes, and find people in a memory. */
export class ChosenKeys {
  readonly writeKeys: readonly string[]
  readonly #hashes: ReadonlySet<string | undefined>

  /** @param text - Of SEGMENT_WRITE_KEY: one or several, with commas or spaces between them. */
  constructor(text = '') {
    this.writeKeys = text.split(/[\s,]+/).filter((key) => key !== '')
    this.#hashes = new Set(this.writeKeys.map(writeKeyHashOf))
  }

  /** Whether the environment names any. */
  get areGiven(): boolean {
    return this.writeKeys.length > 0
  }

  /** Whether calls of a write key are to be changed: where the environment names none, those of all are. */
  isChosen(writeKeyHash: string | undefined): boolean {
    return !this.areGiven || writeKeyHash === undefined || this.#hashes.has(writeKeyHash)
  }

  /** The hash of the one write key that is named. */
  get onlyHash(): string | undefined {
    return this.writeKeys.length === 1 ? writeKeyHashOf(this.writeKeys[0]) : undefined
  }

  /**
   * A person of one write key is nobody's of another.
   *
   * @throws If calls of several are there, and the environment does not say of which the person is.
   */
  assertOnePerson(hashes: ReadonlySet<string>): void {
    if (this.areGiven || hashes.size <= 1) return
    throw new Error(
      `there are calls of ${hashes.size} write keys, and an id means somebody else in each: set SEGMENT_WRITE_KEY to those of the person`,
    )
  }
}
