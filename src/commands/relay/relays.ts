import { writeKeyHashOf } from '../../delivery/write-key-hash.js'
import type { ShutdownReport } from '../../model/shutdown-report.js'
import type { Relay } from '../../relay/index.js'
import type { NamedKey } from './write-keys.js'

/** The relay of a write key. */
export interface KeyRelay {
  /** What the file calls the write key. */
  readonly name: string | undefined
  readonly writeKeyHash: string
  readonly relay: Relay
}

/** One relay for each write key. */
export class Relays {
  readonly #open: (writeKey: string) => Relay
  readonly #running = new Map<string, KeyRelay>()
  /** Those whose write key is gone, until they have given back what they had. */
  readonly #ending = new Set<Promise<ShutdownReport>>()
  #isClosed = false

  /** @param open - Makes the relay of a write key. */
  constructor(open: (writeKey: string) => Relay) {
    this.#open = open
  }

  /** All that run. */
  get list(): readonly KeyRelay[] {
    return [...this.#running.values()]
  }

  /**
   * Starts a relay for each write key that is new, and ends those of the others.
   *
   * @returns How many were started and ended.
   */
  use(keys: readonly NamedKey[]): { readonly started: number; readonly ended: number } {
    if (this.#isClosed) return { started: 0, ended: 0 }
    const count = { started: 0, ended: 0 }
    const wanted = new Set(keys.map(({ writeKey }) => writeKey))
    for (const [writeKey, { relay }] of this.#running) {
      if (wanted.has(writeKey)) continue
      this.#running.delete(writeKey)
      const ending = relay.shutdown()
      this.#ending.add(ending)
      void ending.then(() => this.#ending.delete(ending))
      count.ended++
    }
    for (const { name, writeKey } of keys) {
      const known = this.#running.get(writeKey)
      const relay = known?.relay ?? this.#open(writeKey)
      if (!known) count.started++
      this.#running.set(writeKey, { name, writeKeyHash: writeKeyHashOf(writeKey) ?? '', relay })
    }
    return count
  }

  /** How many calls have failed. */
  get failedCalls(): number {
    return this.list.reduce(
      (all, { relay }) =>
        all + Object.values(relay.stats().calls.failed).reduce((sum, count) => sum + count, 0),
      0,
    )
  }

  /** Ends them all. */
  async shutdown(options: { readonly timeout: number }): Promise<ShutdownReport> {
    this.#isClosed = true
    const ends = this.list.map(({ relay }) => relay.shutdown(options))
    const reports = await Promise.all([...ends, ...this.#ending])
    return reports.reduce(added, NOTHING)
  }
}

const NOTHING: ShutdownReport = {
  delivered: 0,
  failed: 0,
  dropped: 0,
  pending: 0,
  kept: 0,
  durationMs: 0,
  timedOut: false,
}

function added(one: ShutdownReport, other: ShutdownReport): ShutdownReport {
  return {
    delivered: one.delivered + other.delivered,
    failed: one.failed + other.failed,
    dropped: one.dropped + other.dropped,
    pending: one.pending + other.pending,
    kept: one.kept + other.kept,
    durationMs: Math.max(one.durationMs, other.durationMs),
    timedOut: one.timedOut || other.timedOut,
  }
}
