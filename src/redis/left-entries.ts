/** Calls that were written together, and that this process has not taken. */
interface Group {
  /** The id of the last of them. */
  last: string
  calls: number
  characters: number
}

/** How many calls, and how long their texts are. */
export interface LeftCount {
  readonly calls: number
  readonly characters: number
}

/** More groups are merged by twos: what is known of them is then known a little later. */
const MOST_GROUPS = 5_000

/** What this process has written and not taken, in the stream's order, so that it is known when others have. */
export class LeftEntries {
  #groups: Group[] = []

  /** How many there are. */
  get calls(): number {
    return this.#groups.reduce((all, { calls }) => all + calls, 0)
  }

  /** Adds calls that were just written. */
  add(last: string, { calls, characters }: LeftCount): void {
    if (calls === 0) return
    this.#groups.push({ last, calls, characters })
    if (this.#groups.length > MOST_GROUPS) this.#merge()
  }

  /** This process takes one of them, and tells whether it was known. */
  take(id: string, characters: number): boolean {
    const at = this.#groups.findIndex(({ last }) => compareIds(id, last) <= 0)
    const group = this.#groups[at]
    if (!group) return false
    group.calls--
    group.characters -= characters
    if (group.calls === 0) this.#groups.splice(at, 1)
    return true
  }

  /** Whether there are any of which it would be known that others have them, if everything up to an id was taken. */
  isAny(upTo: string): boolean {
    const [oldest] = this.#groups
    return oldest !== undefined && compareIds(oldest.last, upTo) <= 0
  }

  /** Everything up to an id was taken by somebody: what is still here, by others. */
  passed(upTo: string): LeftCount {
    const at = this.#groups.findIndex(({ last }) => compareIds(last, upTo) > 0)
    return sumOf(this.#groups.splice(0, at < 0 ? this.#groups.length : at))
  }

  /** Everything after an id is gone. */
  vanished(after: string): LeftCount {
    const at = this.#groups.findIndex(({ last }) => compareIds(last, after) > 0)
    return sumOf(at < 0 ? [] : this.#groups.splice(at))
  }

  #merge(): void {
    const pairs: Group[] = []
    for (let index = 0; index < this.#groups.length; index += 2) {
      const [one, other] = [this.#groups[index], this.#groups[index + 1]]
      if (one && other) {
        const { calls, characters } = sumOf([one, other])
        pairs.push({ last: other.last, calls, characters })
      } else if (one) pairs.push(one)
    }
    this.#groups = pairs
  }
}

/** Orders the ids of a stream: `milliseconds-number`. */
export function compareIds(one: string, other: string): number {
  const [ms = '0', number = '0'] = one.split('-')
  const [otherMs = '0', otherNumber = '0'] = other.split('-')
  return Number(ms) - Number(otherMs) || Number(number) - Number(otherNumber)
}

function sumOf(groups: readonly Group[]): LeftCount {
  return {
    calls: groups.reduce((all, { calls }) => all + calls, 0),
    characters: groups.reduce((all, { characters }) => all + characters, 0),
  }
}
