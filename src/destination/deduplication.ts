import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Identity } from '../model/identity.js'
import type { Remembered } from '../model/segment-call.js'

/** How many people and memberships are remembered: about 3 MB where all of them have traits. */
const DEFAULT_CAPACITY = 10_000
/** A person's devices beyond this are forgotten, the oldest first. */
const MAX_ANONYMOUS_IDS = 8
/** Traits are compared by their text up to this length, and by its hash beyond. */
const MAX_PLAIN_TEXT = 96

interface Entry {
  readonly traits: string
  readonly anonymousIds: readonly string[]
}

/**
 * Remembers per person what was last told about them, so that `identify()` and `group()` are called on a person's first
 * event and on change, and not with every event.
 *
 * A person is their userId, or their anonymousId where there is none. A new anonymousId of a known user is a change:
 * Segment needs the call to link the two. The memory is bounded; who falls out of it is told anew.
 */
export class Deduplication {
  readonly #known: LRUCache<string, Entry>

  /** @param capacity - How many people and memberships are remembered at most. Defaults to 10000. */
  constructor(capacity = DEFAULT_CAPACITY) {
    this.#known = new LRUCache({ max: capacity })
  }

  /**
   * Remembers that a person is being identified.
   *
   * @param always - Whether the call is made in any case, as `tracker.identify()` is.
   * @returns What was remembered, or `undefined` if the same is known already and the call can be spared.
   */
  identify(identity: Identity, traits: object | undefined, always = false): Remembered | undefined {
    const text = textOf(traits)
    const key = `identify:${personOf(identity)}`
    const known = this.#known.get(key)
    const { anonymousId } = identity
    const linked = anonymousId === undefined || known?.anonymousIds.includes(anonymousId) === true
    if (!always && known?.traits === text && linked) return undefined
    const before = known?.anonymousIds ?? []
    const anonymousIds = linked ? before : [...before, anonymousId].slice(-MAX_ANONYMOUS_IDS)
    return this.#remember(key, { traits: text, anonymousIds })
  }

  /**
   * Remembers that a person is being put in a group.
   *
   * @param always - Whether the call is made in any case, as `tracker.group()` is.
   * @returns What was remembered, or `undefined` if the same is known already and the call can be spared.
   */
  group(
    identity: Identity,
    groupId: string,
    traits: object | undefined,
    always = false,
  ): Remembered | undefined {
    const text = textOf(traits)
    const person = personOf(identity)
    // The length keeps a person and a group apart whatever characters their ids have.
    const key = `group:${person.length}:${person}${groupId}`
    if (!always && this.#known.get(key)?.traits === text) return undefined
    return this.#remember(key, { traits: text, anonymousIds: [] })
  }

  /** Forgets what was remembered for a call that has failed for good; what was told since then stays. */
  forget(remembered: Remembered | undefined): void {
    if (remembered && this.#known.peek(remembered.key) === remembered.entry)
      this.#known.delete(remembered.key)
  }

  /** Forgets a person's identification and, with a group, the membership: for calls known only by their content. */
  forgetCall(identity: Identity, groupId?: string): void {
    const person = personOf(identity)
    this.#known.delete(
      groupId === undefined ? `identify:${person}` : `group:${person.length}:${person}${groupId}`,
    )
  }

  /** Forgets everybody. */
  clear(): void {
    this.#known.clear()
  }

  #remember(key: string, entry: Entry): Remembered {
    this.#known.set(key, entry)
    return { key, entry }
  }
}

function personOf({ userId, anonymousId }: Identity): string {
  return userId === undefined ? `anonymous:${anonymousId}` : `user:${userId}`
}

function textOf(traits: object | undefined): string {
  const text = stableText(traits ?? {})
  return text.length <= MAX_PLAIN_TEXT ? text : createHash('sha256').update(text).digest('base64')
}

/** JSON with the members of every object in the order of their names. */
function stableText(value: unknown): string {
  if (typeof value !== 'object' || value === null || value instanceof Date)
    return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(stableText).join(',')}]`
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${stableText(member)}`).join(',')}}`
}
