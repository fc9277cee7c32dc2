import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { performance, wallTime } from '../support/clock.js'
import { inTime, type Maybe } from '../support/maybe.js'
import type { RateLimit, RateLimitStore } from './rate-limit-options.js'

/** Visitors and addresses in memory: about 2 MB. Whoever makes up more of them pushes out their own. */
const MAX_COUNTED = 10_000
/** A store that takes longer is left out. */
const STORE_TIMEOUT_MS = 500
/** Longer ids are counted by their hash. */
const MAX_ID_LENGTH = 64

/** Who sends events: what is unknown of them is not counted. */
export interface Sender {
  readonly address: string | undefined
  readonly visitor: string | undefined
}

/** How many events one key has sent in its time. */
interface Count {
  hits: number
  /** In milliseconds of the monotonic clock. */
  readonly until: number
}

/** Counts the events of visitors and addresses. */
export class RateLimiter {
  readonly #limit: RateLimit
  readonly #counts = new LRUCache<string, Count>({ max: MAX_COUNTED })
  readonly #fault: (error: unknown) => void

  /** @param fault - Is told of a store that fails; the process's own memory then counts. */
  constructor(limit: RateLimit, fault: (error: unknown) => void) {
    this.#limit = limit
    this.#fault = fault
    limit.store?.init?.({ windowMs: limit.window })
  }

  /** The seconds that an address has to wait whose events are used up, by what this process knows; `undefined` for none. */
  waitOf(address: string | undefined): number | undefined {
    const count = address === undefined ? undefined : this.#current(`a:${address}`)
    return count && count.hits >= this.#limit.perAddress ? secondsUntil(count.until) : undefined
  }

  /**
   * Counts events.
   *
   * A list that alone is longer than the limit passes at the beginning of a time: a client that keeps it would otherwise
   * never be rid of it.
   *
   * @returns The seconds to wait where they are too many, and then none of them is taken; `undefined` where they are not.
   */
  take(events: number, { address, visitor }: Sender): Maybe<number | undefined> {
    const asked = [
      { key: address === undefined ? undefined : `a:${address}`, most: this.#limit.perAddress },
      { key: visitor === undefined ? undefined : `v:${shortened(visitor)}`, most: this.#limit.perVisitor },
    ].flatMap(({ key, most }) => (key === undefined ? [] : [{ key, most }]))
    const { store } = this.#limit
    return store ? this.#takeFromStore(store, events, asked) : this.#takeHere(events, asked)
  }

  #takeHere(events: number, asked: readonly Asked[]): number | undefined {
    const counts = asked.map(({ key, most }) => ({ count: this.#current(key) ?? this.#begin(key), most }))
    const over = counts.filter(({ count, most }) => count.hits > 0 && count.hits + events > most)
    if (over.length > 0) return Math.max(...over.map(({ count }) => secondsUntil(count.until)))
    for (const { count } of counts) count.hits += events
    return undefined
  }

  async #takeFromStore(
    store: RateLimitStore,
    events: number,
    asked: readonly Asked[],
  ): Promise<number | undefined> {
    try {
      const waits = await inTime(
        Promise.all(asked.map((each) => waitInStore(store, events, each, this.#limit.window))),
        STORE_TIMEOUT_MS,
        `the store of the rate limit has not answered within ${STORE_TIMEOUT_MS} ms`,
      )
      const longest = Math.max(...waits)
      return longest > 0 ? longest : undefined
    } catch (error) {
      this.#fault(error)
      return this.#takeHere(events, asked)
    }
  }

  #current(key: string): Count | undefined {
    const count = this.#counts.get(key)
    return count && count.until > performance.now() ? count : undefined
  }

  #begin(key: string): Count {
    const count = { hits: 0, until: performance.now() + this.#limit.window }
    this.#counts.set(key, count)
    return count
  }
}

interface Asked {
  readonly key: string
  readonly most: number
}

/** @returns The seconds to wait; 0 for none. */
async function waitInStore(
  store: RateLimitStore,
  events: number,
  { key, most }: Asked,
  window: number,
): Promise<number> {
  const answers = await Promise.all(Array.from({ length: events }, () => store.increment(key)))
  const hits = Math.max(...answers.map(({ totalHits }) => totalHits))
  // What was counted before these events.
  if (hits <= most || hits - events <= 0) return 0
  const reset = answers[0]?.resetTime
  const left = reset instanceof Date ? reset.getTime() - wallTime() : window
  return Math.max(1, Math.ceil(left / 1_000))
}

function secondsUntil(mark: number): number {
  return Math.max(1, Math.ceil((mark - performance.now()) / 1_000))
}

function shortened(id: string): string {
  return id.length <= MAX_ID_LENGTH ? id : createHash('sha256').update(id).digest('base64url')
}
