import { clearTimeout, nextTurn, performance, setTimeout } from '../support/clock.js'
import type { Entry } from './entry.js'
import type { Patience } from './patience.js'
import { GIVEN_BACK_IDLE_MS } from './pending-entries.js'
import type { CallStream } from './stream.js'

/** Of the time after which a process counts as dead, the part after which a living one is heard of. */
const RENEWALS = 4
/** Milliseconds between looks for what dead processes have, at most. */
const LONGEST_LOOK_MS = 1_000
const SHORTEST_LOOK_MS = 100
const CLAIMED_AT_ONCE = 100
/** Entries that were given back have been idle for longer than any that a process has. */
const NOBODYS_IDLE_MS = GIVEN_BACK_IDLE_MS / 2
/** Consumers that have nothing, and of which nothing was heard for a day, are taken off. */
const DEAD_AFTER_MS = 24 * 60 * 60 * 1_000
/** So many looks are between two for such consumers, and for what was set aside long ago. */
const LOOKS_BETWEEN = 3_600

/** When a process counts as dead, and a call as the one that kills it. */
export interface ClaimLimits {
  /** Milliseconds. */
  readonly claimAfter: number
  /** How many processes may die with a call before it is refused. */
  readonly maxClaims: number
}

/** An entry that was taken over. */
export interface ClaimedEntry {
  readonly entry: Entry
  /** Why its call is not to be sent. */
  readonly refusal: string | undefined
}

/** What the entries of this process tell their outbox. */
export interface HeldEntriesParts {
  /** Entries were taken over. */
  claimed(entries: readonly ClaimedEntry[]): void
  /** Others have taken entries that this process had. */
  robbed(ids: ReadonlySet<string>): void
  /** Entries that this process has are gone from the stream. */
  gone(ids: readonly string[]): void
  /** Entries that ended processes had are gone from the stream. */
  trimmed(ids: readonly string[]): void
}

/** The entries that this process has. It says that it lives while it does, and takes over those of processes that do not. */
export class HeldEntries {
  readonly #stream: CallStream
  readonly #patience: Patience
  readonly #limits: ClaimLimits
  readonly #parts: HeldEntriesParts
  readonly #ids = new Set<string>()
  #renewedAt = performance.now()
  #looks = 0
  #timer: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(stream: CallStream, patience: Patience, limits: ClaimLimits, parts: HeldEntriesParts) {
    this.#stream = stream
    this.#patience = patience
    this.#limits = limits
    this.#parts = parts
  }

  /** Whether this process has one. */
  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** This process has one more. */
  add(id: string): void {
    this.#ids.add(id)
  }

  /** It has these no more. */
  remove(ids: readonly string[]): void {
    for (const id of ids) this.#ids.delete(id)
  }

  /** It has none any more; tells which it had. */
  clear(): string[] {
    const ids = [...this.#ids]
    this.#ids.clear()
    return ids
  }

  /**
   * Says from time to time that this process lives, and takes over what others have that do not.
   *
   * @param hasRoom - Whether anything may be taken over now.
   */
  watch(hasRoom: () => boolean): void {
    if (this.#isStopped) return
    const { claimAfter } = this.#limits
    const ms = Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, claimAfter / RENEWALS))
    const look = async () => {
      try {
        await this.#renew()
        if (!this.#patience.isTroubled) await this.#look(hasRoom)
      } catch {
        // The next command of the delivery says what is wrong; this one comes again.
      }
      this.watch(hasRoom)
    }
    this.#timer = setTimeout(() => void look(), ms)
    this.#timer.unref()
  }

  /** Ends that. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  /** Redis handed entries to this process whose answer was lost: it takes them, before others do. */
  async takeForgotten(): Promise<void> {
    const ids = [...(await this.#stream.pending.stillHeld())].filter((id) => !this.#ids.has(id))
    if (ids.length === 0) return
    const entries = await this.#stream.pending.takeAgain(ids)
    this.#parts.claimed(entries.map((entry) => ({ entry, refusal: undefined })))
  }

  /** Says that this process lives, even while it can write nothing. */
  async #renew(): Promise<void> {
    const { claimAfter } = this.#limits
    const sinceMs = performance.now() - this.#renewedAt
    if (sinceMs < claimAfter / RENEWALS) return
    // A process that was stopped for so long may have been robbed; to renew what others have would rob them in turn.
    if (sinceMs >= claimAfter - SHORTEST_LOOK_MS) await this.#findRobbed()
    const before = performance.now()
    const gone = await this.#patience.regardless(() => this.#stream.pending.renew([...this.#ids]))
    this.#renewedAt = before
    if (gone.length === 0) return
    // What was removed before has been heard of by then.
    await nextTurn()
    const missed = gone.filter((id) => this.#ids.delete(id))
    if (missed.length > 0) this.#parts.gone(missed)
  }

  async #look(hasRoom: () => boolean): Promise<void> {
    if (hasRoom()) await this.#claim()
    if (this.#looks++ % LOOKS_BETWEEN > 0) return
    await this.#patience.once(() => this.#stream.pending.removeDead(DEAD_AFTER_MS))
    await this.#patience.once(() => this.#stream.removeOldAside())
  }

  async #findRobbed(): Promise<void> {
    const believed = [...this.#ids]
    const held = await this.#patience.regardless(() => this.#stream.pending.stillHeld())
    const robbed = believed.filter((id) => !held.has(id) && this.#ids.has(id))
    if (robbed.length === 0) return
    this.remove(robbed)
    this.#parts.robbed(new Set(robbed))
  }

  /** Redis has given this process entries that are gone, and told no ids: they are among those that it does not know of. */
  async #findGone(claimed: readonly Entry[]): Promise<void> {
    const known = new Set([...this.#ids, ...claimed.map(({ id }) => id)])
    const gone = await this.#patience.once(async () => {
      const held = await this.#stream.pending.stillHeld()
      return this.#stream.pending.forgetGone([...held].filter((id) => !known.has(id)))
    })
    if (gone.length > 0) this.#parts.trimmed(gone)
  }

  async #claim(): Promise<void> {
    const { claimAfter, maxClaims } = this.#limits
    // While Redis was away nobody was heard of: the living get the time to be.
    const areHeard = this.#patience.wellForMs >= claimAfter / 2
    const { entries, gone, untold, deliveries } = await this.#patience.once(() =>
      this.#stream.pending.claim(areHeard ? claimAfter : NOBODYS_IDLE_MS, CLAIMED_AT_ONCE),
    )
    if (gone.length > 0) this.#parts.trimmed(gone)
    if (untold > 0) await this.#findGone(entries)
    // One that this process has itself was not renewed in time: it is not to be sent twice.
    const others = entries.filter(({ id }) => !this.#ids.has(id))
    if (others.length === 0) return
    this.#parts.claimed(
      others.map((entry) => {
        const claims = (deliveries.get(entry.id) ?? 1) - 1
        const isPoison = claims > maxClaims
        return {
          entry,
          refusal: isPoison
            ? `${claims} processes that had taken the call have ended before its outcome`
            : undefined,
        }
      }),
    )
  }
}
