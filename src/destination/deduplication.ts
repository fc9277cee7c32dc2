import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Identity } from '../model/identity.js'
import type { Remembered } from '../model/segment-call.js'

/** People and memberships in memory: about 3 MB where all of them have traits. */
const DEFAULT_CAPACITY = 10_000
/** Devices per person; the oldest is forgotten first. */
const MAX_ANONYMOUS_IDS = 8
/** Longest text of traits that is kept as it is; longer texts are hashed. */
const MAX_PLAIN_TEXT = 96

interface Entry {
  readonly traits: string
  readonly anonymousIds: readonly string[]
}

/**
 * Remembers the last `identify()` and `group()` of each person, so that Segment gets them on a person's first event and
 * on change only.
 *
 * The key of a person is the userId, or the anonymousId where there is none. A new anonymousId of a known user counts as
 * a change: Segment needs the call to link the two. The memory is bounded; people who fall out of it are sent anew.
 */
export class Deduplication {
  readonly #maxAge: number
  readonly #capacity: number
  #entries: LRUCache<string, Entry> | undefined

  /**
   * @param maxAge - Milliseconds after which a person is forgotten. Defaults to never.
   * @param capacity - The most people and memberships to remember. Defaults to 10000.
   */
  constructor(maxAge = 0, capacity = DEFAULT_CAPACITY) {
    this.#maxAge = maxAge
    this.#capacity = capacity
  }

  /** Made when it is first used: the cache takes its memory at once, which is a good part of a start. */
  get #known(): LRUCache<string, Entry> {
    this.#entries ??= new LRUCache({ max: this.#capacity, ttl: this.#maxAge })
    return this.#entries
  }

  /**
   * Remembers an `identify()`.
   *
   * @param always - Whether the call is made in any case, as by `tracker.identify()`.
   * @returns The new entry, or `undefined` if the memory has the same, so that the call can be left out.
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
   * Remembers a `group()`.
   *
   * @param always - Whether the call is made in any case, as by `tracker.group()`.
   * @returns The new entry, or `undefined` if the memory has the same, so that the call can be left out.
   */
  group(
    identity: Identity,
    groupId: string,
    traits: object | undefined,
    always = false,
  ): Remembered | undefined {
    const text = textOf(traits)
    const person = personOf(identity)
    // The length separates the two ids whatever characters they contain.
    const key = `group:${person.length}:${person}${groupId}`
    if (!always && this.#known.get(key)?.traits === text) return undefined
    return this.#remember(key, { traits: text, anonymousIds: [] })
  }

  /** Forgets the entry of a call that failed for good, unless a newer call has replaced it. */
  forget(remembered: Remembered | undefined): void {
    if (remembered && this.#known.peek(remembered.key) === remembered.entry)
      this.#known.delete(remembered.key)
  }

  /** Forgets a person's identification or, with a groupId, the membership: for calls whose entry is not at hand. */
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

/** The key of a person: no userId is taken for an anonymousId. */
export function personOf({ userId, anonymousId }: Identity): string {
  return userId === undefined ? `anonymous:${anonymousId}` : `user:${userId}`
}

function textOf(traits: object | undefined): string {
  const text = stableText(traits ?? {})
  return text.length <= MAX_PLAIN_TEXT ? text : createHash('sha256').update(text).digest('base64')
}

/** JSON whose objects have their members sorted by name. */
function stableText(value: unknown): string {
  if (typeof value !== 'object' || value === null || value instanceof Date)
    return JSON.stringify(value) ?? 'null'
  if (Array.isArray(value)) return `[${value.map(stableText).join(',')}]`
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${stableText(member)}`).join(',')}}`
}
